"""Describing a new model: a start is chosen, then steps and parameters, by form or as JSON."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from models_registry import doorbell
from models_registry.forms.drafts import Draft, Pick, act, read_draft, start_draft
from models_registry.forms.models import ModelForm
from models_registry.forms.spec_tree import Slot
from models_registry.models import RegisteredModel, Run
from models_registry.selectors import models as selectors
from models_registry.selectors.pipelines import draw_pipeline
from models_registry.selectors.predictions import find_example
from models_registry.services.runs import register_model, start_run
from ops_portal.errors import UserError
from projects.access import START, project_page
from projects.models import Project

PAGE = "models_registry/model_create.html"
#: What was edited on the page, and so needs no drawing anew.
FIELD, JSON = "field", "json"


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(START)
def model_create(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose a start (a template, an older model, or an empty page), then describe the model."""
    if request.method == "POST":
        draft = read_draft(request.POST, project.task)
        # A button says what to do; a field that was typed in says only which side of the page it is on.
        if wanted := request.POST.get("do") or request.POST.get("edited"):
            return _rework(request, project, act(draft, wanted, request.POST), wanted)
        form = ModelForm({**request.POST.dict(), "spec": draft.text}, task=project.task)
        if form.is_valid() and (answer := _register(request, project, form)):
            return answer
        return render(request, PAGE, _context(project, form, draft), status=422)
    start = selectors.find_start(project, template=request.GET.get("template"), model_id=request.GET.get("from"))
    if start is None:
        context = {"project": project, "templates": selectors.list_template_cards(project.task)}
        return render(request, "models_registry/model_start.html", context)
    draft = start_draft(start.spec, project.task)
    form = ModelForm(initial={"name": start.name, "spec": draft.text, "note": start.note}, task=project.task)
    return render(request, PAGE, _context(project, form, draft) | {"start": start})


@require_safe
@project_page(START)
def model_offers(request: HttpRequest, project: Project) -> HttpResponse:
    """List what the catalogue offers for a place in a spec, searched by words."""
    given = request.GET
    slot = Slot(tuple(given.get("roles", "").split()), given.get("task", project.task))
    pick = Pick(given.get("place", ""), given.get("verb") == "add", slot, given.get("q", "")[:100])
    return render(request, f"{PAGE}#found", {"project": project, "pick": pick})


def _rework(request: HttpRequest, project: Project, draft: Draft, wanted: str) -> HttpResponse:
    """Answer an edit: the parts of the page that it changes, or the whole page where there is no htmx."""
    given = request.POST
    initial = {"name": given.get("name", ""), "spec": draft.text, "note": given.get("note", "")}
    context = _context(project, ModelForm(initial=initial, task=project.task), draft)
    context["opened"] = {name.removeprefix("more:") for name in given if name.startswith("more:")}
    # A field that was typed in is left alone while what it shows stays; so is JSON that was typed.
    stays = wanted == FIELD and draft.keeps_controls_of(given.get("base", ""))
    context |= {"draws_json": wanted != JSON, "draws_steps": not stays}
    return render(request, f"{PAGE}#answer" if getattr(request, "htmx", False) else PAGE, context)


def _context(project: Project, form: ModelForm, draft: Draft) -> dict[str, Any]:
    example = find_example(project)
    return {
        "project": project,
        "form": form,
        "draft": draft,
        "blank": draft.blank and not form.is_bound,
        "pipeline": draw_pipeline(draft.reading.spec) if draft.reading.spec else [],
        "columns": sorted(example.features)[:200] if example else [],
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
