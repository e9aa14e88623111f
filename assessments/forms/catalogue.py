"""Forms of a team's catalogue: a principle with its sentences and practices, publishing, importing, sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from assessments.forms.answers import WebLinkField
from assessments.principles import Catalogue, Principle, Statement
from assessments.principles.catalogue import Defaults, Practice
from assessments.principles.compare import SECTION_TITLES
from assessments.services.catalogue_edits import Figures, LightDraft, PrincipleDraft, Sentence

EFFORTS = ("low", "likely", "high")
TWO_LINES = {"rows": 2}


class SentenceForm(forms.Form):
    """One sentence with the tags of its sources; an empty one is left out."""

    id = forms.CharField(required=False, max_length=120, widget=forms.HiddenInput)
    text = forms.CharField(required=False, max_length=400, widget=forms.Textarea(attrs=TWO_LINES), label="Text")
    sources = forms.CharField(required=False, max_length=200, label="Sources")

    def __init__(self, *args: Any, tags: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tags = tags

    def clean_sources(self) -> tuple[str, ...]:
        """Split the tags; each must be among the sources, since readers look them up there."""
        said = [one.strip() for one in re.split(r"[,;]", self.cleaned_data["sources"]) if one.strip()]
        for one in said:
            if one.partition(" ")[0] not in self.tags:
                raise forms.ValidationError(f"“{one}” is not among the sources. Add it to them first.")
        return tuple(said)

    @property
    def said(self) -> Sentence | None:
        """The sentence, once the form is valid; None where it was left empty or taken out."""
        data = self.cleaned_data
        if data.get("DELETE") or not data.get("text", "").strip():
            return None
        return Sentence(data["text"], data.get("sources") or (), data.get("id", ""))


SentenceFormSet = forms.formset_factory(SentenceForm, extra=1, can_delete=True, max_num=60)


def sentence_rows(
    name: str, data: Any, initial: Sequence[Statement | Practice], catalogue: Catalogue
) -> forms.BaseFormSet[SentenceForm]:
    """The rows of one list of sentences, with an empty one at the end."""
    rows = [
        {
            "id": getattr(one, "id", ""),
            "text": one.text,
            "sources": ", ".join(str(source) for source in one.sources),
        }
        for one in initial
    ]
    tags = [source.tag for source in catalogue.sources]
    return SentenceFormSet(data, prefix=name, initial=rows, form_kwargs={"tags": tags})


class FiguresForm(forms.Form):
    """What a principle is assumed to bring and to cost until a panel has spoken."""

    def __init__(self, *args: Any, catalogue: Catalogue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in EFFORTS:
            self.fields[f"effort_{name}"] = forms.FloatField(
                min_value=0, max_value=1000, label=name.capitalize(), required=False
            )
        for benefit in catalogue.benefits:
            self.fields[f"rating_{benefit.key}"] = forms.FloatField(
                min_value=0, max_value=4, required=False, label=benefit.name
            )

    @property
    def efforts(self) -> list[forms.BoundField]:
        """The three estimates."""
        return [self[f"effort_{name}"] for name in EFFORTS]

    @property
    def ratings(self) -> list[forms.BoundField]:
        """One field per benefit."""
        return [self[name] for name in self.fields if name.startswith("rating_")]

    def figures(self, serves: Sequence[str]) -> Figures:
        """What was typed; a rating counts for a benefit that is served, an estimate left out is zero days."""
        data = self.cleaned_data
        low, likely, high = (data.get(f"effort_{name}") or 0.0 for name in EFFORTS)
        return Figures({key: data.get(f"rating_{key}") or 0.0 for key in serves}, (low, likely, high))

    @staticmethod
    def starting(one: Defaults) -> dict[str, str]:
        """The values of `one`."""
        efforts = zip(EFFORTS, (one.effort.low, one.effort.likely, one.effort.high), strict=True)
        ratings = {f"rating_{key}": f"{value:g}" for key, value in one.ratings.items()}
        return {f"effort_{name}": f"{days:g}" for name, days in efforts} | ratings


class PrincipleForm(forms.Form):
    """Name, definition, what it brings and needs, and its light level by name."""

    name = forms.CharField(max_length=80, label="Name")
    definition = forms.CharField(
        max_length=600,
        widget=forms.Textarea(attrs=TWO_LINES),
        label="Definition",
        help_text="One sentence: what holds where the principle is adopted.",
    )
    serves = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="Benefits it can bring",
        error_messages={"required": "Choose at least one benefit it brings."},
    )
    requires = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="What it needs first"
    )
    light_name = forms.CharField(required=False, max_length=80, label="Name of the light level")
    light_text = forms.CharField(
        required=False,
        max_length=400,
        widget=forms.Textarea(attrs=TWO_LINES),
        label="What it is",
        help_text="A version for one or two days; the whole principle is then what comes on top. Leave empty for none.",
    )

    def __init__(self, *args: Any, catalogue: Catalogue, slug: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [(one.slug, one.name) for one in catalogue.principles if one.slug != slug]
        self.fields["serves"].choices = [(one.key, one.name) for one in catalogue.benefits]  # type: ignore[attr-defined]
        self.fields["requires"].choices = others  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A light level needs both its name and what it is."""
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("light_name")) != bool(cleaned.get("light_text")):
            self.add_error("light_text", "A light level needs a name and what it is, or neither.")
        return cleaned


