"""Every assumption behind a recommendation, in words for the page that shows them."""

from __future__ import annotations

from dataclasses import dataclass

from assessments.principles import Catalogue, Days, Defaults, load_catalogue
from assessments.scoring.settings import Settings


@dataclass(frozen=True)
class Assumption:
    """One assumption: what it is, its value, what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Section:
    """Assumptions that belong together."""

    title: str
    assumptions: tuple[Assumption, ...]


def describe_settings(settings: Settings) -> tuple[Section, ...]:
    """Put the settings into words. Every one of them is the portal's own; no source gives such numbers."""
    shares = ", ".join(f"{share:.0%}" for share in settings.share_map)
    return (
        Section(
            "What benefits are worth",
            (
                Assumption(
                    "Worth of all benefits",
                    f"{settings.full_benefit_days:g} person-days a year",
                    "What having all benefits in full would be worth to a project in full need. "
                    "The recommendation hangs on this one most: halve it, and a large project adopts far less.",
                ),
                Assumption(
                    "Horizon", f"{settings.horizon_months:g} months", "Savings and upkeep are counted this far."
                ),
                Assumption(
                    "Shares",
                    shares,
                    "The part of a benefit one principle brings at ratings none, a little, clear, large, decisive. "
                    "Parts add up to at most the whole benefit.",
                ),
            ),
        ),
        Section(
            "What adopting costs",
            (
                Assumption(
                    "Delay of a first version",
                    f"{settings.first_version_delay:g}",
                    "Before the first release a day of effort counts 1 plus this many days.",
                ),
                Assumption(
                    "Upkeep", f"{settings.upkeep:.0%} a year", "Of the effort to adopt, needed to keep it alive."
                ),
                Assumption(
                    "Overrun", f"{settings.overrun:g}", "Real effort divided by estimated effort; 1 is no overrun."
                ),
            ),
        ),
        Section("How much a project needs each benefit", _needs(settings)),
        Section(
            "When to adopt",
            (
                Assumption(
                    "Adopt now",
                    f"{settings.adopt_now:.0%} or more",
                    "Share of the readings in which the principle belongs to the best set. "
                    "A reading draws effort and benefit within their ranges.",
                ),
                Assumption(
                    "Not worth it yet",
                    f"{settings.not_yet:.0%} or less",
                    "In between, or when the planned scope calls for it, the verdict is “adopt later”.",
                ),
                Assumption("Readings", f"{settings.draws:,}, seed {settings.seed}", "Same seed, same answer."),
                Assumption(
                    "Budget",
                    "none" if settings.budget_days is None else f"{settings.budget_days:g} days",
                    "Most effort that can be spent.",
                ),
            ),
        ),
    )


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


def _needs(settings: Settings) -> tuple[Assumption, ...]:
    titles = {factor.name: factor.title.lower() for factor in settings.factors}
    rows = []
    for benefit in load_catalogue().benefits:
        shares = settings.need_shares.get(benefit.key, {})
        parts = ", ".join(f"{titles[name]} {share:.0%}" for name, share in sorted(shares.items(), key=lambda s: -s[1]))
        floor = settings.need_floors.get(benefit.key, 0)
        rows.append(Assumption(benefit.name, parts, f"Even the smallest project has {floor:.0%} of this need."))
    return tuple(rows)
