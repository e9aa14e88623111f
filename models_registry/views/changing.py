"""What the forms that change what serves share: one page or dialog, and a refusal when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from models_registry.forms.deployments import LARGEST
from models_registry.models import Proposal, Version
from models_registry.selectors.serving import serving_now
from models_registry.services.expecting import expecting
from models_registry.views import template_for
from ops_portal.errors import UserError
from ops_portal.http import see_other
from projects.models import Project

LIST = "models_registry:deployment_list"


@dataclass(frozen=True)
class Change:
    """How a form that changes what serves is shown. `lead` is the template of the sentence above it."""

    route: str
    title: str
    lead: str
    submit: str
    icon: str
    tone: str = "primary"


def show_change(
    request: HttpRequest, project: Project, change: Change, form: Any, *, offers: bool = True, **context: Any
) -> HttpResponse:
    """Show the form of a change; htmx gets the dialog, everything else a page with the same form.

    `offers` is False where there is nothing to choose; the template says what to do instead.
    """
    context |= {"project": project, "form": form, "change": change, "offers": offers}
    template = template_for(request, "models_registry/deployment_change.html", "dialog")
    return render(request, template, context, status=422 if form.is_bound else 200)


def carry_out(
    request: HttpRequest, project: Project, form: Any, act: Callable[[dict[str, Any]], str]
) -> HttpResponse | None:
    """Do what a valid form asks if nothing was deployed meanwhile; None when it was refused, which the form then says.

    `act` does it and returns what to tell the person.
    """
    try:
        with expecting(project, form.cleaned_data["expected"]):
            said = act(form.cleaned_data)
    except UserError as refused:
        serving = serving_now(project)
        form.refuse(refused, serving.number if serving else 0)
        return None
    messages.success(request, said)
    return see_other(request, LIST, project.slug)


def say_proposed(proposal: Proposal) -> str:
    """What happens next with a proposal, in words."""
    waits = [f"until {proposal.due_at:%d %b %Y, %H:%M} UTC"] if proposal.due_at else []
    waits += ["for a second person to approve it"] if proposal.needs_approval else []
    return f"Proposal {proposal.number} waits {' and '.join(waits)}."


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: an empty POST is a POST."""
    return request.POST if request.method == "POST" else None


def version_of(project: Project, number: int) -> Version:
    """The version a form has offered."""
    return Version.objects.select_related("model", "run").get(project=project, number=number)


def chosen(request: HttpRequest, name: str) -> int | None:
    """The number of a version named in the address or the form, when it can be one."""
    text = request.POST.get(name) or request.GET.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST else None
