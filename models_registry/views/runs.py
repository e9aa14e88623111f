"""Pages about runs: starting one, and one run, live while it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import json_script
from django.utils.safestring import mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_registry import doorbell
from models_registry.forms.detectors import read_detector
from models_registry.forms.runs import RestoreForm, RunForm
from models_registry.forms.specs import show_spec
from models_registry.learning.measures import find_measure
from models_registry.models import RegisteredModel, Run, Version
from models_registry.selectors import runs as selectors
from models_registry.selectors.metrics import CHART_POINTS, metric_names, primary_name, read_chart
from models_registry.selectors.versions import find_version
from models_registry.services.restoring import restore
from models_registry.services.runs import cancel_run, pause_run, resume_run, start_run
from models_registry.services.tracking import describe_run
from models_registry.services.versions import publish_now
from ops_portal.errors import UserError, error_response
from projects.access import START, VIEW, WORK, project_page
from projects.models import Project

#: Most points of a series that the JSON endpoint answers with.
MOST_POINTS = 2_000


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(START)
def run_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Start a run of a model, from nothing or from one of its versions."""
    models, detector = _models(project), read_detector(request.POST, project.task)
    if "edited" in request.POST:
        context = {"project": project, "detector": detector}
        return render(request, "models_registry/run_judging.html#watch", context)
    if request.method == "POST":
        form = RunForm(request.POST, project=project, models=models)
        if form.is_valid() and detector.valid and (started := _start(request, form, detector.drift)):
            return redirect("models_registry:run", project.slug, started.number)
    else:
        form = RunForm(project=project, models=models, initial=_initial(request, project))
    context = {"project": project, "form": form, "stream_end": project.last_position, "detector": detector}
    return render(request, "models_registry/run_create.html", context, status=422 if form.is_bound else 200)


