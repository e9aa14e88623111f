"""Pages about models: the list, and one model with its runs and versions."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from models_registry.forms.specs import show_spec
from models_registry.selectors import models as selectors
from projects.access import VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def model_list(request: HttpRequest, project: Project) -> HttpResponse:
    """List the models of a project with how well the newest version of each does."""
    context = {"project": project, "page": selectors.list_models(project, request.GET.get("page"))}
    return render(request, "models_registry/model_list.html", context)


@require_safe
@project_page(VIEW)
def model(request: HttpRequest, project: Project, model_id: int) -> HttpResponse:
    """Show one model: what it is, its runs, its versions."""
    shown = selectors.open_model(project, model_id)
    run_url = f"{reverse('models_registry:run_create', args=[project.slug])}?model={shown.pk}"
    context = {"project": project, "shown": shown, "spec_text": show_spec(shown.spec), "run_url": run_url}
    return render(request, "models_registry/model_detail.html", context)
