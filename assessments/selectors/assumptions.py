"""Every assumption behind a recommendation, in words for the page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assessments.principles import Catalogue, Days, Defaults
from assessments.scoring.scope import Factor
from assessments.scoring.settings import Settings
from ops_portal.templatetags.reading import DASH

#: Names of the settings that the sensitivity varies.
SETTING_TITLES = {
    "full_benefit_days": "Worth of all benefits",
    "overrun": "Overrun",
    "upkeep": "Upkeep",
    "first_version_delay": "Delay of a first version",
    "weight": "Weight of a benefit",
}


def doubt_worth(settings: Settings) -> str:
    """Say how the two answers to what the benefits are worth differ, where that is more than twofold."""
    if not settings.worth_is_doubtful:
        return ""
    return (
        f"All benefits are taken to be worth {settings.full_benefit_days:g} days a year; a remembered case says "
        f"{settings.remembered_benefit_days:g}. They differ more than twofold, and the result hangs on this most."
    )


@dataclass(frozen=True)
class Assumption:
    """One assumption: what it is, its value, what it means, and which settings it puts into words."""

    name: str
    value: str
    meaning: str
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Assumptions that belong together."""

    title: str
    assumptions: tuple[Assumption, ...]


def describe_settings(settings: Settings, catalogue: Catalogue) -> tuple[Section, ...]:
    """Put every setting into words. All are the portal's own; no source gives such numbers."""
    return (
        Section("What benefits are worth", _worth(settings)),
        Section("What adopting costs", _costs(settings)),
        Section("How much a project needs each benefit", _needs(settings, catalogue)),
        Section("When to adopt", _limits(settings)),
        Section("How the panel is read", _panel(settings)),
        Section("What is varied, and how often", _variation(settings)),
        Section("Scope factors", tuple(_factor(factor) for factor in settings.factors)),
    )


def _worth(settings: Settings) -> tuple[Assumption, ...]:
    return (
        Assumption(
            "Worth of all benefits",
            f"{settings.full_benefit_days:g} person-days a year",
            "What having all benefits in full would be worth to a project in full need. "
            "The recommendation hangs on this one most: halve it, and a large project adopts far less.",
            ("full_benefit_days",),
        ),
        Assumption(
            "Worth, from a remembered case",
            DASH
            if settings.remembered_benefit_days is None
            else f"{settings.remembered_benefit_days:g} person-days a year",
            "The same asked a second time, from a case somebody remembers; nothing is worked out with it.",
            ("remembered_benefit_days",),
        ),
        Assumption(
            "Horizon",
            f"{settings.horizon_months:g} months",
            "Savings and upkeep are counted this far.",
            ("horizon_months",),
        ),
        Assumption(
            "Shares",
            ", ".join(f"{share:.0%}" for share in settings.share_map),
            "The part of a benefit one principle brings at ratings none, a little, clear, large, decisive. "
            "Parts add up to at most the whole benefit.",
            ("share_map",),
        ),
    )


def _costs(settings: Settings) -> tuple[Assumption, ...]:
    return (
        Assumption(
            "Delay of a first version",
            f"{settings.first_version_delay:g}",
            "Before the first release a day of effort counts 1 plus this many days.",
            ("first_version_delay",),
        ),
        Assumption(
            "Upkeep",
            f"{settings.upkeep:.0%} a year",
            "Of the effort to adopt, needed to keep it alive.",
            ("upkeep",),
        ),
        Assumption(
            "Overrun",
            f"{settings.overrun:g}",
            "Real effort divided by estimated effort; 1 is no overrun.",
            ("overrun",),
        ),
        Assumption(
            "Budget",
            "none" if settings.budget_days is None else f"{settings.budget_days:g} days",
            "Most effort that can be spent.",
            ("budget_days",),
        ),
        Assumption(
            "Budgets in the plan",
            f"{_list(settings.plan_budgets)} days; the next step is {settings.plan_step_days:g} days",
            "For each of them the best set is worked out, and what the next step would buy.",
            ("plan_budgets", "plan_step_days"),
        ),
    )


def _limits(settings: Settings) -> tuple[Assumption, ...]:
    return (
        Assumption(
            "Adopt now",
            f"{settings.adopt_now:.0%} or more",
            "Share of the readings in which the principle belongs to the best set. "
            "A reading draws effort and benefit within their ranges.",
            ("adopt_now",),
        ),
        Assumption(
            "Not worth it yet",
            f"{settings.not_yet:.0%} or less",
            "In between, or when the planned scope calls for it, the verdict is “adopt later”.",
            ("not_yet",),
        ),
        Assumption(
            "Borderline",
            f"within {settings.border:.0%} of a limit",
            "Such a verdict could as well be its neighbour.",
            ("border",),
        ),
        Assumption(
            "Stages of the first recommendation",
            f"several models from {settings.several_models:g}, continuous deployment from "
            f"{settings.continuous_per_week:g} a week",
            "Before a panel has voted, the starting profile may lift a verdict by one step.",
            ("several_models", "continuous_per_week"),
        ),
    )


