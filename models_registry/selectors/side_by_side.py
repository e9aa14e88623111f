"""Several runs side by side: curves, what differs in their parameters, final metrics, and what is chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models_registry.learning.compare import Verdict
from models_registry.learning.measures import OVERALL, ROLLING, VIEWS, Measure, find_measure, key_of
from models_registry.learning.parameters import list_settings
from models_registry.models import Deployment, Run, Version
from models_registry.selectors.curves import MOST_CURVES, draw_curves
from models_registry.selectors.metrics import Figure, distance, metric_names, primary_name
from models_registry.selectors.runs import RunRow, row_of
from models_registry.selectors.side_by_side_facts import differing_facts, read_fact
from models_registry.selectors.verdicts import judge, tested_metric
from ops_portal.charts import Axis, Chart, parallel_chart
from ops_portal.templatetags.reading import DASH
from projects.models import Project

#: More runs than this on one page can neither be read nor tested with any strength.
MOST_RUNS = 50
#: More differing parameters than this do not fit on a chart.
MOST_AXES = 8
#: Stands between a model's name and what is different in a variant of it.
VARIANT = " · "


@dataclass(frozen=True)
class Cell:
    """The value of a parameter or fact of one run; `differs` from that of the champion."""

    name: str
    text: str
    differs: bool
    value: Any


@dataclass(frozen=True)
class Line:
    """One run among others."""

    row: RunRow
    name: str
    #: Why it failed; empty where it did not.
    error: str
    champion: bool
    version: int | None
    #: One per `SideBySide.parameters`.
    parameters: tuple[Cell, ...]
    #: Those of `SideBySide.measures`, with one figure each; `best` says which of them no other run beats.
    measures: tuple[Measure, ...]
    figures: tuple[Figure, ...]
    best: tuple[bool, ...]
    #: The shown metric of late, and how it stands to the champion's: `better`, `worse`, `even` or ``.
    rolling: Figure
    lead: str
    standing: str
    verdict: Verdict | None
    facts: tuple[Cell, ...]

    @property
    def cells(self) -> list[tuple[Measure, Figure, bool]]:
        """The figures, each with its metric and whether it is the best of its column."""
        return list(zip(self.measures, self.figures, self.best, strict=True))


@dataclass(frozen=True)
class SideBySide:
    """Runs next to each other, the champion first, then the best first."""

    lines: tuple[Line, ...]
    why_champion: str
    measure: Measure
    measures: tuple[Measure, ...]
    parameters: tuple[str, ...]
    facts: tuple[str, ...]
    tested: Measure
    chart: Chart
    parallel: Chart | None

    @property
    def champion(self) -> Line:
        """The run that the others are compared with."""
        return self.lines[0]

    @property
    def challengers(self) -> tuple[Line, ...]:
        """The other runs."""
        return self.lines[1:]

    @property
    def active(self) -> bool:
        """Say whether any of them is at work."""
        return any(line.row.active for line in self.lines)

    @property
    def to_deploy(self) -> Line | None:
        """The best by the shown metric of those that have a version and did not fail, if there is any."""
        known = [
            line
            for line in self.lines
            if line.version is not None and line.figures[0].value is not None and line.row.state != Run.State.FAILED
        ]
        pick = max if self.measure.greater_is_better else min
        return pick(known, key=lambda line: line.figures[0].value or 0.0, default=None)

    @property
    def headline(self) -> str:
        """Say in one sentence how the challengers do."""
        better = [line for line in self.challengers if line.verdict and line.verdict.better == line.name]
        if not self.challengers:
            return "There is nothing to compare it with."
        if not better:
            known = any(line.verdict and line.verdict.events for line in self.challengers)
            return (
                f"No challenger is better than {self.champion.name} by more than chance explains."
                if known
                else "Nothing was predicted yet by both sides."
            )
        rest = f"; {len(better)} of {len(self.challengers)} challengers are" if len(better) > 1 else ""
        return f"{better[0].name} is better than {self.champion.name}, and not by chance{rest}."


def compare_runs(project: Project, runs: Sequence[Run], *, metric: str = "", champion: int | None = None) -> SideBySide:
    """Return runs (with model and starter fetched) side by side. At most six queries, however many runs.

    The champion is the run numbered `champion`, else the one that serves, else the first that has not failed.
    """
    chosen, why = _find_champion(project, runs, champion)
    offered = tuple(find_measure(name) for name in metric_names(key for run in runs for key in run.summary))
    primary = primary_name(chosen.summary, project)
    measure = find_measure(metric if metric in {each.name for each in offered} else primary)
    ordered = [chosen, *_best_first([run for run in runs if run != chosen], measure)]
    names = _name(ordered)
    tested = tested_metric(project.task, measure.name)
    verdicts = judge(chosen, ordered[1:], names, project.task, tested) if len(ordered) > 1 else []
    measures = (measure, *(each for each in offered if each != measure))
    parameters, facts = _differing(ordered), differing_facts(ordered)
    versions = dict(
        Version.objects.filter(run__in=[run.pk for run in ordered]).order_by("number").values_list("run_id", "number")
    )
    best = [_best(ordered, each) for each in measures]
    lines = tuple(
        Line(
            row=row_of(run, project),
            name=names[run.pk],
            error=run.error,
            champion=run is chosen,
            version=versions.get(run.pk),
            parameters=_cells(run, chosen, parameters),
            measures=measures,
            figures=tuple(_figure(run, OVERALL, each) for each in measures),
            best=tuple(len(ordered) > 1 and run.pk in winners for winners in best),
            rolling=_figure(run, ROLLING, measure),
            lead="" if run is chosen else _lead(run, chosen, measure),
            standing="" if run is chosen else _standing(run, chosen, measure),
            verdict=None if run is chosen else verdicts[index - 1],
            facts=_fact_cells(run, chosen, facts),
        )
        for index, run in enumerate(ordered)
    )
    return SideBySide(
        lines=lines,
        why_champion=why,
        measure=measure,
        measures=measures,
        parameters=parameters,
        facts=facts,
        tested=find_measure(tested),
        chart=draw_curves(ordered[:MOST_CURVES], names, measure, summary=_sentence(lines, measure)),
        parallel=_parallel(ordered, names, parameters, measures),
    )


def _find_champion(project: Project, runs: Sequence[Run], asked: int | None) -> tuple[Run, str]:
    """Return the run to compare with, and why it is that one."""
    if found := next((run for run in runs if run.number == asked), None):
        return found, "chosen by you"
    serving = (
        Deployment.objects.filter(project=project)
        .order_by("-number")
        .values_list("version__run_id", "version__model_id", "version__number")
        .first()
    )
    if serving is not None:
        run_id, model_id, number = serving
        for fits, words in (
            (lambda run: run.pk == run_id, f"its v{number} serves now"),
            (lambda run: run.model_id == model_id and not _failed(run), f"v{number} of the same model serves now"),
        ):
            if found := next(filter(fits, runs), None):
                return found, words
    # A run that failed early has predicted next to nothing, and nothing could be said of the others.
    first = next((run for run in runs if not _failed(run)), runs[0])
    which = "the first of them" if first == runs[0] else "the first of them that did not fail"
    return first, f"{which}, because none of them serves"


def _failed(run: Run) -> bool:
    return run.state == Run.State.FAILED


def _best_first(runs: list[Run], measure: Measure) -> list[Run]:
    key = key_of(OVERALL, measure.name)
    sign = -1 if measure.greater_is_better else 1
    known = [run for run in runs if run.summary.get(key) is not None]
    rest = [run for run in runs if run.summary.get(key) is None]
    return [*sorted(known, key=lambda run: sign * run.summary[key]), *rest]


def _name(runs: Sequence[Run]) -> dict[int, str]:
    """Call runs by their models where that tells them apart."""
    names = {run.pk: run.model.name for run in runs}
    bases = {name.partition(VARIANT)[0] for name in names.values()}
    if len(bases) == 1 and all(VARIANT in name for name in names.values()):
        # The variants of one model: what is different says it all.
        names = {key: name.partition(VARIANT)[2] for key, name in names.items()}
    times = Counter(names.values())
    return {
        run.pk: names[run.pk] if times[names[run.pk]] == 1 else f"{names[run.pk]}, run {run.number}" for run in runs
    }


def _differing(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the parameters that tell the runs apart: of different value, or set by one where others have none."""
    found: dict[str, None] = {}
    given = {name for run in runs for name in _set_names(run.spec)}
    for name in dict.fromkeys(name for run in runs for name in run.model.parameters):
        values = [run.model.parameters[name] for run in runs if name in run.model.parameters]
        if any(value != values[0] for value in values) or (len(values) < len(runs) and name in given):
            found[name] = None
    return tuple(found)


