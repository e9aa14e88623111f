"""Forms for bringing data in."""

from __future__ import annotations

from typing import Any

from django import forms

from ops_portal.forms import Segmented
from projects.bundled import DataSet
from projects.csv_files.guess import DELIMITERS, ENCODINGS, Preview
from projects.csv_files.plan import BOOLEAN, ID, LABEL, LABEL_TIME, NUMBER, SKIP, TEXT, TIME, CsvPlan
from projects.models import Project
from projects.services.imports import MAX_FILE, MAX_RATE
from projects.synthetic import ABRUPT, GRADUAL, MAX_EVENTS, MAX_SEED, NO_DRIFT, Recipe, SyntheticStream

USES = (
    ("Feature", ((NUMBER, "Number"), (TEXT, "Text"), (BOOLEAN, "True or false"))),
    (
        "Other",
        ((LABEL, "Label"), (ID, "Event id"), (TIME, "Event time"), (LABEL_TIME, "Label time"), (SKIP, "Leave out")),
    ),
)
LABEL_TYPES = {
    "binary": (("boolean", "True or false"), ("integer", "0 and 1"), ("text", "Two texts")),
    "multiclass": (("text", "Texts"), ("integer", "Whole numbers"), ("boolean", "True or false")),
    "regression": (("number", "Numbers"),),
}


class UploadForm(forms.Form):
    """Takes a file."""

    file = forms.FileField(
        label="File",
        max_length=200,
        allow_empty_file=True,  # told in the preview, in the same words as every other unreadable file
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.ndjson,.jsonl,.json,.parquet,.pq"}),
        help_text="CSV with a header line, NDJSON or Parquet; one row per event, oldest first."
        f" Up to {MAX_FILE >> 20} MB.",
    )


