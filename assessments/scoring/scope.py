"""The scope of a project: nine factors with fixed, worded anchors, each turned into a position between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Level:
    """One worded point on a factor's scale."""

    value: float
    words: str


@dataclass(frozen=True, slots=True)
class Factor:
    r"""One thing about a project that moves the need for MLOps.

    A raw value x becomes a position

    $$u = \mathrm{clip}\left(\frac{t(x) - t(lo)}{t(hi) - t(lo)},\ 0,\ 1\right)$$

    with t the identity or the logarithm. Anchors are fixed and never rescaled to the projects at hand, because a scale
    that moves with its cases lets one project's answer change another's result.

    Parameters
    ----------
    name
        Key of the factor.
    title
        What people read.
    low, high
        Anchors, in `unit`. Values beyond them are allowed and count as the anchor.
    scale
        ``"linear"`` or ``"log"``.
    unit
        Unit of the raw value.
    phrase, singular
        The value as a short phrase for sentences, with a `{}` for the number, and the phrase for exactly one. Without a
        phrase the words of the nearest level are used.
    rare
        For small rates: below which value, times what, in which phrase.
    minimum, maximum
        Limits outside which a value makes no sense.
    levels
        Worded points; for a declared factor the only values offered.
    counted
        Whether telemetry counts events over a period, so that a measured rate has an error of its own.
    declared
        Whether only the worded levels can be chosen.
    whole
        Whether the raw value counts things and so is a whole number.

    Examples
    --------
    >>> deployments = FACTORS[0]
    >>> deployments.position(7), deployments.position(1 / 26), round(deployments.position(0.5), 2)
    (1.0, 0.0, 0.49)

    """

    name: str
    title: str
    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""
    phrase: str = ""
    singular: str = ""
    rare: tuple[float, float, str] | None = None
    minimum: float = 0.0
    maximum: float = math.inf
    levels: tuple[Level, ...] = ()
    counted: bool = False
    declared: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.scale == "log" and self.low <= 0):
            raise ValueError(f"{self.name}: anchors {self.low:g} and {self.high:g} do not make a {self.scale} scale")

    def position(self, value: float) -> float:
        """Position of one raw value between the anchors."""
        return float(self.positions(np.asarray(value)))

    def positions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions of an array of raw values."""
        held = np.clip(values, self.low, self.high)
        low, high = self.low, self.high
        if self.scale == "log":
            held, low, high = np.log(held), math.log(low), math.log(high)
        return np.asarray((held - low) / (high - low), dtype=np.float64)

    def raw(self, position: float) -> float:
        """The raw value at a position; the inverse of `position` between the anchors."""
        if self.scale == "log":
            return float(self.low * (self.high / self.low) ** position)
        return self.low + (self.high - self.low) * position

    def reached(self, position: float, rising: bool) -> float:
        """The raw value at which a position is passed: the next level or whole number where only those exist."""
        value = self.raw(position)
        if self.whole:
            return float(math.ceil(value - 1e-9) if rising else math.floor(value + 1e-9))
        if not self.declared:
            return value
        levels = sorted((level.value for level in self.levels), reverse=not rising)
        beyond = (level for level in levels if (level >= value if rising else level <= value))
        return next(beyond, levels[-1])

    def check(self, value: float) -> float:
        """Return the value, or raise `ValueError` with a sentence the user can act on."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"{self.name}: expected a number, got {value!r}")
        if not self.minimum <= value <= self.maximum:
            upper = f" to {self.maximum:g}" if math.isfinite(self.maximum) else " or more"
            raise ValueError(f"{self.name}: expected {self.minimum:g}{upper}, got {value:g}")
        return float(value)

    def say(self, value: float) -> str:
        """The value in words, e.g. ``3 models in production``."""
        if not self.phrase:
            return min(self.levels, key=lambda level: abs(level.value - value)).words
        if self.rare and 0 < value < self.rare[0]:
            return self.rare[2].format(_number(value * self.rare[1]))
        return self.singular if value == 1 and self.singular else self.phrase.format(_number(value))


def _number(value: float) -> str:
    if value == 0:
        return "no"
    if abs(value - round(value)) < 1e-9 or abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


