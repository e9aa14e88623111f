"""Sparklines: small lines made on the server as SVG, coloured by CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ops_portal.templatetags.reading import plain_metric

WIDTH, HEIGHT, MARGIN, MOST = 120, 32, 3, 60


def thin(values: Sequence[float | None], most: int = MOST) -> list[float | None]:
    """At most `most` values, first and last among them."""
    if len(values) <= most:
        return list(values)
    step = (len(values) - 1) / (most - 1)
    return [values[round(index * step)] for index in range(most)]


def draw(values: Sequence[float | None], *, title: str = "", css: str = "") -> SafeString:
    """Draw `values` from left to right, gaps where there is none; the description says first, last and range."""
    clean = [None if value is None or not math.isfinite(value) else float(value) for value in values]
    known = [value for value in clean if value is not None]
    if len(known) < 2:
        return format_html('<span class="muted small">{}</span>', "Not enough points yet")
    low, high = min(known), max(known)
    points = thin(clean)
    step = (WIDTH - 2 * MARGIN) / max(len(points) - 1, 1)

    def place(index: int, value: float) -> str:
        share = (value - low) / (high - low) if high > low else 0.5
        return f"{MARGIN + index * step:.1f} {HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN):.1f}"

    lines: list[list[str]] = [[]]
    for index, value in enumerate(points):
        if value is None:
            if lines[-1]:
                lines.append([])
        else:
            lines[-1].append(place(index, value))
    drawn = [line for line in lines if line]
    end_x, end_y = drawn[-1][-1].split()
    first, last, least, most = (plain_metric(value) for value in (known[0], known[-1], low, high))
    summary = f"From {first} to {last}; lowest {least}, highest {most}."
    paths = format_html_join("", '<path class="sparkline-line" d="M{}"/>', ((" L".join(line),) for line in drawn))
    return format_html(
        '<svg class="sparkline {}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">'
        "<title>{}</title><desc>{}</desc>{}"
        '<path class="sparkline-end" d="M{} {}h0"/></svg>',
        css,
        WIDTH,
        HEIGHT,
        title or "Trend",
        summary,
        paths,
        end_x,
        end_y,
    )
