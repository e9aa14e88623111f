"""Pages of deployments: what serves and what served, deploying, rolling back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from models_registry import doorbell
from models_registry.forms.deployments import LARGEST, DeployForm, RollBackForm
from models_registry.models import Deployment, Version
from models_registry.selectors.history import learned_since, list_deployments, offer_versions
from models_registry.selectors.last_good import find_last_good
from models_registry.selectors.serving import serving_now
from models_registry.services import deployment as service
from models_registry.services.expecting import expecting
from models_registry.views import template_for
from ops_portal.errors import UserError
from ops_portal.http import see_other
from projects.access import DEPLOY, project_page
from projects.models import Project

LIST = "models_registry:deployment_list"


@require_safe
@project_page()
def deployment_list(request: HttpRequest, project: Project) -> HttpResponse:
    """Show what serves now and everything that served before, with the way back to each."""
    serving = serving_now(project)
    context = {
        "project": project,
        "serving": serving,
        "last_good": find_last_good(project),
        "page": list_deployments(project, request.GET.get("page")),
    }
    return render(request, "models_registry/deployment_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def deploy(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a version and let it serve; htmx gets the dialog, everything else a page with the same form."""
    serving = serving_now(project)
    options = offer_versions(project, also=_chosen(request, "version"))
    initial = {"expected": serving.number if serving else 0, "version": _chosen(request, "version")}
    form = DeployForm(_posted(request), options=options, initial=initial)
    if request.method == "POST" and form.is_valid():
        refused = _deploy(request, project, form)
        if refused is None:
            return see_other(request, LIST, project.slug)
        serving = serving_now(project)
        form.refuse(refused, serving.number if serving else 0)
    context = {"project": project, "form": form, "serving": serving, "options": options}
    template = template_for(request, "models_registry/deployment_deploy.html", "dialog")
    return render(request, template, context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(DEPLOY)
def roll_back(request: HttpRequest, project: Project) -> HttpResponse:
    """Restore a version, with a reason and a choice for what was learned since."""
    serving = serving_now(project)
    good = find_last_good(project)
    chosen = _chosen(request, "to") or (good.number if good else None)
    options = offer_versions(project, also=chosen, served=True)
    if serving is None:
        messages.info(request, "Nothing is deployed yet, so there is nothing to roll back.")
        return see_other(request, LIST, project.slug)
    initial = {"expected": serving.number, "to": chosen or serving.version}
    form = RollBackForm(_posted(request), options=options, follows=serving.follows, initial=initial)
    if request.method == "POST" and form.is_valid():
        refused = _roll_back(request, project, form)
        if refused is None:
            return see_other(request, LIST, project.slug)
        serving = serving_now(project) or serving
        form.refuse(refused, serving.number)
    target = form.options.get(initial["to"])
    since = learned_since(project, target, serving.model_id)
    context = {"project": project, "form": form, "serving": serving, "since": since, "last_good": good}
    template = template_for(request, "models_registry/deployment_rollback.html", "dialog")
    return render(request, template, context, status=422 if form.is_bound else 200)


def _deploy(request: HttpRequest, project: Project, form: DeployForm) -> UserError | None:
    given = form.cleaned_data
    try:
        with expecting(project, given["expected"]):
            made = service.deploy(
                project=project,
                version=_version(project, given["version"]),
                actor=request.user,  # type: ignore[arg-type]
                mode=given["mode"],
                reason=given["reason"],
            )
    except UserError as refused:
        return refused
    how = ", following its run" if made.mode == Deployment.Mode.FOLLOW else ""
    messages.success(request, f"{made.version} of {made.version.model.name} serves now{how}.")
    return None


def _roll_back(request: HttpRequest, project: Project, form: RollBackForm) -> UserError | None:
    given = form.cleaned_data
    try:
        with expecting(project, given["expected"]):
            done = service.roll_back(
                project=project,
                actor=request.user,  # type: ignore[arg-type]
                since=given["since"],
                reason=given["reason"],
                to=_version(project, given["to"]),
            )
            if done.replay:
                doorbell.ring(done.replay.pk)
    except UserError as refused:
        return refused
    more = f" Run {done.replay.number} replays what was learned since." if done.replay else ""
    messages.success(request, f"Rolled back: {done.deployment.version} serves from now on.{more}")
    return None


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _version(project: Project, number: int) -> Version:
    return Version.objects.select_related("model", "run").get(project=project, number=number)


def _chosen(request: HttpRequest, name: str) -> int | None:
    """The number of a version named in the address or the form, when it can be one."""
    text = request.POST.get(name) or request.GET.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= LARGEST else None
