"""Describing a model: its name, and its spec as JSON text whose faults are named by their place."""

from __future__ import annotations

from typing import Any

from django import forms

from models_registry.forms.specs import read_spec
from ops_portal.forms import CodeArea


class ModelForm(forms.Form):
    """A new model. The spec never changes afterwards, which is why it is checked before anything is kept."""

    name = forms.CharField(max_length=80, help_text="What you will call it in runs, versions and deployments.")
    spec = forms.CharField(
        label="Spec",
        widget=CodeArea({"rows": 18, "aria-label": "Spec, as JSON"}),
        help_text="River classes by name, one step after the other. The last step predicts.",
    )
    note = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
        help_text="Why this model, for whoever reads it later.",
    )

    def __init__(self, *args: Any, task: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.task = task

    def clean_spec(self) -> dict[str, Any]:
        """Return the spec itself, or name each fault with its place."""
        reading = read_spec(self.cleaned_data["spec"], self.task)
        if reading.spec is None:
            raise forms.ValidationError([str(fault) for fault in reading.faults])
        return reading.spec
