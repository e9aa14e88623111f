"""Pages about comparisons and sweeps: the list, starting one, and its candidates side by side, live."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_registry import doorbell
from models_registry.forms.comparisons import ComparisonForm, SweepForm
from models_registry.forms.detectors import read_detector
from models_registry.models import Comparison, RegisteredModel, Run
from models_registry.selectors.comparisons import candidates_of, find_comparison, list_comparisons, pick_runs
from models_registry.selectors.pipelines import name_steps
from models_registry.selectors.side_by_side import MOST_RUNS, SideBySide, compare_runs
from models_registry.selectors.side_by_side_rows import list_rows
from models_registry.services.comparisons import start_comparison, start_sweep
from models_registry.services.runs import cancel_run
from ops_portal.downloads import send_rows
from ops_portal.errors import UserError
from projects.access import START, VIEW, WORK, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def comparison_list(request: HttpRequest, project: Project) -> HttpResponse:
    """List the comparisons of a project."""
    page = list_comparisons(project, request.GET.get("page"))
    context = {"project": project, "page": page, "model_count": _models(project).count()}
    context["at_work"] = any(row.at_work for row in page.object_list)
    return render(request, "models_registry/comparison_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(START)
def comparison_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Start a comparison of several models."""
    models, detector = _models(project), read_detector(request.POST, project.task)
    initial = {"models": request.GET.getlist("model")}
    form = ComparisonForm(request.POST or None, project=project, models=models, initial=initial)
    if request.method == "POST" and form.is_valid() and detector.valid:
        given = form.cleaned_data
        try:
            started = start_comparison(
                project=project,
                name=given["name"],
                models=given["models"],
                actor=_actor(request),
                **form.pass_options(detector.drift),
            )
        except UserError as refused:
            form.refuse(refused)
        else:
            return _started(request, started)
    words = {model.pk: name_steps(model.spec) for model in models}
    context = {"project": project, "form": form, "words": words, "detector": detector}
    return render(request, "models_registry/comparison_create.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(START)
def sweep_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose the model to vary, then what to vary; a press of *Count* shows the candidates before anything starts."""
    model = _chosen_model(request, project)
    if model is None:
        return render(request, "models_registry/sweep_model.html", {"project": project, "models": _models(project)})
    form, detector = _sweep_form(request, model), read_detector(request.POST, project.task)
    ready = form.is_bound and form.is_valid() and detector.valid
    if ready and "count_only" not in request.POST:
        options = form.pass_options(detector.drift)
        try:
            started = start_sweep(base=model, specs=form.specs, actor=_actor(request), **options)
        except UserError as refused:
            form.refuse(refused)
            ready = False
        else:
            return _started(request, started)
    wrong = form.is_bound and not ready
    context = {"project": project, "model": model, "form": form, "words": name_steps(model.spec), "detector": detector}
    return render(request, "models_registry/sweep_create.html", context, status=422 if wrong else 200)


@require_POST
@project_page(START)
def sweep_count(request: HttpRequest, project: Project) -> HttpResponse:
    """Answer with the candidates that a sweep would have, while its form is filled in."""
    model = _chosen_model(request, project)
    if model is None:
        raise Http404
    context = {"project": project, "model": model, "form": _sweep_form(request, model)}
    return render(request, "models_registry/sweep_create.html#plan", context)


@require_safe
@project_page(VIEW)
def comparison(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show a comparison: champion and challengers on one chart, and what of their differences is chance."""
    found = find_comparison(project, number)
    runs = candidates_of(found)
    context = {"project": project, "comparison": found, "here": request.path}
    if runs:
        context |= _side_by_side(request, project, runs)
    return render(request, "models_registry/comparison_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def comparison_cancel(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """End the runs of a comparison that are not over; a GET asks first."""
    found = find_comparison(project, number)
    going = [run for run in candidates_of(found) if not run.ended]
    if request.method != "POST":
        context = {"project": project, "comparison": found, "going": len(going)}
        return render(request, "models_registry/comparison_cancel.html", context)
    for run in going:
        cancel_run(run=run, actor=_actor(request))
    messages.success(request, f"Cancelled {len(going)} runs. Their versions and metrics stay.")
    return redirect("models_registry:comparison", project.slug, number)


@require_safe
@project_page(VIEW)
def comparison_export(request: HttpRequest, project: Project, number: int, form: str) -> StreamingHttpResponse:
    """Send what the page of a comparison shows, as CSV or JSON."""
    runs = candidates_of(find_comparison(project, number))
    return _export(request, project, runs, f"comparison-{number}", form)


@require_safe
@project_page(VIEW)
def run_compare(request: HttpRequest, project: Project) -> HttpResponse:
    """Show any runs side by side: `?r=3&r=5`, as the ticks of the list send them."""
    asked = _asked(request)
    runs = pick_runs(project, asked[: MOST_RUNS + 1])
    if not 2 <= len(runs) <= MOST_RUNS:
        messages.warning(request, f"Tick 2 to {MOST_RUNS} runs to compare; {len(set(asked)) or 'none'} came.")
        return redirect("models_registry:run_list", project.slug)
    query = "".join(f"r={run.number}&" for run in runs)
    context = {"project": project, "here": f"{request.path}?{query}"} | _side_by_side(request, project, runs, query)
    return render(request, "models_registry/run_compare.html", context)


@require_safe
@project_page(VIEW)
def run_compare_export(request: HttpRequest, project: Project, form: str) -> StreamingHttpResponse:
    """Send what the page of these runs side by side shows, as CSV or JSON."""
    return _export(request, project, pick_runs(project, _asked(request)[:MOST_RUNS]), "runs-compared", form)


def _asked(request: HttpRequest) -> list[int]:
    return [int(text) for text in request.GET.getlist("r") if text.isdecimal() and len(text) < 10]


def _export(request: HttpRequest, project: Project, runs: list[Run], name: str, form: str) -> StreamingHttpResponse:
    rows = list(list_rows(_compare(request, project, runs))) if runs else []
    return send_rows(rows, list(rows[0]) if rows else [], name=f"{project.slug}-{name}", form=form)


def _compare(request: HttpRequest, project: Project, runs: list[Run]) -> SideBySide:
    return compare_runs(project, runs, metric=request.GET.get("metric", ""), champion=_champion(request))


def _champion(request: HttpRequest) -> int | None:
    asked = request.GET.get("champion", "")
    return int(asked) if asked.isdecimal() and len(asked) < 10 else None


def _side_by_side(request: HttpRequest, project: Project, runs: list[Run], query: str = "") -> dict[str, Any]:
    shown, chosen = _compare(request, project, runs), _champion(request)
    kept = query + (f"champion={chosen}&" if chosen else "")
    tabs = [
        (measure.title, f"{request.path}?{kept}{urlencode({'metric': measure.name})}", measure.name)
        for measure in sorted(shown.measures, key=lambda one: one.name)
    ]
    return {
        "shown": shown,
        "tabs": tabs,
        "metric": shown.measure.name,
        "chart_id": f"curves-{slugify(shown.measure.name)}",
        "shown_as": f"{kept}{urlencode({'metric': shown.measure.name})}",
    }


def _sweep_form(request: HttpRequest, model: RegisteredModel) -> SweepForm:
    at_work = Run.objects.filter(project=model.project_id, state__in=Run.ACTIVE).count()
    return SweepForm(request.POST or None, model=model, at_work=at_work)


def _chosen_model(request: HttpRequest, project: Project) -> RegisteredModel | None:
    given = request.GET.get("model", "")
    if not (given.isdecimal() and len(given) < 10):
        return None
    found = _models(project).filter(pk=int(given)).first()
    if found is None:
        raise Http404
    return found


def _models(project: Project) -> QuerySet[RegisteredModel]:
    return RegisteredModel.objects.filter(project=project, archived_at=None).select_related("project__team")


def _started(request: HttpRequest, started: Comparison) -> HttpResponse:
    runs = list(started.runs.values_list("pk", flat=True))
    # One ring is enough: whoever takes one of them takes its companions too.
    doorbell.ring(min(runs))
    messages.success(request, f"Started {started.name}: {len(runs)} candidates learn in one pass.")
    return redirect(reverse("models_registry:comparison", args=[started.project.slug, started.number]))


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
