"""Registering a project, its settings, and putting it away."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_http_methods

from ops_portal.errors import UserError
from projects.access import ADMINISTER, VIEW, WORK, project_page
from projects.forms.projects import ProjectCreateForm, ProjectForm, TokenForm
from projects.forms.refusals import show_refusal
from projects.models import Project
from projects.selectors.settings import project_settings
from projects.services.projects import archive_project, create_project, unarchive_project, update_project
from projects.services.teams import create_team

STEPS = ("Project", "Scope", "Data")
PAGES = ["GET", "HEAD", "POST"]


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form is bound to: an empty POST is a POST."""
    return request.POST if request.method == "POST" else None


@require_http_methods(PAGES)
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Register a project; its scope profile is the second step."""
    user = cast(User, request.user)
    form = ProjectCreateForm(posted(request), user=user, initial=request.GET.dict())
    if request.GET.get("part") == "metric":
        return render(request, "projects/create.html#metric", {"form": form})
    if form.is_bound and form.is_valid():
        try:
            project = _register(user, form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{project.name} is registered.")
            return redirect(_next_step(project))
    context = {"form": form, "steps": STEPS}
    return render(request, "projects/create.html", context, status=422 if form.is_bound else 200)


@transaction.atomic
def _register(user: User, given: dict[str, Any]) -> Project:
    """Register the project together with its team, so that a refused project leaves no team behind."""
    fields = dict(given)
    name = fields.pop("new_team", None)
    team = create_team(actor=user, name=name) if name else fields.pop("team")
    return create_project(team=team, actor=user, **fields)


def _next_step(project: Project) -> str:
    try:
        return reverse("assessments:scope", args=[project.slug])
    except NoReverseMatch:
        return reverse("projects:data", args=[project.slug])


@require_http_methods(PAGES)
@project_page(VIEW, change=WORK)
def settings(request: HttpRequest, project: Project) -> HttpResponse:
    """Show and edit what a project is called and judged by, its tokens, and the way to put it away."""
    administers = request.access.can_administer  # type: ignore[attr-defined]
    form = ProjectForm(posted(request), instance=project, administers=administers)
    if form.is_bound and form.is_valid():
        try:
            update_project(project=project, actor=cast(User, request.user), **form.cleaned_data)
        except UserError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("projects:settings", project.slug)
    if form.is_bound:
        project.refresh_from_db()  # the form wrote what was refused onto it
    return settings_page(request, project, form=form, status=422 if form.is_bound else 200)


def settings_page(
    request: HttpRequest,
    project: Project,
    *,
    form: ProjectForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the settings with `form` as it is; `secret` is a new token's, shown this once."""
    access = request.access  # type: ignore[attr-defined]
    context = {
        "project": project,
        "form": form or ProjectForm(instance=project, administers=access.can_administer),
        "token_form": TokenForm(),
        "secret": secret,
        "shown": project_settings(project, with_tokens=access.can_administer),
        "events_url": request.build_absolute_uri(reverse("projects_api:events", args=[project.slug])),
    }
    return render(request, "projects/settings.html", context, status=status)


@require_http_methods(PAGES)
@project_page(ADMINISTER)
def archive(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask whether to put the project away, and do it."""
    if request.method == "POST":
        archive_project(project=project, actor=cast(User, request.user))
        messages.success(request, f"{project.name} is archived. Everything stays readable.")
        return redirect("projects:settings", project.slug)
    return render(request, "projects/archive.html", {"project": project})


@require_http_methods(PAGES)
@project_page(ADMINISTER)
def unarchive(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask whether to bring the project back, and do it."""
    if request.method == "POST":
        unarchive_project(project=project, actor=cast(User, request.user))
        messages.success(request, f"{project.name} is back.")
        return redirect("projects:settings", project.slug)
    return render(request, "projects/archive.html", {"project": project})
