"""Pages about versions: the list, one version with its lineage, two side by side."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from models_registry import doorbell
from models_registry.forms.runs import VersionFilter
from models_registry.forms.specs import show_spec
from models_registry.models import RegisteredModel
from models_registry.selectors import versions as selectors
from models_registry.selectors.comparison import compare_versions
from models_registry.services import restoring
from projects.access import START, VIEW, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def version_list(request: HttpRequest, project: Project) -> HttpResponse:
    """List the versions of a project, filtered by model or run."""
    form = VersionFilter(request.GET, models=RegisteredModel.objects.filter(project=project))
    page = selectors.list_versions(project, **form.chosen(), page=request.GET.get("page"))
    context = {"project": project, "page": page, "form": form, "filtered": any(form.chosen().values())}
    return render(request, "models_registry/version_list.html", context)


@require_safe
@project_page(VIEW)
def version(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show one version: how good it is, where it comes from, where it served."""
    shown = selectors.open_version(project, number)
    context = {"project": project, "shown": shown, "spec_text": show_spec(shown.spec)}
    return render(request, "models_registry/version_detail.html", context)


@require_POST
@project_page(START)
def version_verify(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Start the run that learns a version again and reports whether the same model comes out."""
    assert isinstance(request.user, User)
    run = restoring.verify(version=selectors.find_version(project, number), actor=request.user)
    doorbell.ring(run.pk)
    messages.success(request, f"Run {run.number} learns v{number} again.")
    return redirect("models_registry:run", project.slug, run.number)


@require_safe
@project_page(VIEW)
def version_compare(request: HttpRequest, project: Project) -> HttpResponse:
    """Show two versions side by side; the list's tick boxes arrive here as `v` and are put in order."""
    here = reverse("models_registry:version_compare", args=[project.slug])
    if ticked := request.GET.getlist("v"):
        numbers = sorted({int(number) for number in ticked if _is_number(number)})
        if len(numbers) == 2:
            return redirect(f"{here}?a={numbers[0]}&b={numbers[1]}")
        messages.warning(request, f"Tick two versions to compare; {len(numbers) or 'none'} came.")
        return redirect("models_registry:version_list", project.slug)
    a, b = request.GET.get("a", ""), request.GET.get("b", "")
    if not _is_number(a) or not _is_number(b):
        messages.info(request, "Tick two versions, then compare them.")
        return redirect("models_registry:version_list", project.slug)
    context = {"project": project, "shown": compare_versions(project, int(a), int(b))}
    return render(request, "models_registry/version_compare.html", context)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 10
