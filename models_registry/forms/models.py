"""Describing a model: its name, and its spec as JSON text whose faults are named by their place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms

from models_registry.learning.errors import Fault, SpecError
from models_registry.learning.spec import MAX_BYTES, validate
from ops_portal.forms import CodeArea

INDENT = 2


@dataclass(frozen=True)
class SpecReading:
    """What a text says as a spec: the spec when it is one, else everything that is wrong with it."""

    spec: dict[str, Any] | None
    faults: tuple[Fault, ...] = ()


def read_spec(text: str, task: str) -> SpecReading:
    """Read a spec from JSON text and check it for a task; every fault found comes back, none is raised."""
    if not text.strip():
        return SpecReading(None, (Fault("", "Write a spec, or start from a template."),))
    if len(text) > MAX_BYTES:
        return _wrong(f"It is {len(text):,} characters long; at most {MAX_BYTES:,} are allowed.")
    try:
        spec = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
        validate(spec, task)
    except json.JSONDecodeError as wrong:
        return _wrong(f"This is not JSON yet, at line {wrong.lineno}, column {wrong.colno}: {wrong.msg}.")
    except SpecError as wrong:
        return SpecReading(None, tuple(wrong.errors))
    except RecursionError:
        return _wrong("It is nested too deeply.")
    except ValueError:
        return _wrong("It holds a number with thousands of digits.")
    return SpecReading(spec)


def show_spec(spec: dict[str, Any]) -> str:
    """Write a spec the way people edit it."""
    return json.dumps(spec, indent=INDENT, ensure_ascii=False)


def _wrong(message: str) -> SpecReading:
    return SpecReading(None, (Fault("", message),))


def _refuse_constant(name: str) -> None:
    raise SpecError("", f"{name} is not a JSON number.")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice in one object: JSON would silently keep only the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise SpecError("", f'The key "{twice}" stands twice in one object.')
    return found


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