class CsvReadingForm(forms.Form):
    """How the text of a file is split; changing it reads the file again."""

    encoding = forms.ChoiceField(choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(
        label="Columns are split by",
        choices=[("tab" if mark == "\t" else mark, name.capitalize()) for mark, name in DELIMITERS.items()],
    )

    @staticmethod
    def initial_of(plan: CsvPlan) -> dict[str, str]:
        """Return the form's values for `plan`."""
        return {"encoding": plan.encoding, "delimiter": "tab" if plan.delimiter == "\t" else plan.delimiter}

    def clean_delimiter(self) -> str:
        given = str(self.cleaned_data["delimiter"])
        return "\t" if given == "tab" else given


class CsvPlanForm(forms.Form):
    """Confirms what each column of a file is. Its fields follow from the file: `use-0`, `use-1` ..."""

    label_type = forms.ChoiceField(label="The label is")
    decimal = forms.ChoiceField(label="Decimal mark", choices=[(".", "Point (3.14)"), (",", "Comma (3,14)")])
    missing = forms.CharField(
        label="Read as missing",
        required=False,
        max_length=200,
        help_text="Besides empty values, separated by commas. Missing values are left out of the event.",
    )

    def __init__(self, *args: Any, preview: Preview, project: Project, **kwargs: Any) -> None:
        plan = preview.plan
        initial = {
            "label_type": plan.label_type,
            "decimal": plan.decimal,
            "missing": ", ".join(plan.missing),
            **{f"use-{number}": use for number, (_, use) in enumerate(plan.columns)},
        }
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.preview = preview
        kinds = LABEL_TYPES[project.task]
        if project.label_type:
            # The first label decided: the others have to be like it.
            kinds = tuple(kind for kind in kinds if kind[0] == project.label_type) or kinds
        label_type = self.fields["label_type"]
        assert isinstance(label_type, forms.ChoiceField)
        label_type.choices = kinds
        if not plan.delimiter:
            del self.fields["decimal"]  # only CSV has numbers as texts
        if plan.events:
            del self.fields["label_type"], self.fields["missing"]
            return
        for number, column in enumerate(preview.columns):
            self.fields[f"use-{number}"] = forms.ChoiceField(
                label=column.name,
                choices=USES,
                widget=forms.Select(attrs={"aria-label": f"Column {column.name} is"}),
            )

    def columns(self) -> list[tuple[Any, Any]]:
        """Return the columns of the file, each with the field that says what it is."""
        if self.preview.plan.events:
            return [(column, None) for column in self.preview.columns]
        return [(column, self[f"use-{number}"]) for number, column in enumerate(self.preview.columns)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.preview.plan.events:
            return cleaned
        uses = [cleaned.get(f"use-{number}") for number in range(len(self.preview.columns))]
        for use, what in ((LABEL, "label"), (ID, "id"), (TIME, "event time"), (LABEL_TIME, "label time")):
            if uses.count(use) > 1:
                self.add_error(None, f"{uses.count(use)} columns are marked as the {what}; choose one of them.")
        if not any(use in {NUMBER, TEXT, BOOLEAN} for use in uses):
            self.add_error(None, "Mark at least one column as a feature: a number, a text, or true or false.")
        return cleaned

    def plan(self) -> CsvPlan:
        """Return how the file is to be read, after the form was found valid."""
        cleaned, seen = self.cleaned_data, self.preview.plan
        if seen.events:
            return seen
        return CsvPlan(
            seen.encoding,
            seen.delimiter,
            [(name, cleaned[f"use-{number}"]) for number, (name, _) in enumerate(seen.columns)],
            cleaned["label_type"],
            cleaned.get("decimal", seen.decimal),
            tuple(word.strip() for word in cleaned["missing"].split(",") if word.strip()),
        )


def _predict_first() -> forms.BooleanField:
    return forms.BooleanField(
        label="Predict first",
        required=False,
        help_text="Ask what is deployed for each event some seconds before its label comes, as in real use: its live"
        " metric and timeline show how that went. Needs a rate.",
    )


class BundledForm(forms.Form):
    """Starts a bundled data set."""

    data_set = forms.ChoiceField(label="Data set")
    events = forms.IntegerField(
        label="How many events",
        required=False,
        min_value=1,
        help_text="The first so many; all of them when left empty.",
    )
    rate = forms.FloatField(
        label="Events per second",
        required=False,
        min_value=0,
        max_value=MAX_RATE,
        help_text="Empty: as fast as possible. A small number makes a stream that keeps flowing while you watch.",
    )
    predict = _predict_first()

    def __init__(self, *args: Any, data_sets: list[DataSet], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["data_set"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(data_set.name, data_set.title) for data_set in data_sets]


class SyntheticForm(forms.Form):
    """Starts a synthetic stream."""

    stream = forms.ChoiceField(label="Stream")
    drift = forms.ChoiceField(
        choices=[(NO_DRIFT, "None"), (ABRUPT, "Abrupt"), (GRADUAL, "Gradual")], initial=ABRUPT, widget=Segmented
    )
    drift_at = forms.IntegerField(
        label="Drift at event",
        required=False,
        min_value=1,
        max_value=MAX_EVENTS,
        help_text="Half of all events when left empty.",
    )
    drift_width = forms.IntegerField(
        label="Over how many events",
        required=False,
        min_value=1,
        max_value=MAX_EVENTS,
        help_text="For a gradual drift; a fifth of all when left empty.",
    )
    events = forms.IntegerField(label="How many events", min_value=1, max_value=MAX_EVENTS, initial=10_000)
    rate = forms.FloatField(
        label="Events per second",
        required=False,
        min_value=0,
        max_value=MAX_RATE,
        initial=50,
        help_text="Empty: as fast as possible. It can be changed while the stream flows.",
    )
    predict = _predict_first()
    seed = forms.IntegerField(
        min_value=0, max_value=MAX_SEED, initial=42, help_text="The same seed makes the same events."
    )

    def __init__(self, *args: Any, streams: list[SyntheticStream], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["stream"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(stream.name, stream.title) for stream in streams]
        self.streams = {stream.name: stream for stream in streams}

    def recipe(self) -> Recipe:
        """Return what was asked for, after the form was found valid."""
        given = self.cleaned_data
        # A stream that drifts all the time has no drift to choose.
        drift = given["drift"] if self.streams[given["stream"]].drift else NO_DRIFT
        return Recipe(
            given["stream"],
            given["seed"],
            drift,
            0 if drift == NO_DRIFT else given["drift_at"] or max(1, given["events"] // 2),
            0 if drift != GRADUAL else given["drift_width"] or max(1, given["events"] // 5),
        )


class RateForm(forms.Form):
    """Changes how fast a stream flows."""

    rate = forms.FloatField(
        label="Events per second", min_value=0, max_value=MAX_RATE, help_text="0: as fast as possible."
    )
