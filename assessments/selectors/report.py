"""The report of a closed round: one function that page, shared page, printed report, CSV and JSON all read from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from assessments.models import Decision, Expert, Rating, Round, Stance
from assessments.principles import Catalogue, Principle
from assessments.scoring.changes import Inputs
from assessments.scoring.consensus import RoundState, round_state
from assessments.scoring.panel import LIGHT, Panel
from assessments.scoring.recommend import quick, recommend_from_panel
from assessments.scoring.scope import Scope
from assessments.scoring.settings import Settings
from assessments.scoring.verdict import IN_WORDS, Spread, code_of
from assessments.selectors.assumptions import SETTING_TITLES, doubt_worth
from assessments.selectors.editions import catalogue_of
from assessments.selectors.light import LightLine, read_light
from assessments.selectors.panel_inputs import read_inputs

AGREEMENT = {
    "for": "Agreed: for",
    "against": "Agreed: against",
    "uncertain": "Undecided",
    "no votes": "No votes",
}


@dataclass(frozen=True)
class Reason:
    """Why somebody voted as they did; `who` is empty where the panel is anonymous."""

    text: str
    evidence_url: str
    who: str


@dataclass(frozen=True)
class ReportLine:
    """What came out for one principle; with a light level, its days are those beyond that."""

    principle: Principle
    verdict: str
    words: str
    borderline: bool
    probability: float | None
    planned_probability: float | None
    effort: float | None
    saves: float | None
    costs: float | None
    spread: Spread | None
    reasons: tuple[str, ...]
    #: What alone would change its side, factor by factor, the soonest first.
    flips: tuple[str, ...]
    path: str
    assumed: bool
    counts: tuple[int, ...]
    votes: int
    median: float | None
    agreement: str
    agreement_words: str
    disagreement: bool
    unknown: int
    not_applicable: int
    moved: int | None
    said: tuple[Reason, ...]
    decision: Decision | None
    light: LightLine | None

    @property
    def light_unrated(self) -> bool:
        """Say whether there is a light level that nobody rated, so that the principle was judged as a whole."""
        return self.light is None and self.principle.light is not None and bool(self.principle.light.serves)

    @property
    def differs(self) -> str:
        """Where the panel's vote and the model disagree, in one sentence; empty where they do not."""
        if self.agreement == "for" and self.verdict == "not_yet":
            return "The panel votes for it, the model does not find it worth its effort yet: what does the panel know?"
        if self.agreement == "against" and self.verdict == "now":
            return "The panel votes against it, the model finds it worth its effort: are effort or benefit misjudged?"
        return ""


@dataclass(frozen=True)
class BudgetStep:
    """What a budget buys, cheapest first."""

    budget: str
    names: tuple[str, ...]
    effort: float
    net: float
    next_gain: float
    next_adds: tuple[str, ...]


@dataclass(frozen=True)
class Swing:
    """How the result moves with one assumption: its ends in words, net days, size of the set, and who differs."""

    name: str
    ends: tuple[str, str]
    low: float
    high: float
    net_low: float
    net_high: float
    size_low: int
    size_high: int
    only_low: tuple[str, ...]
    only_high: tuple[str, ...]

    @property
    def change(self) -> str:
        """How the best set differs between the two ends."""
        said = [
            f"{word}: {', '.join(names)}"
            for word, names in (("only at the low end", self.only_low), ("only at the high end", self.only_high))
            if names
        ]
        return "; ".join(said) or "the same set"


@dataclass(frozen=True)
class Report:
    """Everything a closed round has to say."""

    round: Round
    lines: tuple[ReportLine, ...]
    invited: int
    voted: int
    complete: bool
    net: tuple[float, float, float]
    size: float
    concordance: float | None
    alpha: float | None
    plans: tuple[BudgetStep, ...]
    swings: tuple[Swing, ...]
    current_net: float | None
    unknown: tuple[str, ...]
    matrix: tuple[tuple[str, tuple[int | None, ...]], ...]
    state: RoundState
    assumptions: str
    settings: Settings
    scope: Scope
    planned: Scope | None
    catalogue: Catalogue

    @property
    def adopt_now(self) -> tuple[ReportLine, ...]:
        """The principles to adopt now."""
        return tuple(line for line in self.lines if line.verdict == "now")

    @property
    def agreed_rule(self) -> str:
        """When the panel's rounds count a principle as agreed, in words."""
        return f"{self.settings.consensus_threshold:.0%} of the votes or more in one third of the scale"

    @property
    def doubt(self) -> str:
        """What is doubtful about the worth the result hangs on, if anything."""
        return doubt_worth(self.settings)

    @property
    def light_now(self) -> tuple[ReportLine, ...]:
        """The principles of which only the light level is worth adopting now."""
        light = (line for line in self.lines if line.light and line.light.verdict == "now")
        return tuple(line for line in light if line.verdict != "now")

    @property
    def light_unrated(self) -> str:
        """A sentence on the principles that are judged as a whole, because nobody rated their light level."""
        names = ", ".join(line.principle.name for line in self.lines if line.light_unrated)
        return f"Nobody rated the light level of: {names}. Each is judged as a whole." if names else ""

    @property
    def differing(self) -> tuple[ReportLine, ...]:
        """Where vote and model disagree."""
        return tuple(line for line in self.lines if line.differs)


