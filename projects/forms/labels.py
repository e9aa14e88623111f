"""The form of a project's rule for labels that never come."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django import forms

from ops_portal.forms import ChoiceList
from projects.labels import typed_label
from projects.models import LabelDeadline, Project
from projects.payload import MISSING

FOREVER, UNKNOWN, DEFAULT = "forever", "unknown", "default"
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


class LabelDeadlineForm(forms.Form):
    """What becomes of an event whose label does not come."""

    what = forms.ChoiceField(
        label="An event whose label does not come",
        choices=[
            (FOREVER, "Waits for ever"),
            (UNKNOWN, "Is unknown after a while"),
            (DEFAULT, "Gets a default label after a while"),
        ],
        widget=ChoiceList(
            helps={
                FOREVER: "Nothing happens. A label that comes later joins it, however late.",
                UNKNOWN: "No model learns it; the reason is recorded. A label that comes after all is still learned.",
                DEFAULT: "For answers of which only one is ever reported: no complaint means no fault. It is learned"
                " like any label, with the reason recorded; a label that comes after all is a correction.",
            }
        ),
    )
    wait = forms.FloatField(label="After", required=False, min_value=0, help_text="Counted from its receipt.")
    unit = forms.ChoiceField(choices=[(name, name.capitalize()) for name in UNITS], initial="days", required=False)
    default = forms.CharField(label="Default label", required=False, max_length=200)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        known = [one if isinstance(one, str) else json.dumps(one) for one in project.label_classes[:5]]
        if known:
            self.fields["default"].help_text = f"Such as {' or '.join(known)}."

    @staticmethod
    def initial_of(rule: LabelDeadline | None) -> dict[str, Any]:
        """Return the form's values for `rule`."""
        if rule is None or rule.wait is None:
            return {"what": FOREVER, "wait": 7, "unit": "days"}
        unit = next(name for name in ("days", "hours", "minutes") if rule.wait % UNITS[name] == timedelta(0))
        default = json.loads(rule.default) if rule.default else ""
        return {
            "what": DEFAULT if rule.default else UNKNOWN,
            "wait": rule.wait // UNITS[unit],
            "unit": unit,
            "default": default if isinstance(default, str) else json.dumps(default),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("what") in {UNKNOWN, DEFAULT} and cleaned.get("wait") is None and "wait" not in self.errors:
            self.add_error("wait", "Say how long an event may wait for its label.")
        if cleaned.get("what") == DEFAULT and not cleaned.get("default"):
            self.add_error("default", "Say which label an event gets.")
        return cleaned

    def rule(self) -> dict[str, Any]:
        """Return the wait and the default, as the service takes them, after the form was found valid."""
        given = self.cleaned_data
        if given["what"] == FOREVER:
            return {"wait": None}
        # Whole minutes: a rule is read by people.
        minutes = round(given["wait"] * (UNITS[given["unit"] or "days"] / timedelta(minutes=1)))
        wait = timedelta(minutes=min(minutes, 10**9))
        return {"wait": wait, "default": self._default() if given["what"] == DEFAULT else MISSING}

    def _default(self) -> object:
        return typed_label(self.cleaned_data["default"], self.project.task, self.project.label_type)
