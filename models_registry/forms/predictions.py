"""Asking the deployed model from a page: one field for each feature of an event, and the label that came later."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ops_portal.forms import CodeArea
from projects.labels import typed_label
from projects.models import Project, Task
from projects.payload import MAX_TEXT, PayloadError, read_features, read_label

#: More features than this are edited as JSON: nobody fills in a hundred fields.
MOST_FIELDS = 40
LARGEST_KEY = 2**63 - 1
#: More classes than this are typed, not chosen.
MOST_CHOICES = 30
BOOLEANS = [("", "left out"), ("true", "true"), ("false", "false")]


class NumberField(forms.Field):
    """A number as JSON has them: whole where it is written whole."""

    widget = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})

    def to_python(self, value: Any) -> int | float | None:
        """Read a whole number, else any finite one."""
        text = str(value).strip() if value is not None else ""
        if not text:
            return None
        try:
            found = int(text) if len(text) < 30 and text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise ValidationError("Enter a number.")
        return found


class FeaturesForm(forms.Form):
    """The features of an event like `example`. A field left empty is left out of the event."""

    like = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY, widget=forms.HiddenInput)

    def __init__(self, *args: Any, example: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names: dict[str, str] = {}
        if not example or len(example) > MOST_FIELDS:
            text = json.dumps(example, indent=2, ensure_ascii=False) if example else '{\n  "feature": 1\n}'
            help_text = "A JSON object: names with numbers, texts, true, false or null."
            self.fields["features"] = forms.CharField(initial=text, widget=CodeArea, help_text=help_text)
            return
        for place, (name, value) in enumerate(example.items()):
            # Feature names are data: they may hold anything, so the fields are numbered.
            key = f"feature-{place}"
            self.names[key] = name
            self.fields[key] = _field_for(name, value)

    @property
    def feature_fields(self) -> list[forms.BoundField]:
        """The fields that people see, in the order of the features."""
        return [self[name] for name in self.fields if name != "like"]

    def clean(self) -> dict[str, Any]:
        """Put the event together and hold it to the rules for events."""
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        try:
            given["event"] = read_features(self._features(given))
        except PayloadError as wrong:
            raise ValidationError(str(wrong)) from wrong
        except (ValueError, RecursionError) as wrong:
            raise ValidationError("This is not a JSON object.") from wrong
        return given

    def _features(self, given: Mapping[str, Any]) -> Any:
        if "features" in self.fields:
            return json.loads(given["features"])
        values = {name: given.get(key) for key, name in self.names.items()}
        return {name: value for name, value in values.items() if value is not None and value != ""}


def _field_for(name: str, value: Any) -> forms.Field:
    if isinstance(value, bool):
        return forms.TypedChoiceField(
            label=name,
            required=False,
            choices=BOOLEANS,
            coerce=lambda text: text == "true",
            empty_value=None,
            initial="true" if value else "false",
        )
    if isinstance(value, int | float):
        return NumberField(label=name, required=False, initial=value)
    return forms.CharField(label=name, required=False, strip=False, max_length=MAX_TEXT, initial=value)


class Suggesting(forms.TextInput):
    """A text field that suggests what was entered before, by the browser's own list."""

    def __init__(self, suggestions: list[str]) -> None:
        super().__init__({"autocomplete": "off"})
        self.suggestions = suggestions

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Draw the field and its list."""
        own = self.build_attrs(self.attrs, attrs)
        place = f"{own.get('id', name)}-known"
        field = super().render(name, value, {**(attrs or {}), "list": place}, renderer)
        options = format_html_join("", "<option{}></option>", ((flatatt({"value": one}),) for one in self.suggestions))
        return format_html('{}<datalist id="{}">{}</datalist>', field, place, options)


class LabelForm(forms.Form):
    """What the truth turned out to be: one of the classes, or a value of the label's type."""

    id = forms.CharField(max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        self.fields["label"] = self._field()

    def _field(self) -> forms.Field:
        name = f"The true {self.project.label_name}"
        if self.project.task == Task.REGRESSION:
            return NumberField(label=name)
        known = list(self.project.label_classes)
        if self.project.label_type == "boolean":
            known = [True, False]
        complete = self.project.task == Task.BINARY and len(known) == 2
        if complete:
            return forms.ChoiceField(label=name, choices=[(json.dumps(one), _plain(one)) for one in known])
        return forms.CharField(
            label=name, max_length=200, widget=Suggesting([_plain(one) for one in known[:MOST_CHOICES]])
        )

    def clean_label(self) -> object:
        """Return the label with the type the project's labels have."""
        given = self.cleaned_data["label"]
        try:
            return read_label(self._typed(given), self.project.task)
        except PayloadError as wrong:
            raise ValidationError(wrong.problem.capitalize() + ".") from wrong

    def _typed(self, given: Any) -> object:
        if not isinstance(given, str):
            return given
        if isinstance(self.fields["label"], forms.ChoiceField):
            return json.loads(given)
        return typed_label(given, self.project.task, self.project.label_type)


def _plain(label: object) -> str:
    return label if isinstance(label, str) else json.dumps(label)