def read_report(one: Round) -> Report:
    """Read the report of a closed round: at most 10 queries. Without a stored result a quick one is worked out."""
    inputs = read_inputs(one)
    catalogue = catalogue_of(one.assessment)
    result = one.result or quick_result(inputs)
    ratings = list(one.ratings.select_related("expert"))
    before = Round.objects.filter(assessment=one.assessment_id, number=one.number - 1).first()
    earlier = read_inputs(before).panel.votes() if before else None
    votes = {slug: given for slug, given in inputs.panel.votes().items() if not slug.endswith(LIGHT)}
    settings = inputs.settings
    state = round_state(
        votes,
        earlier,
        one.number,
        threshold=settings.consensus_threshold,
        stable_points=settings.stable_points,
        maximum=settings.maximum_rounds,
    )
    decisions = newest_decisions(one.assessment.project_id)
    options = {option["slug"]: option for option in result["options"]}
    lines = tuple(
        _line(principle, options, one, ratings, state if earlier else None, decisions)
        for principle in catalogue.principles
        if principle.slug in options
    )
    names = {option["slug"]: option["name"] for option in result["options"]}
    tornado = result["tornado"] or {}
    today = result["today"]
    return Report(
        round=one,
        lines=lines,
        invited=Expert.objects.filter(assessment=one.assessment_id, invited_at__lte=one.closed_at).count(),
        voted=len({row.expert_id for row in ratings if row.stance != Stance.RATES or row.vote is not None}),
        complete=one.result is not None,
        net=(today["net_p10"], today["net_p50"], today["net_p90"]),
        size=today["size"],
        concordance=result["concordance"]["w"] if result["concordance"] else None,
        alpha=result["alpha"],
        plans=tuple(_plan(plan, names) for plan in result["plans"]),
        swings=tuple(_swing(swing, settings, catalogue, names) for swing in tornado.get("swings", ())),
        current_net=tornado.get("net"),
        unknown=tuple(factor.title for factor in settings.factors if factor.name in result["unknown_factors"]),
        matrix=_matrix(inputs.panel, lines),
        state=state,
        assumptions=result["assumptions"],
        settings=settings,
        scope=inputs.scope,
        planned=inputs.planned,
        catalogue=catalogue,
    )


def quick_result(inputs: Inputs) -> dict[str, Any]:
    """Work out a result with fewer readings and without what takes long; the same input is worked out once."""
    return _worked_out(inputs_key(replace(inputs, settings=quick(inputs.settings))))


def full_result(inputs: Inputs) -> dict[str, Any]:
    """Work out a result with all readings, without what takes long; the same input is worked out once."""
    return _worked_out(inputs_key(inputs))


def inputs_key(inputs: Inputs) -> str:
    """The inputs as one text: equal inputs have equal ones, so that what follows from them is worked out once."""
    planned = inputs.planned.to_json() if inputs.planned else None
    return json.dumps(
        [inputs.panel.to_json(), inputs.scope.to_json(), planned, inputs.settings.to_json()], sort_keys=True
    )


def inputs_from_key(key: str) -> Inputs:
    """The inputs that `inputs_key` made a text of."""
    panel, scope, planned, settings = json.loads(key)
    return Inputs(
        Panel.from_json(panel),
        Scope.from_json(scope),
        Scope.from_json(planned) if planned else None,
        Settings.from_json(settings),
    )


