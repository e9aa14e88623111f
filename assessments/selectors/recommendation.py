"""The recommendation as pages show it: per principle a verdict, its reasons in words, and what they rest on."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from assessments.principles import Catalogue, Days, Principle, load_catalogue
from assessments.scoring import profile
from assessments.scoring.scope import FACTORS, Scope
from assessments.scoring.settings import Settings
from assessments.scoring.verdict import IN_WORDS, code_of
from assessments.selectors.scope import ScopeState

#: In the order of reading; the names are those of the portal's states.
VERDICTS = ("now", "later", "not_yet", "in_place")
ALL_IN_PLACE = "Every practice that applies is in place."


@dataclass(frozen=True)
class LightStep:
    """The light level of a principle, where that alone is worth adopting now."""

    name: str
    text: str
    effort: Days
    reason: str


@dataclass(frozen=True)
class Recommended:
    """What is recommended about one principle. `share` is how many of the readings want it, 0..1."""

    principle: Principle
    verdict: str
    words: str
    reason: str
    more: tuple[str, ...]
    share: float | None
    planned_share: float | None
    borderline: bool
    saves: float | None
    costs: float | None
    effort: Days
    light: LightStep | None
    factors: tuple[str, ...]
    moved_from: str = ""


@dataclass(frozen=True)
class Group:
    """The principles with one verdict."""

    verdict: str
    items: tuple[Recommended, ...]


@dataclass(frozen=True)
class Recommendation:
    """What is recommended for a scope, in the catalogue's order."""

    items: tuple[Recommended, ...]
    unknown: tuple[str, ...]
    edition: str
    assumptions: str

    def of(self, slug: str) -> Recommended | None:
        """What is recommended about this principle."""
        return next((item for item in self.items if item.principle.slug == slug), None)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The principles by verdict; "in place" only where something is."""
        groups = tuple(Group(v, tuple(item for item in self.items if item.verdict == v)) for v in VERDICTS)
        return tuple(group for group in groups if group.items or group.verdict != "in_place")

    @property
    def adopt_now(self) -> tuple[Recommended, ...]:
        """The principles to adopt now, those most readings want first."""
        now = [item for item in self.items if item.verdict == "now"]
        return tuple(sorted(now, key=lambda item: -(item.share or 0)))

    @property
    def light_steps(self) -> tuple[Recommended, ...]:
        """Principles of which only the light level is worth adopting now."""
        return tuple(item for item in self.items if item.light)


def recommend_for(
    state: ScopeState,
    *,
    in_place: Collection[str] = (),
    catalogue: Catalogue | None = None,
    settings: Settings | None = None,
) -> Recommendation | None:
    """Work out the recommendation for a scope, without queries; None while nothing is known about the scope."""
    if not state.known:
        return None
    scopes = json.dumps([state.current.to_json(), state.planned.to_json() if state.planned else None], sort_keys=True)
    catalogue = catalogue or load_catalogue()
    settings = settings or Settings()
    found = _work_out(catalogue, scopes, tuple(sorted(in_place)), json.dumps(settings.to_json(), sort_keys=True))
    items = tuple(_item(catalogue.principle(one.slug), one) for one in found)
    return Recommendation(items, state.missing, catalogue.edition, settings.digest())


def compare(typed: Recommendation, saved: Recommendation) -> Recommendation:
    """`typed` with each principle's former verdict where it has moved."""
    items = []
    for item in typed.items:
        before = saved.of(item.principle.slug)
        moved = before.words.lower() if before and before.verdict != item.verdict else ""
        items.append(replace(item, moved_from=moved))
    return replace(typed, items=tuple(items))


# The same input always gives the same result, and a page asks for the same one many times.
@lru_cache(maxsize=256)
def _work_out(
    catalogue: Catalogue, scopes: str, in_place: tuple[str, ...], settings: str
) -> tuple[profile.Recommendation, ...]:
    now, planned = (Scope.from_json(scope) if scope else None for scope in json.loads(scopes))
    assert now is not None, "the scope today is always known in part"
    assumed = Settings.from_json(json.loads(settings))
    return tuple(profile.recommend(now, planned, assumed, catalogue=catalogue, in_place=in_place))


def _item(principle: Principle, found: profile.Recommendation) -> Recommended:
    titles = {factor.name: factor.title for factor in FACTORS}
    reason, more = (found.reasons[0], found.reasons[1:]) if found.reasons else (ALL_IN_PLACE, ())
    return Recommended(
        principle=principle,
        verdict=code_of(found.verdict),
        words=IN_WORDS[found.verdict],
        reason=reason,
        more=more,
        share=found.probability,
        planned_share=found.planned_probability,
        borderline=found.borderline,
        saves=found.worth.saves if found.worth else None,
        costs=found.worth.costs if found.worth else None,
        effort=principle.defaults.effort,
        light=_light(principle, found),
        factors=tuple(titles[name] for name in found.factors),
    )


def _light(principle: Principle, found: profile.Recommendation) -> LightStep | None:
    """The light level, where it is worth adopting now although the whole principle is not."""
    if principle.light is None or found.light is None or found.light.verdict != "now":
        return None
    return LightStep(found.light.name, found.light.text, principle.light.defaults.effort, " ".join(found.light.reasons))
