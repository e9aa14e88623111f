"""The scope page: what the project is like now and is meant to be, with a recommendation that follows what is typed."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.models import User
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from assessments.evidence import MeasuredScope, gather, measure_scope
from assessments.forms.scope import CURRENT, FIRST_VERSION, PLANNED, ScopeForm, field_name
from assessments.selectors.assumption_sets import assumptions_for
from assessments.selectors.editions import catalogue_for
from assessments.selectors.recommendation import recommend_for
from assessments.selectors.scope import FactorState, ScopeState, read_history, read_profiles, scope_state
from assessments.services.scope import preview_profiles, save_profiles
from projects.access import RATE, VIEW, project_page
from projects.models import Project

PAGE = "assessments/scope.html"


@dataclass(frozen=True)
class ScopeRow:
    """One factor on the page: what is known, and its two fields."""

    state: FactorState
    current: BoundField
    planned: BoundField


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(VIEW, change=RATE)
def scope(request: HttpRequest, project: Project) -> HttpResponse:
    """Show and keep the scope, now and planned. "Use it" fills in what was measured, without saving yet."""
    measured = measure_scope(gather(project))
    if request.method == "POST" and "use" not in request.POST:
        form = ScopeForm(request.POST)
        if form.is_valid():
            return _save(request, project, form, measured)
        return _show(request, project, form, measured, status=422)
    state = scope_state(*read_profiles(project), measured)
    initial = _initial(state)
    if request.method == "POST":
        initial = _with_measured(request.POST, measured)
        messages.info(request, "The measured value is filled in. Save the scope to keep it.")
    return _show(request, project, ScopeForm(initial=initial), measured)


@require_POST
@project_page(VIEW)
def scope_preview(request: HttpRequest, project: Project) -> HttpResponse:
    """Say what would be recommended for what is typed now; nothing is kept, so a viewer may try too."""
    form = ScopeForm(request.POST)
    context: dict[str, object] = {"project": project, "form": form}
    if form.is_valid():
        context["preview"] = preview_profiles(project=project, drafts=form.drafts).compared
    return render(request, f"{PAGE}#preview", context)


@require_safe
@project_page(VIEW)
def scope_measured(request: HttpRequest, project: Project, factor: str) -> HttpResponse:
    """Give back one field with its measured value filled in; the preview is told to look again."""
    measured = measure_scope(gather(project))
    state = scope_state(*read_profiles(project), measured)
    row = next((one for one in state.factors if one.factor.name == factor and one.measured), None)
    if row is None or row.measured is None:
        raise Http404
    form = ScopeForm(initial={field_name(CURRENT, factor): _plain(row.measured.value)})
    shown = ScopeRow(row, form[field_name(CURRENT, factor)], form[field_name(PLANNED, factor)])
    response = render(request, f"{PAGE}#field", {"project": project, "row": shown, "used": True})
    return trigger_client_event(response, "scope-changed", after="settle")


def _save(request: HttpRequest, project: Project, form: ScopeForm, measured: MeasuredScope) -> HttpResponse:
    actor: User = request.user  # type: ignore[assignment]
    kept = save_profiles(project=project, drafts=form.drafts, measured=measured, actor=actor)
    messages.success(request, "The scope is saved." if kept else "Nothing changed, so nothing was saved.")
    if "go_on" in request.POST:
        return redirect("assessments:overview", project.slug)
    return redirect("assessments:scope", project.slug)


def _show(
    request: HttpRequest, project: Project, form: ScopeForm, measured: MeasuredScope, status: int = 200
) -> HttpResponse:
    state = scope_state(*read_profiles(project), measured)
    context = {
        "project": project,
        "nav_active": "assessment",
        "form": form,
        "rows": [
            ScopeRow(one, form[field_name(CURRENT, one.factor.name)], form[field_name(PLANNED, one.factor.name)])
            for one in state.factors
        ],
        "first_now": form[field_name(CURRENT, FIRST_VERSION)],
        "first_planned": form[field_name(PLANNED, FIRST_VERSION)],
        "state": state,
        "measured": measured,
        "history": read_history(project),
        "preview": recommend_for(state, catalogue=catalogue_for(project), settings=assumptions_for(project)),
    }
    return render(request, PAGE, context, status=status)


def _initial(state: ScopeState) -> dict[str, object]:
    """What the form starts with: the newest profiles, and where there is none what the records say."""
    initial: dict[str, object] = {}
    for one in state.factors:
        initial[field_name(CURRENT, one.factor.name)] = _plain(one.current)
        initial[field_name(PLANNED, one.factor.name)] = _plain(one.planned)
    initial[field_name(CURRENT, FIRST_VERSION)] = _yes_no(state.first_version)
    initial[field_name(PLANNED, FIRST_VERSION)] = _yes_no(state.planned_first_version)
    return initial


def _with_measured(data: QueryDict, measured: MeasuredScope) -> dict[str, object]:
    """What was typed, with the measured value of the factor named by the button (without scripts)."""
    initial: dict[str, object] = {
        name: value for name, value in data.items() if name not in {"csrfmiddlewaretoken", "use"}
    }
    name = data.get("use", "")
    if name in measured.factors:
        initial[field_name(CURRENT, name)] = _plain(measured.factors[name].value)
    return initial


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
