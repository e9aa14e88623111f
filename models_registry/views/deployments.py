"""Pages of deployments: what serves and what served, deploying, rolling back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from models_registry import doorbell
from models_registry.forms.deployments import DeployForm, RollBackForm
from models_registry.models import Deployment, Proposal
from models_registry.selectors.canary import read_canary
from models_registry.selectors.history import learned_since, list_deployments, offer_versions
from models_registry.selectors.last_good import find_last_good
from models_registry.selectors.live import live_lately, note_measure
from models_registry.selectors.proposals import list_waiting
from models_registry.selectors.serving import serving_now
from models_registry.selectors.shadows import list_shadows
from models_registry.selectors.timeline import read_timeline
from models_registry.services.deployment import roll_back as do_roll_back
from models_registry.services.proposals import deploy_or_propose
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
from ops_portal.http import see_other
from projects.access import DEPLOY, project_page
from projects.models import Project

DEPLOYING = Change(
    route="models_registry:deploy",
    title="Deploy a version",
    lead="models_registry/_change_deploy.html",
    submit="Deploy",
    icon="rocket",
)
PROPOSING = Change(
    route="models_registry:deploy",
    title="Propose a deployment",
    lead="models_registry/_change_deploy.html",
    submit="Propose",
    icon="users",
)
ROLLING_BACK = Change(
    route="models_registry:roll_back",
    title="Roll back",
    lead="models_registry/_change_rollback.html",
    submit="Roll back",
    icon="undo-2",
    tone="danger-solid",
)


@require_safe
@project_page()
def deployment_list(request: HttpRequest, project: Project) -> HttpResponse:
    """Show what serves now, what waits or runs beside it, and everything that served before."""
    serving = serving_now(project)
    live = live_lately(project, serving.origin_pk, serving.version_id) if serving else None
    context = {
        "project": project,
        "serving": serving,
        "live_note": note_measure(project),
        "live": live,
        "last_good": find_last_good(project, live),
        "canary": read_canary(project, serving),
        "proposals": list_waiting(project),
        "shadows": list_shadows(project, serving.version_id, serving.version) if serving else [],
        "page": list_deployments(project, serving.number if serving else 0, request.GET.get("page")),
    }
    return render(request, "models_registry/deployment_list.html", context)


@require_safe
@project_page()
def timeline(request: HttpRequest, project: Project) -> HttpResponse:
    """Show which version served when, over the live metric, with the way back beside it."""
    context = {
        "project": project,
        "serving": serving_now(project),
        "last_good": find_last_good(project),
        "chart": read_timeline(project),
        "live_note": note_measure(project),
    }
    return render(request, "models_registry/deployment_timeline.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def deploy(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a version and let it serve, now or later, or propose it where a second person approves."""
    serving = serving_now(project)
    options = offer_versions(project, also=chosen(request, "version"))
    initial = {"expected": serving.number if serving else 0, "version": chosen(request, "version")}
    form = DeployForm(posted(request), options=options, initial=initial)

    def act(given: dict[str, Any]) -> str:
        made = deploy_or_propose(
            project=project,
            version=version_of(project, given["version"]),
            actor=request.user,  # type: ignore[arg-type]
            now=timezone.now(),
            mode=given["mode"],
            due_at=given["at"],
            reason=given["reason"],
        )
        if isinstance(made, Proposal):
            return say_proposed(made)
        how = ", following its run" if made.mode == Deployment.Mode.FOLLOW else ""
        return f"{made.version} of {made.version.model.name} serves now{how}."

    if form.is_valid() and (done := carry_out(request, project, form, act)):
        return done
    change = PROPOSING if project.deploys_need_approval else DEPLOYING
    return show_change(request, project, change, form, offers=bool(options), serving=serving)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def roll_back(request: HttpRequest, project: Project) -> HttpResponse:
    """Restore a version, with a reason and a choice for what was learned since."""
    serving = serving_now(project)
    if serving is None:
        messages.info(request, "Nothing is deployed yet, so there is nothing to roll back.")
        return see_other(request, LIST, project.slug)
    good = find_last_good(project)
    to = chosen(request, "to") or (good.number if good else None)
    options = offer_versions(project, also=to, served=True)
    initial = {"expected": serving.number, "to": to or serving.version}
    form = RollBackForm(posted(request), options=options, follows=serving.follows, initial=initial)

    def act(given: dict[str, Any]) -> str:
        done = do_roll_back(
            project=project,
            actor=request.user,  # type: ignore[arg-type]
            since=given["since"],
            reason=given["reason"],
            to=version_of(project, given["to"]),
        )
        if done.replay is None:
            return f"Rolled back: {done.deployment.version} serves from now on."
        doorbell.ring(done.replay.pk)
        return (
            f"Rolled back: {done.deployment.version} serves from now on. "
            f"Run {done.replay.number} replays what was learned since."
        )

    if form.is_valid() and (answer := carry_out(request, project, form, act)):
        return answer
    since = learned_since(project, form.options.get(initial["to"]), serving.model_id)
    offers = bool(form.fields["to"].choices)  # type: ignore[attr-defined]
    return show_change(
        request, project, ROLLING_BACK, form, offers=offers, serving=serving, since=since, last_good=good
    )
