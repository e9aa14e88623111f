"""Tags and filters that every page uses: icons, states, navigation, dialogs, sparklines, values for reading."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import lucide
from django import template
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ops_portal.templatetags import reading, spark, states

register = template.Library()

for name, function in reading.FILTERS.items():
    register.filter(name, function)


@lru_cache(maxsize=512)
def _draw(name: str, css: str, label: str) -> SafeString:
    """Icons repeat on every page: parse each once."""
    named: dict[str, str] = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    svg = lucide._render_icon(str(name), None, focusable="false", **{"class": css}, **named)
    # lucide's files spread over many lines; one line keeps the page small and text nodes tidy.
    return mark_safe(" ".join(svg.split()).replace("> <", "><"))  # noqa: S308 - from the package's own files


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """Draw a lucide icon, sized by the text around it. Hidden from assistive technology unless it has a `label`.

    `{% icon "rocket" %}`, `{% icon "rocket" "icon-lg" %}`, `{% icon "lock" label="Private" %}`
    """
    return _draw(str(name), f"icon {css}".strip(), str(label))


@register.simple_tag
def state_badge(state: object, label: str = "") -> SafeString:
    """Show a state as tone, symbol and word. `{% state_badge run.state %}`, `{% state_badge "serving" "v12" %}`."""
    look = states.look_of(str(state))
    return format_html(
        '<span class="badge badge-{}{}" data-state="{}">{}{}</span>',
        look.tone,
        " badge-working" if look.working else "",
        str(state),
        icon(look.icon),
        label or look.label,
    )


@register.simple_tag
def badge(label: object, tone: str = "calm", symbol: str = "") -> SafeString:
    """Show any word as a badge. `{% badge "Binary" %}`, `{% badge "3 alarms" "warn" "triangle-alert" %}`."""
    return format_html('<span class="badge badge-{}">{}{}</span>', tone, icon(symbol) if symbol else "", label)


@register.simple_tag
def state_tone(state: object) -> str:
    """Name the tone of a state, for timelines and progress bars. `timeline-{% state_tone "failed" %}`."""
    return states.look_of(str(state)).tone


@register.simple_tag
def state_icon(state: object) -> SafeString:
    """Draw only the symbol of a state."""
    return icon(states.look_of(str(state)).icon)


@register.simple_tag
def sparkline(values: Iterable[float | None] | None, title: str = "", css: str = "") -> SafeString:
    """Draw a small line without axes. `{% sparkline row.accuracies "Accuracy, last 40 points" %}`."""
    return spark.draw(list(values or ()), title=title, css=css)


@register.simple_tag
def change(value: float | None, before: float | None, better: str = "higher") -> SafeString:
    """Show how `value` moved from `before`: an arrow, the difference, and whether that is good.

    `better` is "higher" or "lower". `{% change row.accuracy champion.accuracy %}`
    """
    if value is None or before is None:
        return SafeString("")
    difference = value - before
    if math.isclose(value, before, rel_tol=1e-6, abs_tol=1e-12):
        return format_html('<span class="change change-same">{}no change</span>', icon("equal"))
    good = (difference > 0) == (better != "lower")
    return format_html(
        '<span class="change change-{}">{}<span>{} {}</span></span>',
        "better" if good else "worse",
        icon("arrow-up" if difference > 0 else "arrow-down"),
        reading.plain_metric(abs(difference)),
        "better" if good else "worse",
    )


@register.simple_tag(takes_context=True)
def nav_link(
    context: RequestContext, route: str, *args: object, symbol: str = "", label: str, key: str = "", active: str = ""
) -> SafeString:
    """One entry of a navigation; nothing while its page does not exist.

    Current when `active` names its `key`, or, without `active`, when the page's address lies under its own.
    """
    try:
        url = reverse(route, args=args)
    except NoReverseMatch:
        return SafeString("")
    path = getattr(context.get("request"), "path", "")
    here = active == key if active else path == url or (key != "overview" and path.startswith(url))
    return format_html(
        '<li><a href="{}"{}>{}<span>{}</span></a></li>',
        url,
        SafeString(' aria-current="page"') if here else "",
        icon(symbol) if symbol else "",
        label,
    )


@register.filter
def initials(name: object) -> str:
    """One or two letters for an avatar."""
    words = str(name).replace("_", " ").replace(".", " ").split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))[:2].upper() or "?"


@register.filter
def branches(union: Iterable[Any]) -> list[list[Any]]:
    """Branches of a union in a model's outline, each as a list of steps (a lone step stands for a list of one)."""
    return [branch if isinstance(branch, list) else [branch] for branch in union]


@register.simple_block_tag
def dialog(content: str, id: str, title: str, wide: bool = False, opened: bool = False) -> SafeString:
    """A modal dialog around its content; a button with `data-dialog-open="<id>"` opens it.

    `{% dialog "rollback" title="Roll back" %}<form>...</form>{% enddialog %}`; `opened=True` shows it at once,
    as after a form in it was refused.
    """
    context: dict[str, Any] = {"id": id, "title": title, "wide": wide, "opened": opened, "content": content}
    return mark_safe(render_to_string("components/_dialog.html", context))  # noqa: S308 - an autoescaped template
