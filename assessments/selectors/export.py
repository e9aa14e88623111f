"""A report for machines: rows for CSV, and the whole of it for JSON with the tables of the printed report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assessments.selectors.report import Report
from ops_portal.paper import Document


def export_rows(report: Report) -> list[dict[str, Any]]:
    """The report's lines as plain values, for CSV and JSON; the pages show the same."""
    rows = []
    for line in report.lines:
        spread = line.spread
        row: dict[str, Any] = {
            "principle": line.principle.slug,
            "name": line.principle.name,
            "verdict": line.words,
            "borderline": line.borderline,
            "probability": _rounded(line.probability, 3),
            "planned_probability": _rounded(line.planned_probability, 3),
            "effort_days": _rounded(line.effort, 1),
            "saves_days": _rounded(line.saves, 1),
            "saves_days_low": _rounded(spread.saves_low if spread else None, 1),
            "saves_days_high": _rounded(spread.saves_high if spread else None, 1),
            "costs_days": _rounded(line.costs, 1),
            "costs_days_low": _rounded(spread.costs_low if spread else None, 1),
            "costs_days_high": _rounded(spread.costs_high if spread else None, 1),
            "votes": line.votes,
            "median": line.median,
            "agreement": line.agreement_words,
            "disagreement": line.disagreement,
            "do_not_know": line.unknown,
            "does_not_apply": line.not_applicable,
        }
        row |= {f"votes_{vote}": count for vote, count in enumerate(line.counts, start=1)}
        light = line.light
        row |= {
            "light_level": light.name if light else "",
            "light_verdict": light.words if light else "",
            "light_probability": _rounded(light.probability if light else None, 3),
            "light_effort_days": _rounded(light.effort if light else None, 1),
            "light_saves_days": _rounded(light.saves if light else None, 1),
            "light_rated_by": light.rated if light else 0,
        }
        row |= {
            "model_reasons": " ".join(line.reasons),
            "flips": " ".join(line.flips),
            "flip_on_the_way": line.path,
            "decision": line.decision.get_choice_display() if line.decision else "",
        }
        rows.append(row)
    return rows


def export_document(report: Report, document: Document) -> dict[str, Any]:
    """The whole report as plain values; `tables` are those of the printed report, cell by cell."""
    one = report.round
    return {
        "project": one.assessment.project.slug,
        "assessment": one.assessment.number,
        "round": one.number,
        "edition": one.assessment.edition,
        "anonymous": one.anonymous,
        "closed_at": one.closed_at.isoformat() if one.closed_at else None,
        "invited": report.invited,
        "voted": report.voted,
        "complete": report.complete,
        "net_days": {"p10": report.net[0], "p50": report.net[1], "p90": report.net[2]},
        "kendall_w": report.concordance,
        "krippendorff_alpha": report.alpha,
        "principles": export_rows(report),
        "votes_by_code": {code: dict(zip(_slugs(report), row, strict=True)) for code, row in report.matrix},
        "reasons": {
            line.principle.slug: [asdict(reason) for reason in line.said] for line in report.lines if line.said
        },
        "plans": [asdict(plan) for plan in report.plans],
        "sensitivity": [asdict(swing) for swing in report.swings],
        "scope": report.scope.to_json(),
        "planned_scope": report.planned.to_json() if report.planned else None,
        "settings": report.settings.to_json(),
        "assumptions": report.assumptions,
        "seal": one.seal,
        "tables": [
            {"title": part.title, "columns": list(part.table.columns), "rows": [list(row) for row in part.table.rows]}
            for part in document.parts
            if part.table
        ],
    }


def _slugs(report: Report) -> list[str]:
    return [line.principle.slug for line in report.lines]


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)
