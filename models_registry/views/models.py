"""Pages about models: the list, describing a new one, and one model with its runs and versions."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from models_registry import doorbell
from models_registry.forms.models import ModelForm, read_spec, show_spec
from models_registry.models import RegisteredModel, Run
from models_registry.selectors import models as selectors
from models_registry.selectors.pipelines import draw_pipeline, list_components
from models_registry.services.runs import register_model, start_run
from ops_portal.errors import UserError
from projects.access import VIEW, WORK, project_page
from projects.models import Project


@require_safe
@project_page(VIEW)
def model_list(request: HttpRequest, project: Project) -> HttpResponse:
    """List the models of a project with how well the newest version of each does."""
    context = {"project": project, "page": selectors.list_models(project, request.GET.get("page"))}
    return render(request, "models_registry/model_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def model_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a start (a template, an older model, or an empty page), then describe the model."""
    if request.method == "POST":
        form = ModelForm(request.POST, task=project.task)
        if form.is_valid() and (answer := _register(request, project, form)):
            return answer
        return _describe(request, project, form)
    start = selectors.find_start(project, template=request.GET.get("template"), model_id=request.GET.get("from"))
    if start is None:
        context = {"project": project, "templates": selectors.list_template_cards(project.task)}
        return render(request, "models_registry/model_start.html", context)
    text = show_spec(start.spec) if start.spec else ""
    form = ModelForm(initial={"name": start.name, "spec": text, "note": start.note}, task=project.task)
    return _describe(request, project, form, start)


@require_POST
@project_page(WORK)
def model_check(request: HttpRequest, project: Project) -> HttpResponse:
    """Check the spec being written: the drawing when it is right, else what is wrong and where."""
    context = _reading(project, request.POST.get("spec", ""))
    return render(request, "models_registry/model_create.html#check", context)


@require_safe
@project_page(VIEW)
def model(request: HttpRequest, project: Project, model_id: int) -> HttpResponse:
    """Show one model: what it is, its runs, its versions."""
    shown = selectors.open_model(project, model_id)
    run_url = f"{reverse('models_registry:run_create', args=[project.slug])}?model={shown.pk}"
    context = {"project": project, "shown": shown, "spec_text": show_spec(shown.spec), "run_url": run_url}
    return render(request, "models_registry/model_detail.html", context)


def _describe(
    request: HttpRequest, project: Project, form: ModelForm, start: selectors.Start | None = None
) -> HttpResponse:
    """Render the form with the spec as it stands, checked; a form that was refused comes back with status 422."""
    text = form["spec"].value() or ""
    context = {"project": project, "form": form, "start": start} | _reading(project, text)
    context["blank"] = context["blank"] and not form.is_bound
    return render(request, "models_registry/model_create.html", context, status=422 if form.is_bound else 200)


def _reading(project: Project, text: str) -> dict[str, Any]:
    reading = read_spec(text, project.task)
    spec = reading.spec or {}
    return {
        "blank": not text.strip(),
        "faults": reading.faults,
        "pipeline": draw_pipeline(spec) if spec else [],
        "components": list_components(spec) if spec else (),
    }


def _register(request: HttpRequest, project: Project, form: ModelForm) -> HttpResponse | None:
    """Register what the form describes and, if asked, start its first run; None when the portal refuses it."""
    actor = request.user
    assert isinstance(actor, User)
    given = form.cleaned_data
    try:
        registered = register_model(
            project=project, name=given["name"], spec=given["spec"], note=given["note"], actor=actor
        )
    except UserError as refused:
        for name, message in refused.fields.items() or {None: refused.message}.items():
            form.add_error(name if name in form.fields else None, message if name in form.fields else refused.message)
        return None
    if "start" not in request.POST:
        messages.success(request, f"Registered {registered.name}. Start a run when you are ready.")
        return redirect("models_registry:model", project.slug, registered.pk)
    return _start_first_run(request, registered, actor)


def _start_first_run(request: HttpRequest, registered: RegisteredModel, actor: User) -> HttpResponse:
    slug = registered.project.slug
    try:
        run = start_run(model=registered, mode=Run.Mode.REPLAY, actor=actor)
    except UserError as refused:
        messages.warning(request, f"Registered {registered.name}, but no run was started: {refused.message}")
        return redirect("models_registry:model", slug, registered.pk)
    doorbell.ring(run.pk)
    messages.success(request, f"Registered {registered.name} and started run {run.number}.")
    return redirect("models_registry:run", slug, run.number)
