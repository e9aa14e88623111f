"""What the templates of runs and comparisons need beyond `ui`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms, template
from django.template import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ops_portal.templatetags.ui import icon

register = template.Library()


@register.filter
def of(values: Mapping[Any, Any], key: Any) -> Any:
    """Look up a key: `{{ words|of:model.pk }}`."""
    return values.get(key, "")


@register.filter
def field_name(name: str, form: forms.Form) -> str:
    """What a form calls one of its fields: `{{ name|field_name:form }}`."""
    field = form.fields.get(name)
    return str(field.label or name.replace("_", " ").capitalize()) if field else name


@register.simple_tag(takes_context=True)
def sort_header(
    context: RequestContext, key: str, title: str, sort: str, numeric: bool = False, help: str = ""
) -> SafeString:
    """Head a column with a link that sorts by it, the greatest first, and the other way when pressed again."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    query["sort"] = key if sort == f"-{key}" else f"-{key}"
    here = sort.removeprefix("-") == key
    down = sort.startswith("-")
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="?{}" title="{}">{}{}</a></th>',
        SafeString(' class="num"') if numeric else "",
        SafeString(f' aria-sort="{"descending" if down else "ascending"}"') if here else "",
        query.urlencode(),
        help or f"Sort by {title}",
        title,
        icon("arrow-down" if down else "arrow-up") if here else "",
    )
