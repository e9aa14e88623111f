"""What to show in the table of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from models_registry.forms.runs import MODES
from models_registry.models import RegisteredModel, Run
from models_registry.selectors.run_table import ALL, ARCHIVED, CURRENT, RunQuery


class RunFilter(forms.Form):
    """Filters of the table of runs; values that mean nothing are left out."""

    search = forms.CharField(
        required=False, max_length=100, label="Search", widget=forms.TextInput({"placeholder": "model, tag, note"})
    )
    model = forms.ModelChoiceField(RegisteredModel.objects.none(), required=False, empty_label="All models")
    state = forms.ChoiceField(
        choices=[("", "All states"), ("active", "At work"), *Run.State.choices], required=False, label="State"
    )
    mode = forms.ChoiceField(choices=[("", "Both"), *MODES], required=False, label="Mode")
    tag = forms.ChoiceField(required=False, label="Tag")
    shown = forms.ChoiceField(
        choices=[(CURRENT, "Not archived"), (ARCHIVED, "Archived"), (ALL, "All")], required=False, label="Shown"
    )
    sort = forms.CharField(required=False, max_length=140, widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any], *, models: QuerySet[RegisteredModel], tags: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(data, auto_id="filter_%s", **kwargs)
        fields: dict[str, Any] = self.fields
        fields["model"].queryset = models
        if tags:
            fields["tag"].choices = [("", "Any tag"), *((tag, tag) for tag in tags)]
        else:
            del fields["tag"]

    def chosen(self) -> RunQuery:
        """Return the filters that are set and valid."""
        self.full_clean()
        given = self.cleaned_data
        words = {name: given.get(name, "") for name in ("state", "mode", "tag", "search", "shown", "sort")}
        return RunQuery(model=given.get("model"), **words)