FACTORS: tuple[Factor, ...] = (
    Factor(
        "deployments_per_week", "Deployments per week", 1 / 26, 7, "log", "per week", "{} deployments a week",
        "one deployment a week", (0.5, 52, "{} deployments a year"),
        levels=(
            Level(1 / 26, "twice a year or less"),
            Level(0.25, "about once a month"),
            Level(1, "once a week"),
            Level(7, "daily or more often"),
        ),
        counted=True,
    ),
    Factor(
        "manual_steps", "Manual steps per deployment", 0, 15, "linear", "steps", "{} manual steps per deployment",
        "one manual step per deployment",
        levels=(Level(0, "no manual step"), Level(15, "fifteen or more manual steps")),
        whole=True,
    ),
    Factor(
        "rollbacks_per_month", "Rollbacks or failed releases per month", 0, 4, "linear", "per month",
        "{} rollbacks or failed releases a month", "one rollback or failed release a month",
        levels=(Level(0, "none"), Level(1, "one a month"), Level(4, "one a week or more")),
        counted=True,
    ),
    Factor(
        "hours_to_restore", "Hours to restore service", 1, 168, "log", "hours", "{} hours to restore service",
        "one hour to restore service",
        levels=(Level(1, "within the hour"), Level(24, "within a day"), Level(168, "a week or more")),
    ),
    Factor(
        "criticality", "Criticality", 1, 5, "linear", "", "criticality {} of 5", "", None, 1, 5,
        levels=(
            Level(1, "an experiment nobody depends on"),
            Level(2, "a convenience; errors annoy"),
            Level(3, "daily work depends on it; errors cost time"),
            Level(4, "revenue or customers depend on it"),
            Level(5, "errors harm people or the organisation"),
        ),
        declared=True,
    ),
    Factor(
        "models_in_production", "Models in production", 1, 20, "log", "models", "{} models in production",
        "one model in production",
        levels=(Level(1, "one, or none yet"), Level(20, "twenty or more")),
        whole=True,
    ),
    Factor(
        "drift_alarms_per_month", "Drift alarms per month", 0, 8, "linear", "per month", "{} drift alarms a month",
        "one drift alarm a month",
        levels=(Level(0, "none"), Level(4, "one a week"), Level(8, "two a week or more")),
        counted=True,
    ),
    Factor(
        "people", "People changing the system", 1, 12, "log", "people", "{} people changing the system",
        "one person changing the system",
        levels=(Level(1, "one person"), Level(12, "twelve or more people")),
        whole=True,
    ),
    Factor(
        "regulated", "Regulated", 0, 1, "linear", "", "", "", None, 0, 1,
        levels=(
            Level(0, "no regulation"),
            Level(0.5, "partial regulation or customers' audits"),
            Level(1, "strict regulation"),
        ),
        declared=True,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured count and the length of the period, in the factor's own unit of time (weeks or months)."""

    count: int
    periods: float

    def __post_init__(self) -> None:
        if self.count < 0 or not self.periods > 0:
            raise ValueError(f"expected a count >= 0 over a period > 0, got {self.count} over {self.periods:g}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known about a project's scope.

    A factor that is missing or ``None`` is unknown. It is left out, and the other factors speak for it; it never counts
    as zero.

    Parameters
    ----------
    values
        Raw value per factor name.
    first_version
        Whether the first version has not been released yet.
    measured
        Telemetry for counted factors.

    Examples
    --------
    >>> scope = Scope.of(first_version=True, models_in_production=1, people=2)
    >>> scope.values["people"], scope.unknown(FACTORS)[:2]
    (2, ('deployments_per_week', 'manual_steps'))
    >>> Scope.of(criticality=9).check(FACTORS)
    Traceback (most recent call last):
    ...
    ValueError: criticality: expected 1 to 5, got 9

    """

    values: Mapping[str, float | None]
    first_version: bool = False
    measured: Mapping[str, Measurement] = field(default_factory=dict)

    @classmethod
    def of(cls, *, first_version: bool = False, **values: float | None) -> Scope:
        """Build a scope from keyword arguments."""
        return cls(dict(values), first_version)

    def check(self, factors: tuple[Factor, ...]) -> Scope:
        """Return the scope, or raise `ValueError` naming the factor and what is wrong with it."""
        names = {factor.name: factor for factor in factors}
        for name, value in self.values.items():
            if name not in names:
                raise ValueError(f'unknown scope factor "{name}"')
            if value is not None:
                names[name].check(value)
        for name in self.measured:
            if name not in names or not names[name].counted:
                raise ValueError(f'"{name}" is not a factor that is counted over time')
        return self

    def uses_measurement(self, name: str, rule: str) -> bool:
        """Whether a factor is read from telemetry: where nothing was declared, or by the rule ``"measured"``."""
        return name in self.measured and (self.values.get(name) is None or rule == "measured")

    def value(self, name: str, rule: str) -> float | None:
        """The raw value of a factor, declared or measured, or ``None`` if it is unknown."""
        if self.uses_measurement(name, rule):
            return self.measured[name].count / self.measured[name].periods
        return self.values.get(name)

    def unknown(self, factors: tuple[Factor, ...]) -> tuple[str, ...]:
        """Names of the factors nothing is known about."""
        return tuple(f.name for f in factors if self.values.get(f.name) is None and f.name not in self.measured)

    def to_json(self) -> dict[str, Any]:
        """The scope as plain dictionaries and numbers."""
        return {
            "values": dict(self.values),
            "first_version": self.first_version,
            "measured": {name: {"count": m.count, "periods": m.periods} for name, m in self.measured.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scope:
        """The inverse of `to_json`."""
        return cls(
            values=dict(data["values"]),
            first_version=bool(data.get("first_version", False)),
            measured={name: Measurement(**entry) for name, entry in data.get("measured", {}).items()},
        )


# Three made-up projects to show, to document and to test with. They are the portal's own and describe nobody.
LARGE = Scope.of(
    deployments_per_week=7, manual_steps=12, rollbacks_per_month=2, hours_to_restore=24, criticality=5,
    models_in_production=12, drift_alarms_per_month=4, people=8, regulated=0.5,
)  # fmt: skip
PLANNED = Scope.of(
    deployments_per_week=1, manual_steps=10, rollbacks_per_month=1, hours_to_restore=12, criticality=3,
    models_in_production=4, drift_alarms_per_month=2, people=5, regulated=0,
)  # fmt: skip
FIRST = Scope.of(
    first_version=True, deployments_per_week=1 / 26, manual_steps=5, rollbacks_per_month=0, hours_to_restore=24,
    criticality=2, models_in_production=1, drift_alarms_per_month=0, people=3, regulated=0,
)  # fmt: skip
EXAMPLES: Mapping[str, Scope] = {"large": LARGE, "planned": PLANNED, "first": FIRST}
