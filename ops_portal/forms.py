"""How every form is drawn by default: `{{ form }}`, `{{ form.name.as_field_group }}`; and its errors as texts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Renders forms and fields with the templates of the design system."""

    form_template_name = "components/form/_form.html"
    formset_template_name = "components/form/_formset.html"
    field_template_name = "components/_field.html"


class ChoiceList(forms.RadioSelect):
    """Radio buttons one under the other, each a card that can be pressed; `helps` explains the values."""

    template_name = "components/form/_choice_list.html"
    option_template_name = "components/form/_choice_card.html"

    def __init__(self, *args: Any, helps: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helps = helps or {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["help"] = self.helps.get(str(value), "")
        return option


class Segmented(forms.RadioSelect):
    """A few short answers side by side, such as yes / partly / no."""

    template_name = "components/form/_segmented_widget.html"


class CodeArea(forms.Textarea):
    """Text that a machine reads: monospaced, without spell checking."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "mono", "spellcheck": "false", "autocapitalize": "off", "rows": 12, **(attrs or {})})


def texts_of_errors(form: forms.Form) -> dict[str, list[str]]:
    """Everything that is wrong in a form, by field."""
    return {name: [str(one) for one in messages] for name, messages in form.errors.items()}