def _set_names(spec: dict[str, Any]) -> list[str]:
    try:
        return [setting.name for setting in list_settings(spec) if setting.is_set]
    except (KeyError, TypeError):  # a class that this edition of the catalogue does not know
        return []


def _cells(run: Run, champion: Run, names: Sequence[str]) -> tuple[Cell, ...]:
    ours, theirs = run.model.parameters, champion.model.parameters
    return tuple(
        Cell(name, _show(ours, name), _show(ours, name) != _show(theirs, name), ours.get(name)) for name in names
    )


def _fact_cells(run: Run, champion: Run, names: Sequence[str]) -> tuple[Cell, ...]:
    facts = [(name, read_fact(run, name), read_fact(champion, name)) for name in names]
    return tuple(Cell(name, ours, ours != theirs, ours) for name, ours, theirs in facts)


def _show(parameters: dict[str, Any], name: str) -> str:
    if name not in parameters:
        return DASH
    value = parameters[name]
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _figure(run: Run, view: str, measure: Measure) -> Figure:
    value = run.summary.get(key_of(view, measure.name))
    return Figure(value, measure.format(value))


def _best(runs: Sequence[Run], measure: Measure) -> set[int]:
    """Return the keys of the runs that none is better than."""
    values = {run.pk: run.summary.get(key_of(OVERALL, measure.name)) for run in runs}
    known = [value for value in values.values() if value is not None]
    if len(known) < 2:
        return set()
    best = (max if measure.greater_is_better else min)(known)
    return {key for key, value in values.items() if value == best}


