"""The checklist: one principle per page, every answer saved by itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from assessments.selectors.checklist import Checklist, PrincipleState, read_checklist
from assessments.selectors.editions import catalogue_for
from assessments.views.jump import JumpItem
from assessments.views.rows import Attempt, build_row, try_to_save
from ops_portal.http import see_other
from projects.access import RATE, VIEW, project_page
from projects.models import Project

PAGE = "assessments/checklist.html"


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(VIEW, change=RATE)
def checklist(request: HttpRequest, project: Project, principle: str) -> HttpResponse:
    """Show one principle's practices; a POST saves one of them (htmx) or all (the Save button)."""
    if request.method == "POST":
        return _save(request, project, principle)
    state = read_checklist(project)
    shown = _principle(state, principle)
    only = request.GET.get("practice")
    if only and request.htmx:  # type: ignore[attr-defined]
        return _one(request, project, state, shown, only, None, "practice")
    return render(request, PAGE, _context(project, state, shown, {}))


@require_safe
@project_page(VIEW)
def checklist_start(request: HttpRequest, project: Project) -> HttpResponse:
    """Go to the first principle of the project's edition of the catalogue."""
    return redirect("assessments:checklist", project.slug, catalogue_for(project).principles[0].slug)


def _save(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    ids = [practice.practice.id for practice in _principle(read_checklist(project), slug).practices]
    only = request.POST.get("only") or request.POST.get("clear") or ""
    if only and only not in ids:
        raise Http404
    attempts = {
        practice: try_to_save(request.user, project, practice, request.POST)
        for practice in ([only] if only else [sent for sent in request.POST.getlist("practice") if sent in ids])
    }
    failed = any(attempt.failed for attempt in attempts.values())
    state = read_checklist(project)
    shown = _principle(state, slug)
    if only and request.htmx:  # type: ignore[attr-defined]
        fragment = "practice" if request.POST.get("clear") and not failed else "saved"
        return _one(request, project, state, shown, only, attempts[only], fragment)
    if failed:
        return render(request, PAGE, _context(project, state, shown, attempts), status=422)
    changed = sum(attempt.changed for attempt in attempts.values())
    if changed or "save" in request.POST:
        messages.success(request, f"Saved {changed} answers." if changed != 1 else "Saved 1 answer.")
    following = _neighbours(state, shown)[1]
    to = following if following and "go_on" in request.POST else shown
    return see_other(request, "assessments:checklist", project.slug, to.principle.slug)


def _one(
    request: HttpRequest,
    project: Project,
    state: Checklist,
    shown: PrincipleState,
    practice: str,
    attempt: Attempt | None,
    fragment: str,
) -> HttpResponse:
    """Answer htmx about one practice: its status, or all of it, with the progress beside it."""
    found = next((one for one in shown.practices if one.practice.id == practice), None)
    if found is None:
        raise Http404
    context = _context(project, state, shown, {}) | {"row": build_row(found, attempt), "oob": True}
    status = 422 if attempt and attempt.failed else 200
    return render(request, f"{PAGE}#{fragment}", context, status=status)


def _principle(state: Checklist, slug: str) -> PrincipleState:
    try:
        return state.of(slug)
    except KeyError as unknown:
        raise Http404 from unknown


def _neighbours(state: Checklist, shown: PrincipleState) -> tuple[PrincipleState | None, PrincipleState | None]:
    at = state.principles.index(shown)
    before = state.principles[at - 1] if at else None
    return before, state.principles[at + 1] if at + 1 < len(state.principles) else None


def _context(
    project: Project, state: Checklist, shown: PrincipleState, attempts: dict[str, Attempt]
) -> dict[str, object]:
    before, after = _neighbours(state, shown)
    return {
        "project": project,
        "nav_active": "assessment",
        "checklist": state,
        "shown": shown,
        "rows": [build_row(one, attempts.get(one.practice.id)) for one in shown.practices],
        "failed": any(attempt.failed for attempt in attempts.values()),
        "previous": before,
        "next": after,
        "step": state.principles.index(shown) + 1,
        "jump": [
            JumpItem(
                url=reverse("assessments:checklist", args=[project.slug, one.principle.slug]),
                name=one.principle.name,
                current=one is shown,
                done=one.complete,
                note=f"{one.answered} of {one.total}",
            )
            for one in state.principles
        ],
        "progress": f"{state.answered} of {state.total} practices answered",
        "filled": f"{state.filled} of them from the records",
        "closed": state.assessment is not None and not state.assessment.is_open,
    }
