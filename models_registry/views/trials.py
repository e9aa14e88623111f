"""Pages of what is tried beside what serves: canaries, challengers in the shadow, and proposals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from models_registry.forms.deployments import AbortForm, CanaryForm, ChallengerForm, DecisionForm
from models_registry.models import Proposal, Version
from models_registry.selectors.canary import read_canary
from models_registry.selectors.history import offer_versions
from models_registry.selectors.proposals import read_proposal
from models_registry.selectors.serving import ServingNow, serving_now
from models_registry.services.canary import abort_canary
from models_registry.services.proposals import approve, canary_or_propose, decline, withdraw
from models_registry.services.shadows import start_shadow, stop_shadow
from models_registry.views.changing import (
    LIST,
    Change,
    carry_out,
    chosen,
    posted,
    say_proposed,
    show_change,
    version_of,
)
from ops_portal.errors import UserError
from ops_portal.http import see_other
from projects.access import DEPLOY, project_page
from projects.models import Project

CANARY = Change(
    route="models_registry:canary",
    title="Start a canary",
    lead="models_registry/_change_canary.html",
    submit="Start it",
    icon="bird",
)
WIDENING = Change(
    route="models_registry:canary",
    title="Change the canary's share",
    lead="models_registry/_change_canary.html",
    submit="Change it",
    icon="bird",
)
ABORTING = Change(
    route="models_registry:canary_abort",
    title="Abort the canary",
    lead="models_registry/_change_canary.html",
    submit="Abort it",
    icon="undo-2",
    tone="danger-solid",
)
CHALLENGING = Change(
    route="models_registry:challenger",
    title="Let a challenger predict",
    lead="models_registry/_change_challenger.html",
    submit="Let it predict",
    icon="swords",
)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def canary(request: HttpRequest, project: Project) -> HttpResponse:
    """Let a version answer a share of the traffic, or change that share."""
    serving = serving_now(project)
    if serving is None:
        return _nothing_serves(request, project)
    running = serving.canary
    options = offer_versions(project, also=running.version if running else chosen(request, "version"))
    initial = {"expected": serving.number, "version": running.version if running else chosen(request, "version")}
    initial |= {"share": min(running.share * 2, 50)} if running else {}
    form = CanaryForm(posted(request), options=options, running=running.version if running else None, initial=initial)

    def act(given: dict[str, Any]) -> str:
        made = canary_or_propose(
            project=project,
            version=version_of(project, given["version"]),
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
            share=given["share"],
            due_at=given["at"],
            reason=given["reason"],
        )
        if isinstance(made, Proposal):
            return say_proposed(made)
        return f"{made.canary} answers {made.canary_share}% of the traffic from now on."

    if form.is_valid() and (done := carry_out(request, project, form, act)):
        return done
    offers = bool(form.fields["version"].choices)  # type: ignore[attr-defined]
    change = WIDENING if running else CANARY
    return show_change(request, project, change, form, offers=offers, **_beside(project, serving))


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def canary_abort(request: HttpRequest, project: Project) -> HttpResponse:
    """Take the canary back."""
    serving = serving_now(project)
    if serving is None:
        return _nothing_serves(request, project)
    form = AbortForm(posted(request), options=[], initial={"expected": serving.number})

    def act(given: dict[str, Any]) -> str:
        made = abort_canary(project=project, actor=request.user, reason=given["reason"])  # type: ignore[arg-type]
        return f"The canary is aborted: {made.version} answers everything again."

    if form.is_valid() and (done := carry_out(request, project, form, act)):
        return done
    if serving.canary is None and not form.is_bound:
        messages.info(request, "No canary runs here.")
        return see_other(request, LIST, project.slug)
    return show_change(request, project, ABORTING, form, **_beside(project, serving))


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def challenger(request: HttpRequest, project: Project) -> HttpResponse:
    """Let a version predict in the shadow of what serves."""
    serving = serving_now(project)
    if serving is None:
        return _nothing_serves(request, project)
    options = offer_versions(project, also=chosen(request, "version"))
    initial = {"expected": serving.number, "version": chosen(request, "version")}
    form = ChallengerForm(posted(request), options=options, initial=initial)

    def act(given: dict[str, Any]) -> str:
        change = start_shadow(
            project=project,
            version=version_of(project, given["version"]),
            actor=request.user,  # type: ignore[arg-type]
            reason=given["reason"],
        )
        return f"{change.version} predicts in the shadow from now on."

    if form.is_valid() and (done := carry_out(request, project, form, act)):
        return done
    offers = bool(form.fields["version"].choices)  # type: ignore[attr-defined]
    return show_change(request, project, CHALLENGING, form, offers=offers, serving=serving)


@require_POST
@project_page(DEPLOY)
def challenger_stop(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Let a challenger predict no longer; what it said stays."""
    version = get_object_or_404(Version, project=project, number=number)
    stop_shadow(project=project, version=version, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"{version} no longer predicts in the shadow.")
    return see_other(request, LIST, project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(change=DEPLOY)
def proposal(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show a proposed deployment with what happened to it, and settle it."""
    shown = read_proposal(project, number)
    form = DecisionForm(posted(request))
    if form.is_valid():
        try:
            messages.success(request, _settle(project, number, request.user, **form.cleaned_data))  # type: ignore[arg-type]
            return see_other(request, "models_registry:proposal", project.slug, number)
        except UserError as refused:
            form.add_error(None, refused.message)
    context = {
        "project": project,
        "shown": shown,
        "form": form,
        "may_approve": shown.may_approve(request.user),  # type: ignore[arg-type]
    }
    return render(request, "models_registry/proposal.html", context, status=422 if form.is_bound else 200)


def _settle(project: Project, number: int, actor: User, *, decision: str, note: str) -> str:
    found = Proposal.objects.select_related("project__team", "version__model", "version__run", "created_by").get(
        project=project, number=number
    )
    if decision == "decline":
        decline(proposal=found, actor=actor, note=note)
        return f"{found} is declined."
    if decision == "withdraw":
        withdraw(proposal=found, actor=actor, note=note)
        return f"{found} is withdrawn."
    made = approve(proposal=found, actor=actor, now=timezone.now(), note=note)
    if made is not None:
        return f"{found} is approved and carried out: deployment {made.number}."
    end = found.steps.last()
    if end is not None and end.kind == "failed":
        return f"{found} is approved, but was not carried out: {end.note}"
    return f"{found} is approved and waits for its time."


def _beside(project: Project, serving: ServingNow) -> dict[str, Any]:
    return {"serving": serving, "canary": read_canary(project, serving)}


def _nothing_serves(request: HttpRequest, project: Project) -> HttpResponse:
    messages.info(request, "Nothing is deployed yet. Deploy a version first; others can then be tried beside it.")
    return see_other(request, LIST, project.slug)
