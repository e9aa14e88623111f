"""The scope form: nine factors now and planned, and whether the first version is out."""

from __future__ import annotations

from typing import Any

from django import forms

from assessments.models import ScopeProfile
from assessments.scoring.scope import FACTORS, Factor
from assessments.services.scope import ProfileDraft

CURRENT, PLANNED = ScopeProfile.Kind.CURRENT.value, ScopeProfile.Kind.PLANNED.value
KINDS = (CURRENT, PLANNED)
UNKNOWN = {CURRENT: "not known", PLANNED: "as now"}
FIRST_VERSION = "first_version"
YES_NO = (("yes", "Not yet: this is about the first version"), ("no", "Yes, a version has been released"))
PLAN_FIRST = (("", "As now"), ("yes", "Not yet"), ("no", "Yes"))


def field_name(kind: str, factor: str) -> str:
    """The form field of a factor: `current-people`."""
    return f"{kind}-{factor}"


def is_worded(factor: Factor) -> bool:
    """Say whether a factor is chosen from worded levels, rather than counted."""
    return not factor.unit


class ScopeForm(forms.Form):
    """All fields are optional: what nobody knows is left open and counts for nothing, never as zero."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in KINDS:
            for factor in FACTORS:
                self.fields[field_name(kind, factor.name)] = _field(factor, kind)
        self.fields[field_name(CURRENT, FIRST_VERSION)] = forms.ChoiceField(
            choices=YES_NO, required=False, widget=forms.RadioSelect, label="Has a first version been released?"
        )
        self.fields[field_name(PLANNED, FIRST_VERSION)] = forms.ChoiceField(
            choices=PLAN_FIRST, required=False, widget=forms.RadioSelect, label="Will it have been released?"
        )

    def draft(self, kind: str) -> ProfileDraft:
        """What was said about one kind of scope, once the form is valid."""
        values = {}
        for factor in FACTORS:
            given = self.cleaned_data.get(field_name(kind, factor.name))
            if given not in (None, ""):
                values[factor.name] = float(given)
        first = self.cleaned_data.get(field_name(kind, FIRST_VERSION)) or ""
        return ProfileDraft(values, {"yes": True, "no": False}.get(first))

    @property
    def drafts(self) -> dict[str, ProfileDraft]:
        """What was said about both kinds."""
        return {kind: self.draft(kind) for kind in KINDS}


def _field(factor: Factor, kind: str) -> forms.Field:
    label = f"{factor.title}, {'now' if kind == CURRENT else 'planned'}"
    if is_worded(factor):
        levels = [(f"{level.value:g}", level.words[:1].upper() + level.words[1:]) for level in factor.levels]
        return forms.TypedChoiceField(
            choices=[("", UNKNOWN[kind].capitalize()), *levels],
            coerce=float,
            empty_value=None,
            required=False,
            label=label,
            error_messages={"invalid_choice": "Choose one of the levels."},
        )
    return forms.FloatField(
        required=False,
        min_value=factor.minimum,
        max_value=None if factor.maximum == float("inf") else factor.maximum,
        label=label,
        error_messages={
            "invalid": "Give a number, such as 0.5 or 12.",
            "min_value": "This cannot be below %(limit_value)g.",
        },
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": UNKNOWN[kind], "inputmode": "decimal"}),
    )
