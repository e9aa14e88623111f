"""Tags of the assessment's pages: where a sentence comes from, and answers in their look."""

from __future__ import annotations

from typing import Any

from django import template

from assessments.models import Value
from assessments.principles import Practice, Statement, load_catalogue
from assessments.selectors.overview import Overview, PrincipleLine

register = template.Library()

#: The portal's names for states of answers, as `ops_portal.templatetags.states` draws them.
LOOKS = {Value.DOES_NOT_APPLY.value: "na", "": "unanswered"}


@register.inclusion_tag("assessments/_sources.html")
def sources(statement: Statement | Practice, slug: str) -> dict[str, Any]:
    """Show the sources of a sentence as tags that lead to the list of sources; the portal's own is marked as such."""
    catalogue = load_catalogue()
    cited = [(str(one), one.tag, catalogue.source(one.tag).reference) for one in statement.sources]
    return {"cited": cited, "own": statement.own, "slug": slug}


@register.filter
def look(value: str) -> str:
    """The name under which a state badge knows an answer. `{% state_badge state.value|look %}`."""
    return LOOKS.get(value, value)


@register.filter
def amount(value: float) -> str:
    """4.5 stays 4.5, 4.0 becomes 4."""
    return f"{value:g}"


@register.filter
def line_of(slug: str, overview: Overview) -> PrincipleLine:
    """The line of a principle in the overview. `{{ item.principle.slug|line_of:overview }}`."""
    return next(line for line in overview.lines if line.state.principle.slug == slug)


@register.filter
def level_number(value: float) -> str:
    """The number of a worded level: one in 26 weeks is 1/26."""
    return f"1/{round(1 / value)}" if 0 < value < 0.2 else f"{value:g}"
