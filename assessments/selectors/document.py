"""The report of a round as a document: page, print, PDF and JSON are all made from its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from assessments.models import Round
from assessments.selectors import charts
from assessments.selectors.assumptions import describe_settings
from assessments.selectors.delivery import Brought, read_brought
from assessments.selectors.report import Report, ReportLine, read_report
from assessments.selectors.rounds import closed_rounds
from ops_portal.charts import Chart
from ops_portal.paper import Document, Part, Table, make_pdf
from ops_portal.templatetags.reading import DASH

LIGHT_LEVELS = (
    "A light level takes a day or two. Where experts rated it, it can be adopted by itself, and the principle counts "
    "with the days it costs and saves beyond it."
)


@dataclass(frozen=True)
class FullReport:
    """A report and the document made from it."""

    report: Report
    document: Document

    @property
    def name(self) -> str:
        """What its files are called, without the ending."""
        one = self.report.round
        return f"{one.assessment.project.slug}-assessment-{one.assessment.number}-round-{one.number}"

    def to_pdf(self) -> bytes:
        """The document on paper, made now."""
        return make_pdf(self.document, made=f"made {timezone.localtime():%Y-%m-%d %H:%M %Z}")


def read_full_report(one: Round) -> FullReport:
    """Read a closed round and the rounds before it: at most 10 queries per round, and 3."""
    report = read_report(one)
    before = closed_rounds(one.assessment.project).filter(assessment=one.assessment_id, number__lt=one.number)
    earlier = [read_report(each) for each in before.order_by("number")]
    return FullReport(report, write_document(report, earlier, read_brought(one.assessment.project, report.catalogue)))


def write_document(report: Report, earlier: Sequence[Report] = (), brought: Sequence[Brought] = ()) -> Document:
    """Put a report into its parts; `earlier` are the reports of the rounds before, oldest first."""
    one = report.round
    project = one.assessment.project
    closed = f"{one.closed_at:%Y-%m-%d %H:%M %Z}" if one.closed_at else "open"
    names = ", without names" if one.anonymous else ""
    parts = [
        _drawn("membership", charts.membership_chart(report)),
        _verdicts(report.lines),
        _light_levels(report),
        _reasons(report.lines),
        _differing(report),
        _drawn("effort", charts.effort_chart(report)),
        _drawn("votes", charts.votes_chart(report)),
        _heat(report),
        _drawn("rounds", charts.rounds_chart([*earlier, report])) if earlier else None,
        _budgets(report),
        _drawn("tornado", charts.tornado_chart(report)) if report.swings else None,
        _brought(brought) if brought else None,
        _said(report.lines),
        _scope(report),
        *_assumptions(report),
    ]
    return Document(
        title=f"What to adopt for {project.name}",
        lead=(
            f"Round {one.number} of assessment {one.assessment.number}, closed {closed}: "
            f"{report.voted} of {report.invited} experts answered{names}."
        ),
        facts=_facts(report),
        parts=tuple(part for part in parts if part),
    )


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    w = "not defined" if report.concordance is None else f"{report.concordance:.2f}"
    alpha = "not defined" if report.alpha is None else f"{report.alpha:.2f}"
    low, middle, high = report.net
    return (
        ("Adopt now", _names(report.adopt_now) or "nothing"),
        ("Adopt now, light level", _names(report.light_now) or "nothing"),
        ("Adopt later", _names([line for line in report.lines if line.verdict == "later"]) or "nothing"),
        ("Net worth of the best set", f"{middle:.0f} days; {low:.0f} to {high:.0f} in eight of ten readings"),
        ("Agreed", f"{len(report.state.agreed)} of {len(report.lines)} principles: {report.agreed_rule}"),
        ("Kendall's W", f"{w}, {report.voted} experts"),
        ("Krippendorff's alpha", f"{alpha}, {report.voted} experts"),
        ("Left out, because unknown", ", ".join(report.unknown) or "no scope factor"),
        *((("Worth of the benefits", report.doubt),) if report.doubt else ()),
        ("Assumptions", report.assumptions),
        ("Seal", report.round.seal),
    )


def _drawn(key: str, chart: Chart) -> Part:
    return Part(key, chart.title, (chart.summary,), chart, Table(chart.columns, chart.rows))


def _verdicts(lines: Sequence[ReportLine]) -> Part:
    columns = ("Principle", "Verdict", "Readings", "Planned", "Effort, days", "Vote", "Panel", "Decision")
    rows = tuple(
        (
            line.principle.name,
            line.words + (", borderline" if line.borderline else "") + (" *" if line.assumed else ""),
            _percent(line.probability),
            _percent(line.planned_probability),
            _days(line.effort),
            f"{line.median:g} of {line.votes}" if line.votes else "none",
            line.agreement_words + (", split" if line.disagreement else ""),
            line.decision.get_choice_display() if line.decision else "open",
        )
        for line in lines
    )
    text = ["The verdict comes from benefits, efforts and scope; the vote stands beside it and is never mixed in."]
    if any(line.assumed for line in lines):
        text.append("* Nobody rated benefit or effort; these are the portal's own numbers.")
    return Part("principles", "Principles", tuple(text), table=Table(columns, rows))


def _light_levels(report: Report) -> Part | None:
    rows = tuple(
        (
            line.principle.name,
            line.light.name,
            line.light.words + (" *" if line.light.assumed else ""),
            _percent(line.light.probability),
            _days(line.light.effort),
            str(line.light.rated),
            " ".join(line.light.reasons) or DASH,
        )
        for line in report.lines
        if line.light
    )
    text = ([LIGHT_LEVELS] if rows else []) + ([report.light_unrated] if report.light_unrated else [])
    columns = ("Principle", "Light level", "Verdict", "Readings", "Effort, days", "Rated by", "Why")
    return Part("light", "Light levels", tuple(text), table=Table(columns, rows) if rows else None) if text else None


def _reasons(lines: Sequence[ReportLine]) -> Part:
    rows = tuple(
        (line.principle.name, " ".join(line.reasons) or DASH, "\n".join(line.flips) or DASH, line.path or DASH)
        for line in lines
    )
    columns = ("Principle", "Why", "What alone would change it", "On the way to the plan")
    text = "Each factor of the scope by itself, from where it is today: the soonest first, a dash where none would do."
    return Part("reasons", "Why, and what would change it", (text,), table=Table(columns, rows))


def _differing(report: Report) -> Part | None:
    rows = tuple((line.principle.name, line.differs) for line in report.differing)
    title = "Where vote and model differ"
    return Part("differing", title, table=Table(("Principle", "How"), rows)) if rows else None


def _heat(report: Report) -> Part | None:
    if not report.matrix:
        return None
    columns = ("Principle", *(code for code, _ in report.matrix))
    rows = tuple(
        (line.principle.name, *("?" if votes[i] is None else str(votes[i]) for _, votes in report.matrix))
        for i, line in enumerate(report.lines)
    )
    who = " and say nothing about who they are" if report.round.anonymous else ""
    text = f"Codes stand for experts{who}. Along a row: where opinions part; along a column: who sees it how."
    return Part("heat", "Votes, expert by expert", (text,), table=Table(columns, rows, shaded=True))


def _budgets(report: Report) -> Part | None:
    if not report.plans:
        return None
    step = f"{report.settings.plan_step_days:g}"
    rows = tuple(
        (
            plan.budget,
            ", ".join(plan.names) or "nothing",
            _days(plan.effort),
            _days(plan.net),
            f"{plan.next_gain:.1f} more with {', '.join(plan.next_adds)}" if plan.next_gain > 0.05 else "nothing more",
        )
        for plan in report.plans
    )
    columns = ("Budget", "Adopt, cheapest first", "Effort, days", "Net days", f"What the next {step} days buy")
    return Part("budgets", "What a budget buys", ("The best set under each budget.",), table=Table(columns, rows))


def _brought(brought: Sequence[Brought]) -> Part:
    columns = ("Principle", "Since", "Changes measured", *(figure.title for figure in brought[0].figures))
    rows = tuple(
        (
            one.name,
            f"{'in place' if one.in_place else 'decided'} {one.after.start:%Y-%m-%d}",
            f"{one.before.changes}, then {one.after.changes}",
            *(f"{figure.before_words}, then {figure.after_words}" for figure in one.figures),
        )
        for one in brought
    )
    text = "From the records of deployments, 90 days before the decision and since. It shows what changed, not why."
    return Part("brought", "What adoption brought", (text,), table=Table(columns, rows))


def _said(lines: Sequence[ReportLine]) -> Part | None:
    rows = tuple(
        (line.principle.name, reason.text, reason.evidence_url or DASH, reason.who or DASH)
        for line in lines
        for reason in line.said
    )
    columns = ("Principle", "Reason", "Evidence", "Who")
    return Part("said", "What the experts say", table=Table(columns, rows)) if rows else None


def _scope(report: Report) -> Part:
    rows = []
    for factor in report.settings.factors:
        values = [
            scope.value(factor.name, report.settings.telemetry_rule) if scope else None
            for scope in (report.scope, report.planned)
        ]
        rows.append((factor.title, *(DASH if value is None else factor.say(value) for value in values)))
    first = [
        DASH if scope is None else "no" if scope.first_version else "yes" for scope in (report.scope, report.planned)
    ]
    rows.append(("First version is out", *first))
    return Part("scope", "Scope of the project", table=Table(("Factor", "Now", "Planned"), tuple(rows)))


def _assumptions(report: Report) -> list[Part]:
    """Every assumption, printed with the result; each section a part of its own."""
    return [
        Part(
            f"assumptions-{number}",
            f"What we assumed: {section.title[0].lower()}{section.title[1:]}",
            table=Table(
                ("Assumption", "Value", "Meaning"),
                tuple((one.name, one.value, one.meaning) for one in section.assumptions),
            ),
        )
        for number, section in enumerate(describe_settings(report.settings, report.catalogue), start=1)
    ]


def _names(lines: Sequence[ReportLine]) -> str:
    return ", ".join(line.principle.name for line in lines)


def _percent(value: float | None) -> str:
    return DASH if value is None else f"{value:.0%}"


def _days(value: float | None) -> str:
    return DASH if value is None else f"{value:.1f}"
