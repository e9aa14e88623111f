"""What the templates of runs and comparisons need beyond `ui`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms, template

register = template.Library()


@register.filter
def of(values: Mapping[Any, Any], key: Any) -> Any:
    """Look up a key: `{{ words|of:model.pk }}`."""
    return values.get(key, "")


@register.filter
def field_name(name: str, form: forms.Form) -> str:
    """What a form calls one of its fields: `{{ name|field_name:form }}`."""
    field = form.fields.get(name)
    return str(field.label or name.replace("_", " ").capitalize()) if field else name
