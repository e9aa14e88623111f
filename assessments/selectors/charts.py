"""The pictures of a report, each with its sentence and its numbers. Blue and vermillion, and never colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from assessments.selectors.report import Report, ReportLine
from ops_portal.charts import Chart, Point, Series, bar_chart, dot_chart, plane_chart


def membership_chart(report: Report) -> Chart:
    """How many of the readings want each principle, today and as planned; lines at the two limits."""
    lines = sorted((line for line in report.lines if line.probability is not None), key=lambda x: -(x.probability or 0))
    names = [line.principle.name for line in lines]
    series = [Series("Today", names, [_share(line.probability) for line in lines])]
    if any(line.planned_probability is not None for line in lines):
        series.append(Series("Planned", names, [_share(line.planned_probability) for line in lines]))
    low, high = report.settings.not_yet, report.settings.adopt_now
    chart = bar_chart(
        series=series,
        title="How often each principle belongs in the best set",
        summary=f"{len(report.adopt_now)} of {len(lines)} reach {high:.0%} of the readings and are worth adopting now.",
        x_title="Share of the readings",
        y_title="Principle",
        horizontal=True,
        x_format=".0%",
        table_format=".0%",
    )
    chart.figure["layout"]["xaxis"] |= {"range": [0, 1]}
    chart.figure["layout"]["shapes"] = [_limit(low), _limit(high)]
    return chart


def votes_chart(report: Report) -> Chart:
    """Votes by thirds, around the undecided middle: against to the left, for to the right."""
    lines = [line for line in report.lines if line.votes]
    names = [line.principle.name for line in lines]
    against = [sum(line.counts[:3]) for line in lines]
    middle = [sum(line.counts[3:6]) for line in lines]
    in_favour = [sum(line.counts[6:]) for line in lines]
    agreed = sum(line.agreement in ("for", "against") for line in lines)
    chart = bar_chart(
        series=[
            Series("Against (1-3)", names, against),
            Series("Undecided (4-6)", names, middle),
            Series("For (7-9)", names, in_favour),
        ],
        title="How the panel voted",
        summary=f"{report.voted} of {report.invited} experts voted; by median and spread (the RAND/UCLA rule) they "
        f"agree for or against on {agreed} of {len(lines)} principles.",
        x_title="Experts",
        y_title="Principle",
        horizontal=True,
    )
    # The middle straddles zero, so that what lies left and right of it can be compared by eye.
    bases = (
        [-m / 2 - a for a, m in zip(against, middle, strict=True)],
        [-m / 2 for m in middle],
        [m / 2 for m in middle],
    )
    colours = ("--chart-2", "--chart-6", "--chart-1")
    for trace, base, colour in zip(chart.figure["data"], bases, colours, strict=True):
        trace |= {
            "base": base,
            "text": [str(v) if v else "" for v in trace["x"]],
            "textposition": "inside",
            "textangle": 0,
        }
        # Place and number tell the thirds apart, and a number reads badly on a pattern.
        trace["marker"] = {"color": colour}
        trace["hovertemplate"] = "%{y}: %{text} experts<extra>%{fullData.name}</extra>"
    chart.figure["layout"] |= {"barmode": "overlay"}
    chart.figure["layout"]["xaxis"] |= {"showticklabels": False, "title": {"text": "against · undecided · for"}}
    return chart


def effort_chart(report: Report) -> Chart:
    """Days saved against days it costs, a numbered point per principle; above the line it pays."""
    lines = [line for line in report.lines if line.saves is not None and line.costs is not None]
    pays = sum((line.saves or 0) > (line.costs or 0) for line in lines)
    months = f"{report.settings.horizon_months:g} months"
    return plane_chart(
        points=[_point(line) for line in lines],
        full_word="Adopt now",
        hollow_word="Later, or not yet",
        diagonal="Saves what it costs",
        title="Benefit and effort",
        summary=f"{pays} of {len(lines)} principles save more than they cost over {months}, each as the last one "
        "added; an ellipse holds nine of ten readings.",
        x_title="Costs, person-days",
        y_title="Saves, person-days",
    )


def _point(line: ReportLine) -> Point:
    spread = line.spread
    return Point(
        name=line.principle.name,
        x=line.costs or 0.0,
        y=line.saves or 0.0,
        x_sd=spread.costs_sd if spread else 0.0,
        y_sd=spread.saves_sd if spread else 0.0,
        correlation=spread.correlation if spread else 0.0,
        full=line.verdict == "now",
    )


def tornado_chart(report: Report) -> Chart:
    """How far the net days move when one assumption moves over its range; the longest bars on top."""
    swings = sorted(report.swings, key=lambda one: -abs(one.net_high - one.net_low))[:12]
    names = [one.name for one in swings]
    centre = report.current_net or 0.0
    chart = bar_chart(
        series=[
            Series("At its low value", names, [one.net_low for one in swings]),
            Series("At its high value", names, [one.net_high for one in swings]),
        ],
        title="What the result hangs on",
        summary=_tornado_summary(report, names[:2]),
        x_title="Net days of the best set",
        y_title="Assumption",
        horizontal=True,
        table_format=".1f",
    )
    for trace in chart.figure["data"]:
        trace |= {"base": [centre] * len(swings), "customdata": trace["x"]}
        trace["x"] = [value - centre for value in trace["x"]]
        trace["hovertemplate"] = "%{y}: %{customdata:.3~g} days<extra>%{fullData.name}</extra>"
    chart.figure["layout"] |= {"barmode": "overlay"}
    columns = ("Assumption", "From, to", "Net days", "In the set", "How the set changes")
    rows = tuple(
        (
            one.name,
            f"{one.ends[0]}, {one.ends[1]}",
            f"{one.net_low:.1f}, {one.net_high:.1f}",
            f"{one.size_low}, {one.size_high}",
            one.change,
        )
        for one in swings
    )
    return replace(chart, columns=columns, rows=rows, words=(1, 4))


def rounds_chart(reports: Sequence[Report]) -> Chart:
    """Median votes round by round."""
    names = [line.principle.name for line in reports[-1].lines]
    series = []
    for report in reports:
        medians = {line.principle.name: line.median for line in report.lines}
        series.append(Series(f"Round {report.round.number}", names, [medians.get(name) for name in names]))
    moved = sum((line.moved or 0) > 0 for line in reports[-1].lines)
    return dot_chart(
        series=series,
        title="How the votes moved",
        summary=f"Median votes per round; on {moved} principles somebody changed their vote in the last one.",
        x_title="Median vote, 1 to 9",
        y_title="Principle",
        x_range=(0.5, 9.5),
        table_format="g",
    )


def _tornado_summary(report: Report, names: Sequence[str]) -> str:
    if not names:
        return "Being worked out."
    most = " and ".join(name.lower() for name in names)
    return f"Net days now: {report.current_net or 0:.0f}. It hangs most on {most}."


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _limit(value: float) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": value, "x1": value, "y0": 0, "y1": 1,
        "line": {"color": "--chart-axis", "width": 1.5, "dash": "dash"},
    }  # fmt: skip
