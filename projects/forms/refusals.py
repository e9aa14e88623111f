"""What a service refused, shown where the form can show it."""

from __future__ import annotations

from django.forms import BaseForm

from ops_portal.errors import UserError


def show_refusal(form: BaseForm, error: UserError) -> None:
    """Put `error` beside the field it names, or above the form."""
    field = next((name for name in error.fields if name in form.fields), None)
    form.add_error(field, error.message)