def _panel(settings: Settings) -> tuple[Assumption, ...]:
    widths = settings.noise_half_widths
    return (
        Assumption(
            "Weight of the experts",
            settings.expert_weights,
            "Disagreement stays visible: each reading weighs the experts by chance, all alike on average.",
            ("expert_weights",),
        ),
        Assumption(
            "Pooling",
            settings.pooling,
            "Ratings are averaged before they become shares, so that a few enthusiasts cannot outvote the rest.",
            ("pooling",),
        ),
        Assumption(
            "Confidence",
            f"high ±{widths['high']:g}, medium ±{widths['medium']:g}, low ±{widths['low']:g}",
            "How far a rating is varied; confidence never changes anybody's weight.",
            ("noise_half_widths",),
        ),
        Assumption(
            "Does not apply",
            f"more than {settings.not_applicable_share:.0%} of those who answered",
            "Then the principle is left out.",
            ("not_applicable_share",),
        ),
        Assumption(
            "Consensus",
            f"{settings.consensus_rule}; {settings.consensus_threshold:.0%} of the votes in one third of the scale",
            "Judged on the votes alone, never on what the model makes of them.",
            ("consensus_rule", "consensus_threshold"),
        ),
        Assumption(
            "Rounds",
            f"at most {settings.maximum_rounds}; a vote has settled if it moved by {settings.stable_points:g} or less",
            "Fixed before the first round.",
            ("maximum_rounds", "stable_points"),
        ),
        Assumption(
            "Measured and declared values",
            f"{settings.telemetry_rule} values count where both are there; records of the last "
            f"{settings.telemetry_window_days} days",
            "What the records measure never takes the place of what a person said.",
            ("telemetry_rule", "telemetry_window_days"),
        ),
    )


def _variation(settings: Settings) -> tuple[Assumption, ...]:
    # In an order of its own, since a database may give names back in another one.
    order = list(SETTING_TITLES)
    ranges = sorted(
        settings.sensitivity_ranges.items(),
        key=lambda one: (order.index(one[0]) if one[0] in order else len(order), one[0]),
    )
    return (
        Assumption(
            "Readings", f"{settings.draws:,}, seed {settings.seed}", "Same seed, same answer.", ("draws", "seed")
        ),
        Assumption(
            "What would change a verdict",
            f"{settings.flip_draws:,} readings at {settings.flip_steps} points per factor",
            "Looked for along each scope factor and along the way to the plan.",
            ("flip_draws", "flip_steps"),
        ),
        Assumption(
            "Sensitivity",
            "; ".join(f"{SETTING_TITLES.get(name, name).lower()} {low:g} to {high:g}" for name, (low, high) in ranges),
            "Each is moved over its range while the others stay; weights are multiplied.",
            ("sensitivity_ranges",),
        ),
    )


def _factor(factor: Factor) -> Assumption:
    scale = "each doubling counts alike" if factor.scale == "log" else "each step counts alike"
    return Assumption(
        factor.title,
        f"{factor.low:.2g} to {factor.high:g} {factor.unit}".strip(),
        f"Fixed ends of the scale: none of the need at the first, all of it from the second on; {scale}.",
        ("factors",),
    )


def _list(numbers: Sequence[float]) -> str:
    return ", ".join(f"{one:g}" for one in numbers)


@dataclass(frozen=True)
class Figures:
    """The assumed benefit and effort of one principle or of its light level."""

    name: str
    light: bool
    ratings: tuple[str, ...]
    effort: Days


def describe_figures(catalogue: Catalogue) -> tuple[Figures, ...]:
    """List what is assumed about each principle until a panel has spoken."""
    rows = []
    for principle in catalogue.principles:
        rows.append(_figures(catalogue, principle.name, principle.defaults, light=False))
        if principle.light:
            rows.append(_figures(catalogue, principle.light.name, principle.light.defaults, light=True))
    return tuple(rows)


def _figures(catalogue: Catalogue, name: str, defaults: Defaults, *, light: bool) -> Figures:
    ratings = tuple(f"{defaults.ratings[key]:g}" if defaults.ratings.get(key) else "" for key in catalogue.benefit_keys)
    return Figures(name, light, ratings, defaults.effort)


def _needs(settings: Settings, catalogue: Catalogue) -> tuple[Assumption, ...]:
    titles = {factor.name: factor.title.lower() for factor in settings.factors}
    order = list(titles)
    rows = []
    for benefit in catalogue.benefits:
        shares = settings.need_shares.get(benefit.key, {})
        largest_first = sorted(shares.items(), key=lambda one: (-one[1], order.index(one[0])))
        parts = ", ".join(f"{titles[name]} {share:.0%}" for name, share in largest_first)
        floor = settings.need_floors.get(benefit.key, 0)
        rows.append(
            Assumption(
                benefit.name,
                f"{parts}; floor {floor:.0%}",
                "Parts of each factor in the need for it; the floor is the need that even the smallest project has.",
                ("benefits", "need_shares", "need_floors"),
            )
        )
    return tuple(rows)