@require_safe
@project_page(VIEW)
def run(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Show one run: live figures, its curve, versions, alarms, and what it was started with."""
    found = selectors.find_run(project, number)
    return render(request, "models_registry/run_detail.html", _page(request, project, found))


@require_safe
@project_page(VIEW)
def run_live(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Answer a poll with the figures, and with the rest of the page where that has changed since the last answer."""
    found = selectors.find_run(project, number)
    shown = selectors.open_run(project, found)
    context = {"project": project, "shown": shown, "changed": request.GET.get("mark") != shown.mark}
    return render(request, "models_registry/run_detail.html#answer", context)


@require_safe
@project_page(VIEW)
def run_chart(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Answer a poll with the chart's new data; the drawing stays and keeps its zoom."""
    found = selectors.find_run(project, number)
    if not found.ended and request.GET.get("position") == str(found.position):
        return HttpResponse(status=204)
    context = _chart(request, project, found)
    context["drawn"] = request.GET.get("drawn") == "1"
    data = json_script(context["chart"].figure, f"{context['chart_id']}-data")
    context["data"] = mark_safe(data.replace("<script", '<script hx-swap-oob="true"', 1))  # noqa: S308 - json_script escapes
    return render(request, "models_registry/run_detail.html#chart_answer", context)


@require_safe
@project_page(VIEW)
def run_metrics(request: HttpRequest, project: Project, number: int) -> JsonResponse:
    """Answer with a metric's curves as JSON: a Plotly figure and its rows, at most `points` points to a series."""
    found = selectors.find_run(project, number)
    asked = request.GET.get("points", "")
    most = min(max(int(asked), 10), MOST_POINTS) if asked.isdecimal() and len(asked) < 10 else CHART_POINTS
    name = _metric(request, project, found)
    chart = read_chart(found, name, most=most)
    answer = {"metric": name, "state": found.state, "position": found.position, "title": chart.title}
    answer |= {"summary": chart.summary, "figure": chart.figure, "columns": chart.columns, "rows": chart.rows}
    return JsonResponse(answer)


@require_POST
@project_page(WORK)
def run_pause(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Pause a run."""
    return _change(request, project, number, pause_run, "Paused run {}. Nothing is lost; resume it at any time.")


@require_POST
@project_page(START)
def run_resume(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Let a paused run go on."""
    return _change(request, project, number, resume_run, "Run {} goes on where it stood.")


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def run_cancel(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """End a run for good; a GET asks first, for browsers without the dialog."""
    if request.method != "POST":
        context = {"project": project, "run": selectors.find_run(project, number)}
        return render(request, "models_registry/run_cancel.html", context)
    return _change(request, project, number, cancel_run, "Cancelled run {}. Its versions and metrics stay.")


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(START)
def run_restore(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Have back the model that a run held at a position: at once if it is kept, else by a run that replays it."""
    found = selectors.find_run(project, number)
    form = RestoreForm(request.POST or None, first=found.start_position + 1, last=found.position)
    if request.method == "POST" and form.is_valid():
        restored = restore(run=found, position=form.cleaned_data["position"], actor=_actor(request))
        if isinstance(restored, Version):
            messages.success(request, f"{restored} is that very state, kept since then.")
            return redirect("models_registry:version", project.slug, restored.number)
        doorbell.ring(restored.pk)
        messages.success(request, f"Run {restored.number} replays the stream up to that position.")
        return redirect("models_registry:run", project.slug, restored.number)
    context = {"project": project, "run": found, "form": form}
    return render(request, "models_registry/run_restore.html", context, status=422 if form.is_bound else 200)


@require_POST
@project_page(WORK)
def run_describe(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Keep the tags and the note of one run; what is refused stays in its field, with the reason."""
    found = selectors.find_run(project, number)
    by_htmx = getattr(request, "htmx", False)
    tags, note = request.POST.get("tags", ""), request.POST.get("note", "")
    try:
        describe_run(run=found, actor=_actor(request), tags=tags.split(","), note=note)
    except UserError as wrong:
        if by_htmx:
            return error_response(wrong)  # said in a toast
        typed = {"tags": tags, "note": note, "refused": wrong}
        context = _page(request, project, selectors.find_run(project, number)) | {"typed": typed}
        return render(request, "models_registry/run_detail.html", context, status=422)
    if by_htmx:
        return HttpResponse(status=204)
    messages.success(request, f"Kept the tags and the note of run {number}.")
    return redirect("models_registry:run", project.slug, number)


@require_POST
@project_page(WORK)
def run_publish(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Publish the run's newest state as a version now."""
    found = selectors.find_run(project, number)
    version = publish_now(run_id=found.pk, actor=_actor(request))
    messages.success(request, f"Published {version} at position {version.position:,}.")
    return _answer(request, project, number)


def _change(request: HttpRequest, project: Project, number: int, act: Callable[..., None], said: str) -> HttpResponse:
    found = selectors.find_run(project, number)
    act(run=found, actor=_actor(request))
    if found.active:
        doorbell.ring(found.pk)
    messages.success(request, said.format(number))
    return _answer(request, project, number)


def _answer(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Send the changed parts to a page that asked by htmx, which keeps its chart; anything else to the page."""
    if not getattr(request, "htmx", False):
        return redirect("models_registry:run", project.slug, number)
    shown = selectors.open_run(project, selectors.find_run(project, number))
    context = {"project": project, "shown": shown, "changed": True, "acted": True}
    return render(request, "models_registry/run_detail.html#answer", context)


def _page(request: HttpRequest, project: Project, found: Run) -> dict[str, Any]:
    shown = {"shown": selectors.open_run(project, found), "spec_text": show_spec(found.spec)}
    return _chart(request, project, found) | shown


def _chart(request: HttpRequest, project: Project, found: Run) -> dict[str, Any]:
    name = _metric(request, project, found)
    here, names = reverse("models_registry:run", args=[project.slug, found.number]), metric_names(found.summary)
    return {
        "project": project,
        "run": found,
        "tabs": [(find_measure(one).title, f"{here}?{urlencode({'metric': one})}", one) for one in names],
        "chart": read_chart(found, name),
        "chart_id": f"metric-{slugify(name)}",
        "metric": name,
    }


def _metric(request: HttpRequest, project: Project, found: Run) -> str:
    """Return the metric asked for, or the primary one where that is none of the run's."""
    asked = request.GET.get("metric", "")
    return asked if asked in metric_names(found.summary) else primary_name(found.summary, project)


def _models(project: Project) -> Any:
    return RegisteredModel.objects.filter(project=project, archived_at=None).select_related("project__team")


def _initial(request: HttpRequest, project: Project) -> dict[str, Any]:
    """Preselect what the link that led here names."""
    number, model_id = request.GET.get("from_version", ""), request.GET.get("model", "")
    if number.isdecimal():
        version = find_version(project, int(number))
        return {"from_version": version, "model": version.model_id}
    return {"model": int(model_id)} if model_id.isdecimal() else {}


def _start(request: HttpRequest, form: RunForm, drift: bool | dict[str, Any]) -> Run | None:
    given = form.cleaned_data
    try:
        started = start_run(
            model=given["model"],
            mode=given["mode"],
            actor=_actor(request),
            from_version=given["from_version"],
            seed=given["seed"],
            publish_every=given["publish_every"],
            judging=form.judging(drift),
        )
    except UserError as refused:
        form.refuse(refused)
        return None
    doorbell.ring(started.pk)
    messages.success(request, f"Started run {started.number} of {started.model.name}.")
    return started


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
