"""A person's own account."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from ops_portal.errors import UserError


@transaction.atomic
def update_account(*, actor: User, full_name: str, email: str) -> None:
    """Change what a person is called and where they are reached."""
    if email and User.objects.filter(email__iexact=email).exclude(pk=actor.pk).exists():
        message = "Another account has this e-mail address."
        raise UserError(message, code="conflict", fields={"email": message}, status=409)
    User.objects.filter(pk=actor.pk).update(first_name=full_name.strip()[:150], last_name="", email=email)
    actor.refresh_from_db()


@transaction.atomic
def set_password(*, actor: User, old: str, new: str) -> None:
    """Set a password; where there is one already, the old one has to be given."""
    if actor.has_usable_password() and not actor.check_password(old):
        message = "The current password is not right."
        raise UserError(message, fields={"old_password": message})
    try:
        validate_password(new, actor)
    except ValidationError as error:
        raise UserError(" ".join(error.messages), fields={"new_password": " ".join(error.messages)}) from None
    actor.set_password(new)
    actor.save(update_fields=["password"])
