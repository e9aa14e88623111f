"""The form of one practice's answer; a page has one per practice, told apart by its prefix."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from assessments.models import Value
from assessments.services.answers import Draft
from ops_portal.links import WEB_LINK

LONGEST_REASON = 500
LONGEST_LINK = 500
LONGEST_COMMENT = 2000


class WebLinkField(forms.URLField):
    """A link somebody can follow: http or https, nothing that runs in the page."""

    default_validators = [WEB_LINK]


class AnswerForm(forms.Form):
    """What somebody says about one practice."""

    value = forms.ChoiceField(
        choices=[("", "No answer"), *Value.choices],
        required=False,
        error_messages={"invalid_choice": "Answer with yes, partly, no or does not apply."},
    )
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        error_messages={"max_length": f"This reason has %(show_value)s characters; at most {LONGEST_REASON} fit."},
    )
    evidence_url = WebLinkField(
        required=False,
        max_length=LONGEST_LINK,
        assume_scheme="https",
        error_messages={
            "invalid": "Give a link that starts with https:// or http://.",
            "max_length": f"This link has %(show_value)s characters; at most {LONGEST_LINK} fit.",
        },
    )
    comment = forms.CharField(
        required=False,
        max_length=LONGEST_COMMENT,
        error_messages={
            "max_length": f"This comment has %(show_value)s characters; at most {LONGEST_COMMENT:,} fit. "
            "Shorten it, or put the text behind the evidence link."
        },
    )
    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def clean(self) -> dict[str, Any]:
        """Ask for the reason that "does not apply" needs."""
        cleaned = super().clean() or self.cleaned_data
        missing = not cleaned.get("reason") and "reason" not in self.errors
        if cleaned.get("value") == Value.DOES_NOT_APPLY and missing:
            self.add_error("reason", "Say why this does not apply to the project; then it is saved.")
        return cleaned

    @property
    def draft(self) -> Draft:
        """The answer, once the form is valid. A reason belongs to "does not apply" only."""
        said = self.cleaned_data
        reason = said["reason"] if said["value"] == Value.DOES_NOT_APPLY else ""
        return Draft(said["value"], reason, said["evidence_url"], said["comment"])

    @property
    def base_version(self) -> int:
        """The version the page showed."""
        return int(self.cleaned_data["version"] or 0)


def sent_draft(data: QueryDict, practice_id: str) -> Draft:
    """Return what was typed, as it was typed, so that a refused page can show it again."""

    def typed(name: str) -> str:
        return str(data.get(f"{practice_id}-{name}", ""))

    return Draft(typed("value"), typed("reason"), typed("evidence_url"), typed("comment"))
