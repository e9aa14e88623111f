"""Values of events as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import template
from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ops_portal.templatetags.reading import nothing, number
from projects.models import Project, Task
from projects.selectors.data import ImportRow

register = template.Library()
LONGEST = 40


@register.filter
def value(given: object) -> SafeString:
    """Show a feature or label: numbers rounded, long texts cut, the exact value in the title."""
    if given is None:
        return nothing("Missing")
    if isinstance(given, bool):
        return format_html('<span class="tag">{}</span>', "true" if given else "false")
    if isinstance(given, int | float):
        return format_html('<data class="num" value="{0}" title="{0}">{1}</data>', given, number(given))
    text = str(given)
    if len(text) <= LONGEST:
        return format_html("{}", text) if text else format_html('<span class="muted">{}</span>', "empty text")
    return format_html('<span title="{}">{}…</span>', text[:1000], text[: LONGEST - 1])


@register.filter
def is_number(given: object) -> bool:
    """Say whether a value stands right-aligned in a table."""
    return isinstance(given, int | float) and not isinstance(given, bool)


@register.filter
def at(values: Sequence[Any], index: int) -> Any:
    """Return one of `values`; None beyond their end."""
    return values[index] if index < len(values) else None


@register.simple_tag
def curl_example(url: str, token: str, project: Project) -> str:
    """Write the command that sends one event with its label to `url`."""
    labels: dict[str, object] = {Task.BINARY: True, Task.MULTICLASS: "first", Task.REGRESSION: 12.5}
    label = project.label_classes[0] if project.label_classes else labels[project.task]
    event = json.dumps({"id": "event-1", "features": {"amount": 12.5, "country": "DE"}, "label": label})
    return (
        f"curl {url} \\\n"
        f'  -H "Authorization: Bearer {token}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{_shell_quoted(event)}'"
    )


@register.simple_tag
def consume_again(project: Project, row: ImportRow, user: User) -> str:
    """Write the command with which `user` starts a consumer of a stream again."""
    return f"python manage.py consume {project.slug} {row.again or 'STREAM --url URL'} --as {user.get_username()}"


def _shell_quoted(text: str) -> str:
    """Keep a quotation mark in `text` from ending the shell's."""
    return text.replace("'", "'\\''")