@lru_cache(maxsize=64)
def _worked_out(key: str) -> dict[str, Any]:
    inputs = inputs_from_key(key)
    return recommend_from_panel(inputs.panel, inputs.scope, inputs.planned, inputs.settings, details=False).to_json()


def newest_decisions(project_id: int) -> dict[str, Decision]:
    """Return the decision that holds, by principle: 1 query."""
    rows = Decision.objects.filter(project=project_id).select_related("owner").order_by("pk")
    return {row.principle: row for row in rows}


def _line(
    principle: Principle,
    options: Mapping[str, Mapping[str, Any]],
    one: Round,
    ratings: Sequence[Rating],
    state: RoundState | None,
    decisions: Mapping[str, Decision],
) -> ReportLine:
    option = options[principle.slug]
    rows = [row for row in ratings if row.principle == principle.slug]
    votes = Counter(row.vote for row in rows if row.stance == Stance.RATES and row.vote is not None)
    worth, agreement = option["worth"] or {}, option["agreement"]
    said = sorted(
        (Reason(row.reason, row.evidence_url, "" if one.anonymous else row.expert.name) for row in rows if row.reason),
        key=lambda reason: reason.text.lower(),
    )
    return ReportLine(
        principle=principle,
        verdict=code_of(option["verdict"]),
        words=IN_WORDS[option["verdict"]],
        borderline=option["borderline"],
        probability=option["probability"],
        planned_probability=option["planned_probability"],
        effort=option["effort"],
        saves=worth.get("saves"),
        costs=worth.get("costs"),
        spread=Spread(**worth["spread"]) if worth.get("spread") else None,
        reasons=tuple(option["reasons"]),
        flips=tuple(flip["words"] for flip in _flips(option)),
        path=option["path_flip"]["words"] if option["path_flip"] else "",
        assumed=option["assumed"],
        counts=tuple(votes.get(vote, 0) for vote in range(1, 10)),
        votes=agreement["votes"],
        median=agreement["median"],
        agreement=agreement["outcome"],
        agreement_words=AGREEMENT[agreement["outcome"]],
        disagreement=agreement["disagreement"],
        unknown=sum(row.stance == Stance.UNKNOWN for row in rows),
        not_applicable=sum(row.stance == Stance.NOT_APPLICABLE for row in rows),
        moved=state.moved.get(principle.slug) if state else None,
        said=tuple(said),
        decision=decisions.get(principle.slug),
        light=read_light(principle, options.get(principle.slug + LIGHT), rows),
    )


def _flips(option: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    # Results kept by earlier releases name the soonest one only.
    earlier = [option["flip"]] if option.get("flip") else []
    found: Sequence[Mapping[str, Any]] = option.get("flips", earlier)
    return found


def _matrix(panel: Panel, lines: Sequence[ReportLine]) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
    votes = panel.votes()
    return tuple(
        (code, tuple(votes[line.principle.slug].get(code) for line in lines)) for code in sorted(panel.experts)
    )


def _plan(plan: Mapping[str, Any], names: Mapping[str, str]) -> BudgetStep:
    return BudgetStep(
        budget="no limit" if plan["budget"] is None else f"{plan['budget']:g} days",
        names=tuple(names.get(slug, slug) for slug in plan["steps"]),
        effort=plan["effort"],
        net=plan["net"],
        next_gain=plan["next_gain"],
        next_adds=tuple(names.get(slug, slug) for slug in plan["next_adds"]),
    )


def _swing(swing: Mapping[str, Any], settings: Settings, catalogue: Catalogue, names: Mapping[str, str]) -> Swing:
    titles = {factor.name: factor.title for factor in settings.factors}
    weights = {one.key: f"Weight of: {one.name.lower()}" for one in catalogue.benefits}
    key = swing["name"]
    factor = next((one for one in settings.factors if one.name == key), None)

    def say(value: float) -> str:
        return factor.say(value) if factor else f"{value:.0%}" if key in weights else f"{value:g}"

    def named(slugs: Sequence[str]) -> tuple[str, ...]:
        return tuple(names.get(slug, slug) for slug in slugs)

    return Swing(
        name=(SETTING_TITLES | titles | weights).get(key, key),
        ends=(say(swing["low"]), say(swing["high"])),
        low=swing["low"],
        high=swing["high"],
        net_low=swing["net_low"],
        net_high=swing["net_high"],
        size_low=swing["size_low"],
        size_high=swing["size_high"],
        only_low=named(swing["only_low"]),
        only_high=named(swing["only_high"]),
    )
