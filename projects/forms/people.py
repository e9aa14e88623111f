"""Forms for teams, their members and one's own account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from projects.models import Role, Team

ROLE_HELPS = {
    Role.OWNER: "Everything, and members, tokens and archiving.",
    Role.MAINTAINER: "Brings data, trains, deploys and rolls back.",
    Role.EXPERT: "Reads everything and rates in assessments.",
    Role.VIEWER: "Reads everything.",
}


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    """Names a team."""

    name = forms.CharField(max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    class Meta:
        model = Team
        fields = ["name"]

    def validate_unique(self) -> None:
        """Leave it to the service, which says it in the portal's words."""


class MemberForm(forms.Form):
    """Adds a member."""

    who = forms.CharField(
        label="User name or e-mail address",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Somebody new gets an account, and you a sign-in link to pass on.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)


class RoleForm(forms.Form):
    """Changes a member's role."""

    role = forms.ChoiceField(choices=Role.choices, widget=forms.Select(attrs={"aria-label": "Role"}))


class AccountForm(forms.Form):
    """Changes one's own name and e-mail address."""

    full_name = forms.CharField(
        label="Name", max_length=150, required=False, help_text="As others see it in the portal."
    )
    email = forms.EmailField(label="E-mail address", required=False)


class PasswordForm(forms.Form):
    """Sets a password, or changes it."""

    old_password = forms.CharField(
        label="Current password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label="New password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters, and not one of the common ones.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.has_usable_password():
            del self.fields["old_password"]
