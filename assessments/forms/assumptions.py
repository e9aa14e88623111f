"""Every assumption as a field: the settings as JSON, number by number, named by their place in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from assessments.principles import Catalogue
from assessments.scoring.settings import Settings

#: Groups of the form: title and, by setting, the label.
NUMBERS: Mapping[str, Mapping[str, str]] = {
    "What benefits are worth": {
        "full_benefit_days": "Worth of all benefits, person-days a year",
        "remembered_benefit_days": "The same from a remembered case (open: none)",
        "horizon_months": "Horizon, months",
    },
    "What adopting costs": {
        "first_version_delay": "Delay of a first version",
        "upkeep": "Upkeep a year, part of the effort",
        "overrun": "Overrun",
        "budget_days": "Budget, days (open: no limit)",
        "plan_step_days": "Next step in the plan, days",
    },
    "When to adopt": {
        "adopt_now": "Adopt now from",
        "not_yet": "Not worth it yet up to",
        "border": "Borderline within",
        "several_models": "Several models from",
        "continuous_per_week": "Continuous deployment from, a week",
    },
    "How the panel is read": {
        "not_applicable_share": "Does not apply above",
        "consensus_threshold": "Consensus at",
        "maximum_rounds": "Rounds at most",
        "stable_points": "A vote has settled within, points",
        "telemetry_window_days": "Records of the last, days",
    },
    "What is varied, and how often": {
        "draws": "Readings",
        "seed": "Seed",
        "flip_draws": "Readings when looking for flips",
        "flip_steps": "Points per factor when looking for flips",
    },
}
WHOLE = {"maximum_rounds", "telemetry_window_days", "draws", "seed", "flip_draws", "flip_steps"}
#: What may be left open.
OPEN = {"budget_days", "remembered_benefit_days"}
#: Most of what costs time (so many readings are worked out in a worker within seconds), of days back from now, and of
#: a seed that browsers read as it is.
MOST = {
    "draws": 20_000,
    "flip_draws": 2000,
    "flip_steps": 41,
    "maximum_rounds": 10,
    "telemetry_window_days": 3650,
    "seed": 2**53,
}
#: Most of any other number, so that products of several are still numbers.
LARGEST = 1_000_000
LONGEST_REASON = 500
#: Numbers in a list: a plan is worked out for each of its budgets.
MOST_IN_LIST = 20
#: Lists of numbers, written one after the other.
LISTS = {
    "share_map": ("What benefits are worth", "Shares at none, a little, clear, large, decisive"),
    "plan_budgets": ("What adopting costs", "Budgets in the plan, days"),
}
ENDS = ("low", "high")


class NumberListField(forms.CharField):
    """Numbers with spaces or semicolons between them."""

    def clean(self, value: Any) -> list[float]:
        """The numbers."""
        text = super().clean(value)
        try:
            numbers = [float(part) for part in text.replace(";", " ").split()]
        except ValueError as wrong:
            raise forms.ValidationError("Write numbers with spaces between them, such as 0 0.05 0.1.") from wrong
        if not all(0 <= one <= LARGEST for one in numbers):  # NaN is not either
            raise forms.ValidationError(f"Write numbers from 0 to {LARGEST:,}.")
        if len(numbers) > MOST_IN_LIST:
            raise forms.ValidationError(f"These are {len(numbers):,} numbers; at most {MOST_IN_LIST} fit.")
        return numbers


@dataclass(frozen=True)
class Grid:
    """Fields as a table: a row per name, a column per field of it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[forms.BoundField, ...]], ...]


