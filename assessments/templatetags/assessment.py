"""Tags of the assessment's pages: where a sentence comes from, and answers in their look."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from assessments.models import Value
from assessments.principles import Practice, Statement
from assessments.selectors.overview import Overview, PrincipleLine
from assessments.services import catalogue_edits
from projects.models import Project

register = template.Library()

#: The portal's names for states of answers, as `ops_portal.templatetags.states` draws them.
LOOKS = {Value.DOES_NOT_APPLY.value: "na", "": "unanswered"}


@register.inclusion_tag("assessments/_sources.html")
def sources(statement: Statement | Practice, slug: str, plain: object = "") -> dict[str, Any]:
    """Show the sources of a sentence as tags that lead to the list of sources; what no source states is marked.

    `plain` leaves out the links, for people who cannot open the list.
    """
    cited = [(str(one), one.tag, one.reference) for one in statement.sources]
    return {"cited": cited, "own": statement.own, "team": statement.team, "slug": slug, "plain": bool(plain)}


@register.inclusion_tag("components/_tabs.html")
def assessment_tabs(project: Project, active: str) -> dict[str, Any]:
    """The pages of an assessment, as tabs. `{% assessment_tabs project "scope" %}`."""
    slug = project.slug
    tabs = [
        ("Overview", reverse("assessments:overview", args=[slug]), "overview"),
        ("Scope", reverse("assessments:scope", args=[slug]), "scope"),
        ("Checklist", reverse("assessments:checklist_start", args=[slug]), "checklist"),
        ("Recommendation", reverse("assessments:recommendation", args=[slug]), "recommendation"),
        ("Panel", reverse("assessments:experts", args=[slug]), "panel"),
        ("Plan", reverse("assessments:plan", args=[slug]), "plan"),
    ]
    return {"tabs": tabs, "active": active, "label": "Assessment"}


@register.filter
def look(value: str) -> str:
    """The name under which a state badge knows an answer. `{% state_badge state.value|look %}`."""
    return LOOKS.get(value, value)


@register.filter
def amount(value: float | None) -> str:
    """4.5 stays 4.5, 4.0 becomes 4, nothing stays nothing."""
    return "" if value is None else f"{value:g}"


@register.filter
def state_of(principle: Any) -> str:
    """The state of a principle's data in a draft, which its form sends back."""
    return catalogue_edits.state_of(principle)


@register.filter
def line_of(slug: str, overview: Overview) -> PrincipleLine:
    """The line of a principle in the overview. `{{ item.principle.slug|line_of:overview }}`."""
    return next(line for line in overview.lines if line.state.principle.slug == slug)


@register.filter
def dots(count: int) -> range:
    """As many turns of a loop as there are votes."""
    return range(count)


@register.filter
def level_number(value: float) -> str:
    """The number of a worded level: one in 26 weeks is 1/26."""
    return f"1/{round(1 / value)}" if 0 < value < 0.2 else f"{value:g}"


@register.filter
def of_total(total: int) -> str:
    """A unit after a count. `{% include "components/_stat.html" with value=3 unit=12|of_total only %}`."""
    return f"of {total}"


@register.filter
def signed(points: float) -> str:
    """Percentage points with their sign, `+12` or `\N{MINUS SIGN}3`; what rounds to nothing is 0."""
    whole = round(points)
    return f"{whole:+d}".replace("-", "\N{MINUS SIGN}") if whole else "0"
