"""Every assumption behind a recommendation in one frozen object: shown, changed, stored and hashed as a whole."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import msgspec

from assessments.scoring.scope import FACTORS, Factor

Confidence = Literal["high", "medium", "low"]

# Share of each scope factor in the need for each benefit. The portal's own choice: no source gives such a table. It was
# chosen so that restoring rests on failures and time to restore, deployment on how often one deploys, and so on.
NEED_SHARES: Mapping[str, Mapping[str, float]] = {
    "K1": {"deployments_per_week": 0.25, "manual_steps": 0.45, "models_in_production": 0.15, "people": 0.15},
    "K2": {
        "deployments_per_week": 0.10, "rollbacks_per_month": 0.45, "hours_to_restore": 0.20, "criticality": 0.10,
        "models_in_production": 0.15,
    },
    "K3": {
        "deployments_per_week": 0.55, "manual_steps": 0.10, "rollbacks_per_month": 0.10, "models_in_production": 0.10,
        "people": 0.15,
    },
    "K4": {
        "deployments_per_week": 0.10, "criticality": 0.25, "models_in_production": 0.20, "drift_alarms_per_month": 0.45,
    },
    "K5": {"criticality": 0.20, "models_in_production": 0.15, "people": 0.30, "regulated": 0.35},
}  # fmt: skip

# Need that even the smallest project has: one person with one model still wants yesterday's state back.
NEED_FLOORS: Mapping[str, float] = {"K1": 0.10, "K2": 0.15, "K3": 0.05, "K4": 0.10, "K5": 0.05}


@dataclass(frozen=True, slots=True)
class Settings:
    """Assumptions of the model, versioned with each result.

    Changing one makes a new result and never rewrites an old one. All defaults are the portal's own assumptions.

    Parameters
    ----------
    full_benefit_days
        L: person-days a year it would be worth to a project in full need to have all benefits in full.
    remembered_benefit_days
        The same, asked a second time from a case somebody remembers, or ``None``; it is shown and moves nothing.
    horizon_months
        H: how far ahead savings and upkeep are counted.
    benefits
        Keys of the benefits.
    factors
        Scope factors with anchors and scales.
    need_shares
        a_kf: share of factor f in the need for benefit k; each row adds up to 1.
    need_floors
        m_k: need that is there in any project.
    share_map
        g at ratings 0, 1, 2, 3, 4: the part of a benefit one principle brings by itself; linear in between.
    first_version_delay
        delta: a day spent before the first release costs 1 + delta.
    upkeep
        Effort per year to keep a principle alive, as a part of the effort to adopt it.
    overrun
        Real effort divided by estimated effort.
    noise_half_widths
        Half-width of the triangular noise on a rating, by the expert's confidence.
    adopt_now, not_yet, border
        Limits on the probability of belonging in the best set, and how near to one is "borderline".
    budget_days
        Most effort that can be spent, or ``None``.
    plan_budgets, plan_step_days
        Budgets shown in the plan, and the size of the next step.
    not_applicable_share
        A principle is left out if more than this part of those who answered say it does not apply.
    consensus_threshold, maximum_rounds, stable_points
        When a round's outcome counts as agreed, how many rounds there are, and the largest move of a stable vote.
    expert_weights, pooling, consensus_rule
        Named rules; stored with the result although there is one of each.
    several_models, continuous_per_week
        From how many models, or deployments a week, the starting profile takes a project as large or continuous.
    telemetry_window_days, telemetry_rule
        How far back telemetry counts, and whether the declared or the measured value is used when both are there.
    sensitivity_ranges
        Low and high value per varied assumption. ``weight`` holds factors on each benefit's weight.
    draws, seed
        Monte-Carlo draws and their seed.
    flip_draws, flip_steps
        Draws and points per factor when looking for what would change a verdict.

    Examples
    --------
    >>> settings = Settings(full_benefit_days=200)
    >>> Settings.from_json(settings.to_json()) == settings
    True
    >>> settings.digest() == Settings().digest()
    False
    >>> Settings(adopt_now=1.2)
    Traceback (most recent call last):
    ...
    ValueError: adopt_now: expected 0 <= not_yet <= adopt_now <= 1, got 0.3 and 1.2

    """

    full_benefit_days: float = 300.0
    remembered_benefit_days: float | None = None
    horizon_months: float = 12.0
    benefits: tuple[str, ...] = ("K1", "K2", "K3", "K4", "K5")
    factors: tuple[Factor, ...] = FACTORS
    need_shares: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: NEED_SHARES)
    need_floors: Mapping[str, float] = field(default_factory=lambda: NEED_FLOORS)
    share_map: tuple[float, float, float, float, float] = (0.0, 0.05, 0.10, 0.20, 0.40)
    first_version_delay: float = 1.0
    upkeep: float = 0.20
    overrun: float = 1.0
    noise_half_widths: Mapping[Confidence, float] = field(
        default_factory=lambda: {"high": 0.5, "medium": 1.0, "low": 1.5}
    )
    adopt_now: float = 0.70
    not_yet: float = 0.30
    border: float = 0.05
    budget_days: float | None = None
    plan_budgets: tuple[float, ...] = (10.0, 25.0, 50.0, 80.0)
    plan_step_days: float = 10.0
    not_applicable_share: float = 0.5
    consensus_threshold: float = 0.75
    maximum_rounds: int = 3
    stable_points: float = 1.0
    expert_weights: Literal["equal"] = "equal"
    pooling: Literal["ratings before shares"] = "ratings before shares"
    consensus_rule: Literal["RAND/UCLA"] = "RAND/UCLA"
    several_models: float = 3.0
    continuous_per_week: float = 1.0
    telemetry_window_days: int = 90
    telemetry_rule: Literal["declared", "measured"] = "declared"
    sensitivity_ranges: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "full_benefit_days": (200.0, 450.0),
            "overrun": (0.8, 1.6),
            "upkeep": (0.1, 0.4),
            "first_version_delay": (0.0, 2.0),
            "weight": (0.5, 1.5),
        }
    )
    draws: int = 2000
    seed: int = 1
    flip_draws: int = 300
    flip_steps: int = 9

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_need()
        if not 0 <= self.not_yet <= self.adopt_now <= 1:
            raise ValueError(
                f"adopt_now: expected 0 <= not_yet <= adopt_now <= 1, got {self.not_yet:g} and {self.adopt_now:g}"
            )
        if len(self.share_map) != 5 or list(self.share_map) != sorted(self.share_map) or self.share_map[0] != 0:
            raise ValueError(f"share_map: expected five rising shares that begin with 0, got {self.share_map}")
        if not 0 < self.share_map[-1] <= 1:
            raise ValueError(f"share_map: expected shares up to 1, got {self.share_map[-1]:g}")
        for confidence in ("high", "medium", "low"):
            if not 0 <= self.noise_half_widths.get(confidence, -1) <= 4:
                raise ValueError(f"noise_half_widths: expected 0 to 4 for {confidence} confidence")

    def _check_numbers(self) -> None:
        for name, low in (
            ("full_benefit_days", 0), ("horizon_months", 0), ("first_version_delay", 0), ("upkeep", 0), ("overrun", 0),
            ("border", 0), ("plan_step_days", 0), ("draws", 1), ("flip_draws", 1), ("flip_steps", 2), ("seed", 0),
            ("maximum_rounds", 1), ("telemetry_window_days", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if not math.isfinite(value) or value < low:
                raise ValueError(f"{name}: expected a number >= {low}, got {value}")
        for name in ("budget_days", "remembered_benefit_days"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: expected a number >= 0 or none, got {value}")
        for name in ("consensus_threshold", "not_applicable_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a number from 0 to 1, got {getattr(self, name)}")

    def _check_need(self) -> None:
        known = {factor.name for factor in self.factors}
        for key in self.benefits:
            shares = self.need_shares.get(key, {})
            if unknown := set(shares) - known:
                raise ValueError(f'need_shares.{key}: unknown scope factor "{min(unknown)}"')
            if min(shares.values(), default=-1) < 0 or not math.isclose(sum(shares.values()), 1, abs_tol=1e-6):
                raise ValueError(f"need_shares.{key}: expected shares >= 0 that add up to 1")
            if not 0 <= self.need_floors.get(key, -1) <= 1:
                raise ValueError(f"need_floors.{key}: expected a number from 0 to 1")

    @property
    def worth_is_doubtful(self) -> bool:
        """Say whether the two answers to what the benefits are worth differ more than twofold."""
        if self.remembered_benefit_days is None:
            return False
        low, high = sorted((self.full_benefit_days, self.remembered_benefit_days))
        return high > 2 * low

    @property
    def years(self) -> float:
        """H / 12."""
        return self.horizon_months / 12

    def to_json(self) -> dict[str, Any]:
        """The settings as plain dictionaries, lists and numbers; an unlimited maximum becomes ``None``."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        for factor in plain["factors"]:
            factor["maximum"] = None if math.isinf(factor["maximum"]) else factor["maximum"]
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        """The inverse of `to_json`. Missing settings take their default; an unknown or ill-typed one is refused."""
        if unknown := set(data) - {item.name for item in fields(cls)}:
            raise ValueError(f'unknown setting "{min(unknown)}"')
        plain = dict(data)
        if "factors" in plain:
            plain["factors"] = [
                {**factor, "maximum": math.inf if factor.get("maximum") is None else factor["maximum"]}
                for factor in plain["factors"]
            ]
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error

    def digest(self) -> str:
        """SHA-256 of the settings; equal settings give equal digests whether a number was written 300 or 300.0."""
        plain = Settings.from_json(self.to_json()).to_json()
        return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
