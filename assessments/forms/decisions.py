"""Forms for deciding and sharing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User

from assessments.models import Decision
from assessments.services.decisions import DecisionDraft
from ops_portal.errors import UserError
from ops_portal.forms import Segmented


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of people by the names they go by."""

    def label_from_instance(self, obj: Any) -> str:
        """The full name, else the user name."""
        return str(obj.get_full_name() or obj.get_username())


class DecisionForm(forms.Form):
    """A short decision record."""

    choice = forms.ChoiceField(
        choices=Decision.Choice.choices,
        widget=Segmented,
        label="Decision",
        error_messages={"required": "Choose one of the three."},
    )
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Reason",
        help_text="Context, decision, consequences: two sentences are enough.",
        error_messages={"required": "Give the reason: it is what the next panel will want."},
    )
    owner = PersonField(queryset=User.objects.none(), required=False, label="Who sees to it", empty_label="Nobody yet")
    due = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}), label="Until")
    adopted_on = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        label="In place since",
        help_text="The records before and after are compared from this day on.",
    )
    effort_planned = forms.FloatField(required=False, min_value=0, max_value=100_000, label="Days planned")
    effort_spent = forms.FloatField(required=False, min_value=0, max_value=100_000, label="Days spent so far")

    def __init__(self, *args: Any, members: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = members  # type: ignore[attr-defined]

    def refuse(self, wrong: UserError) -> None:
        """Show beside the fields what a service has refused; everything typed stays."""
        for name, text in wrong.fields.items() or [(None, wrong.message)]:
            self.add_error(name, str(text))

    @property
    def draft(self) -> DecisionDraft:
        """The decision, once the form is valid."""
        return DecisionDraft(**self.cleaned_data)


class ShareForm(forms.Form):
    """A read-only link."""

    name = forms.CharField(max_length=80, label="For whom", help_text="To find the link again when it should end.")
    days = forms.IntegerField(min_value=1, max_value=365, initial=30, label="Days it works")