class AssumptionsForm(forms.Form):
    """All assumptions, beginning with those that hold."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        label="Why",
        help_text="Whoever reads the next result will ask.",
        error_messages={"required": "Say why: whoever reads the next result will ask."},
    )
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, settings: Settings, catalogue: Catalogue, number: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.settings, self.catalogue = settings, catalogue
        self.plain: dict[str, Any] = json.loads(json.dumps(settings.to_json()))  # lists instead of tuples
        self.fields["base"].initial = number
        for labels in NUMBERS.values():
            for name, label in labels.items():
                self.fields[name] = self._number((name,), label, required=name not in OPEN)
        for name, (_, label) in LISTS.items():
            self.fields[name] = NumberListField(label=label, initial=" ".join(f"{one:g}" for one in self.plain[name]))
        self.fields["telemetry_rule"] = forms.ChoiceField(
            choices=[("declared", "declared"), ("measured", "measured")],
            label="Where both are there, this value counts",
            initial=settings.telemetry_rule,
        )
        for path in self._paths():
            self.fields["-".join(map(str, path))] = self._number(path, " ".join(map(str, path)))

    @property
    def places(self) -> dict[tuple[Any, ...], str]:
        """Name of the field of each place in the settings that can be changed."""
        single = [name for labels in NUMBERS.values() for name in labels]
        paths = [*((name,) for name in (*single, *LISTS, "telemetry_rule")), *self._paths()]
        return {path: "-".join(map(str, path)) for path in paths}

    def _paths(self) -> list[tuple[Any, ...]]:
        """Places of the numbers that stand in tables."""
        factors = [factor.name for factor in self.settings.factors]
        benefits = self.settings.benefits
        return [
            *(("noise_half_widths", level) for level in ("high", "medium", "low")),
            *(("need_floors", key) for key in benefits),
            *(("need_shares", key, name) for key in benefits for name in factors),
            *(("factors", at, end) for at in range(len(factors)) for end in ENDS),
            *(("sensitivity_ranges", name, at) for name in self.plain["sensitivity_ranges"] for at in (0, 1)),
        ]

    def _number(self, path: tuple[Any, ...], label: str, *, required: bool = True) -> forms.Field:
        kind = forms.IntegerField if path[0] in WHOLE else forms.FloatField
        return kind(
            label=label,
            required=required,
            initial=find(self.plain, path),
            min_value=-LARGEST,
            max_value=MOST.get(path[0], LARGEST),
            widget=forms.NumberInput({"step": "any"}),
        )

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Single numbers and lists by group."""
        groups = {title: [self[name] for name in labels] for title, labels in NUMBERS.items()}
        for name, (title, _) in LISTS.items():
            groups[title].append(self[name])
        groups["How the panel is read"].append(self["telemetry_rule"])
        return list(groups.items())

    @property
    def grids(self) -> list[Grid]:
        """Numbers in tables."""
        titles = {factor.name: factor.title for factor in self.settings.factors}
        names = {benefit.key: benefit.name for benefit in self.catalogue.benefits}
        keys = self.settings.benefits
        columns = tuple(names.get(key, key) for key in keys)
        widths = ("high", "medium", "low")
        return [
            Grid(
                "Share of each factor in the need for each benefit (each column adds up to 1), and the floor",
                ("Factor", *columns),
                (
                    *((titles[f], tuple(self[f"need_shares-{key}-{f}"] for key in keys)) for f in titles),
                    ("Floor of the need", tuple(self[f"need_floors-{key}"] for key in keys)),
                ),
            ),
            Grid(
                "Ends of the scales: no need from the factor, full need",
                ("Factor", "No need at", "Full need at"),
                tuple(
                    (title, tuple(self[f"factors-{at}-{end}"] for end in ENDS))
                    for at, title in enumerate(titles.values())
                ),
            ),
            Grid(
                "How far a rating is varied, in points, by confidence",
                ("Confidence", "High", "Medium", "Low"),
                (("Half-width", tuple(self[f"noise_half_widths-{level}"] for level in widths)),),
            ),
            Grid(
                "Ranges in the sensitivity",
                ("Assumption", "From", "To"),
                tuple(
                    (name.replace("_", " "), tuple(self[f"sensitivity_ranges-{name}-{at}"] for at in (0, 1)))
                    for name in self.plain["sensitivity_ranges"]
                ),
            ),
        ]

    def clean(self) -> dict[str, Any]:
        """Make settings of the numbers; what they refuse is said beside its field, or above the form."""
        said = super().clean() or self.cleaned_data
        if self.errors:
            return said
        plain = copy.deepcopy(self.plain)
        for name in [*(name for labels in NUMBERS.values() for name in labels), *LISTS, "telemetry_rule"]:
            plain[name] = said[name]
        for path in self._paths():
            put(plain, path, said["-".join(map(str, path))])
        # No share is no entry, so that a table left alone is the same table.
        plain["need_shares"] = {
            key: {name: share for name, share in row.items() if share} for key, row in plain["need_shares"].items()
        }
        try:
            self.settings = Settings.from_json(plain)
        except (ValueError, TypeError) as wrong:
            name, _, text = str(wrong).partition(": ")
            self.add_error(name if name in self.fields else None, text if name in self.fields else str(wrong))
        return said


def find(plain: Any, path: tuple[Any, ...]) -> Any:
    """What stands at a place of the settings as JSON."""
    for step in path:
        plain = plain.get(step, 0) if isinstance(plain, dict) else plain[step]
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def put(plain: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value at a place of the settings as JSON."""
    for step in path[:-1]:
        plain = plain[step]
    plain[path[-1]] = value