class PrinciplePage:
    """All forms of one principle together, as its page has them."""

    def __init__(
        self, data: Any, *, catalogue: Catalogue, principle: Principle | None, retired: Sequence[Practice] = ()
    ) -> None:
        back = data.getlist("back") if data else []
        self.back = tuple(Sentence(one.text, tuple(map(str, one.sources)), one.id) for one in retired if one.id in back)
        slug = principle.slug if principle else ""
        initial: dict[str, object] = {}
        light = principle.light if principle else None
        if principle:
            initial = {name: getattr(principle, name) for name in ("name", "definition", "serves", "requires")}
            initial |= {"light_name": light.name, "light_text": light.text} if light else {}
        self.main = PrincipleForm(data, catalogue=catalogue, slug=slug, initial=initial)
        self.figures = FiguresForm(
            data,
            catalogue=catalogue,
            prefix="full",
            initial=FiguresForm.starting(principle.defaults) if principle else {},
        )
        self.light = FiguresForm(
            data, catalogue=catalogue, prefix="light", initial=FiguresForm.starting(light.defaults) if light else {}
        )
        self.practices = sentence_rows("practices", data, principle.practices if principle else (), catalogue)
        self.sections = {
            name: sentence_rows(name, data, getattr(principle, name) if principle else (), catalogue)
            for name in SECTION_TITLES
        }

    @property
    def titled(self) -> list[tuple[str, Any]]:
        """The lists of sentences with their titles."""
        return [(SECTION_TITLES[name], rows) for name, rows in self.sections.items()]

    def is_valid(self) -> bool:
        """Check everything, so that all faults are shown at once."""
        forms_right = [form.is_valid() for form in (self.main, self.figures, self.light)]
        rows_right = [rows.is_valid() for rows in (self.practices, *self.sections.values())]
        return all(forms_right + rows_right)

    @property
    def draft(self) -> PrincipleDraft:
        """What was typed, once valid."""
        said = self.main.cleaned_data
        serves = tuple(said["serves"])
        light = None
        if said["light_name"]:
            light = LightDraft(said["light_name"], said["light_text"], self.light.figures(serves))
        return PrincipleDraft(
            name=said["name"],
            definition=said["definition"],
            serves=serves,
            requires=tuple(said["requires"]),
            figures=self.figures.figures(serves),
            practices=(*_said(self.practices), *self.back),
            light=light,
            sections={name: _said(rows) for name, rows in self.sections.items()},
        )

    def refuse(self, fields: Mapping[str, Any], message: str) -> None:
        """Show what a service refused beside its field, or above the form."""
        name = next((one for one in fields if one in self.main.fields), None)
        self.main.add_error(name, message)


def _said(rows: forms.BaseFormSet[SentenceForm]) -> tuple[Sentence, ...]:
    return tuple(said for form in rows.forms if (said := form.said))


class PublishForm(forms.Form):
    """Publishing a draft."""

    note = forms.CharField(
        required=False,
        max_length=500,
        label="What changed, and why",
        help_text="Shown beside the edition, for whoever reads an assessment made with it.",
    )


class SourceForm(forms.Form):
    """A source of the team's own."""

    tag = forms.CharField(max_length=12, label="Tag", help_text="Such as INC-7; sentences name the source by it.")
    reference = forms.CharField(max_length=500, label="What it is")
    url = WebLinkField(required=False, max_length=500, assume_scheme="https", label="Link")