def _lead(run: Run, champion: Run, measure: Measure) -> str:
    key = key_of(OVERALL, measure.name)
    return distance(measure, run.summary.get(key), champion.summary.get(key))


def _standing(run: Run, champion: Run, measure: Measure) -> str:
    key = key_of(OVERALL, measure.name)
    ours, theirs = run.summary.get(key), champion.summary.get(key)
    if ours is None or theirs is None:
        return ""
    if measure.format(ours) == measure.format(theirs):
        return "even"
    return "better" if measure.is_better(ours, theirs) else "worse"


def _sentence(lines: Sequence[Line], measure: Measure) -> str:
    known = [line for line in lines if line.figures[0].value is not None]
    if not known:
        return "Nothing was measured yet."
    ranked = sorted(known, key=lambda line: line.figures[0].value or 0.0, reverse=measure.greater_is_better)
    first, last = ranked[0], ranked[-1]
    if len(ranked) > 1 and first.figures[0].text == last.figures[0].text:
        return f"All of them reach {first.figures[0]} {VIEWS[OVERALL]}."
    drawn = f" The {MOST_CURVES} best of {len(lines)} are drawn." if len(lines) > MOST_CURVES else ""
    if first is last:
        return f"{first.name} reaches {first.figures[0]} {VIEWS[OVERALL]}.{drawn}"
    return (
        f"{VIEWS[OVERALL].capitalize()}, {first.name} comes first with {first.figures[0]} and {last.name} last "
        f"with {last.figures[0]}.{drawn}"
    )


def _parallel(
    runs: Sequence[Run], names: dict[int, str], parameters: Sequence[str], measures: Sequence[Measure]
) -> Chart | None:
    """Draw parameters and the first metrics as parallel axes; None where the runs do not differ in any."""
    shared = sorted(parameters, key=lambda name: -sum(name in run.model.parameters for run in runs))[:MOST_AXES]
    if not shared or len(runs) < 2:
        return None
    axes = [Axis(name, [run.model.parameters.get(name) for run in runs]) for name in parameters if name in shared]
    axes += [Axis(each.title, [run.summary.get(key_of(OVERALL, each.name)) for run in runs]) for each in measures[:2]]
    best = _best_first(list(runs), measures[0])[0]
    left = f" The {MOST_AXES} that most runs have are shown." if len(parameters) > MOST_AXES else ""
    return parallel_chart(
        axes=axes,
        names=[names[run.pk] for run in runs],
        title="Parameters and metrics",
        summary=f"Each line is a run; the thick one, {names[best.pk]}, has the best {measures[0].title}.{left}",
        name_title="Run",
        chosen=list(runs).index(best),
    )
