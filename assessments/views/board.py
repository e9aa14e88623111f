"""The statements board: one principle per page for experts, and the facilitator's page with codes and exports."""

from __future__ import annotations

import csv

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from assessments.forms.board import BoardForm, CodeForm, StatementForm
from assessments.models import Board, Code, Reaction, Statement
from assessments.selectors.board import BoardState, board_rows, read_board, read_board_for, summarise
from assessments.services import board as boards
from assessments.services.board import seal_of_board
from assessments.views.jump import JumpItem
from assessments.views.voters import Voter, guest_voter, member_voter
from ops_portal.downloads import harmless
from ops_portal.errors import UserError
from projects.access import VIEW, WORK, project_page
from projects.forms.refusals import show_refusal
from projects.models import Project

PAGE = "assessments/board.html"
EXPERTS = "assessments/board_for_expert.html"


@require_safe
def show_board(request: HttpRequest, voter: Voter) -> HttpResponse:
    """Go to the first principle with a statement to react to, else to the first one."""
    state = read_board_for(voter.expert)
    first = next((one for one in state.sections if one.waiting), state.sections[0])
    return redirect(voter.page("board_on", first.principle.slug))


@require_http_methods(["GET", "HEAD", "POST"])
def show_board_on(request: HttpRequest, voter: Voter, principle: str) -> HttpResponse:
    """Show what was said about a principle; a POST adds to it, changes one's own, or says how one stands to another."""
    state = read_board_for(voter.expert)
    if state.of(principle) is None:
        raise Http404
    form, status, refused = StatementForm(), 200, ""
    if request.method == "POST":
        adding = "say" in request.POST
        form = StatementForm(request.POST) if adding else form
        try:
            if adding and not form.is_valid():
                status = 422
            else:
                _do(request, voter, principle, form)
        except UserError as wrong:
            status, refused = 422, wrong.message
            if adding:
                show_refusal(form, wrong)
        if status == 200 and not request.htmx:  # type: ignore[attr-defined]
            return redirect(voter.page("board_on", principle))
        form = StatementForm() if status == 200 else form
        state = read_board_for(voter.expert)
    context = _for_expert(voter, state, principle) | {
        "form": form,
        "refused": refused if "say" not in request.POST else "",
    }
    fragment = "#said" if request.method == "POST" and request.htmx else ""  # type: ignore[attr-defined]
    answer = render(request, EXPERTS + fragment, context | {"oob": bool(fragment)}, status=status)
    # A stance that is saved leaves the page alone, lest a stance taken meanwhile is lost with the form it came from.
    return reswap(retarget(answer, "#said"), "outerHTML") if fragment and refused else answer


def _do(request: HttpRequest, voter: Voter, principle: str, form: StatementForm) -> None:
    if "say" in request.POST:
        boards.say(expert=voter.expert, principle=principle, **form.cleaned_data)
        return
    wanted = request.POST.get("statement", "")
    on_board = Statement.objects.filter(board__assessment=voter.expert.assessment_id)
    found = get_object_or_404(on_board, pk=wanted if wanted.isdigit() else None)
    if "withdraw" in request.POST:
        boards.withdraw(expert=voter.expert, statement=found)
    elif "reword" in request.POST:
        boards.reword(expert=voter.expert, statement=found, text=request.POST.get("text", ""))
    else:
        boards.react(expert=voter.expert, statement=found, value=request.POST.get(f"stance-{found.pk}", ""))


def _for_expert(voter: Voter, state: BoardState, principle: str) -> dict[str, object]:
    shown = state.of(principle)
    items = [
        JumpItem(
            url=voter.page("board_on", one.principle.slug),
            name=one.principle.name,
            current=one.principle.slug == principle,
            done=bool(one.statements) and not one.waiting,
            note=str(len(one.statements) or ""),
        )
        for one in state.sections
    ]
    return {
        "project": None if voter.token else voter.project,
        "about": voter.project,
        "nav_active": "assessment",
        "voter": voter,
        "state": state,
        "shown": shown,
        "jump": items,
        "step": next(at for at, one in enumerate(items, start=1) if one.current),
        "values": Reaction.Value.choices,
    }


expert_board, guest_board = member_voter(show_board), guest_voter(show_board)
expert_board_on, guest_board_on = member_voter(show_board_on), guest_voter(show_board_on)


@require_safe
@project_page(VIEW)
def board(request: HttpRequest, project: Project) -> HttpResponse:
    """Show the board to the team: what was said, its codes, and once it is closed the counts."""
    return _show(request, project)


@require_POST
@project_page(WORK)
def board_open(request: HttpRequest, project: Project) -> HttpResponse:
    """Open the board."""
    boards.open_board(project=project, anonymous="anonymous" in request.POST, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, "The board is open. Each expert can write on it now.")
    return redirect("assessments:board", project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def board_close(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask whether to close the board; a POST closes and seals it."""
    if request.method != "POST":
        state = read_board(project)
        if state is None or state.board is None or not state.board.is_open:
            return redirect("assessments:board", project.slug)
        context = {"project": project, "nav_active": "assessment", "state": state}
        return render(request, "assessments/board_close.html", context)
    boards.close_board(board=_board(project), actor=request.user)  # type: ignore[arg-type]
    messages.success(request, "The board is closed and sealed. Grouping under codes can go on.")
    return redirect("assessments:board", project.slug)


@require_POST
@project_page(WORK)
def code_add(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a code."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            boards.add_code(board=_board(project), name=form.cleaned_data["name"], actor=request.user)  # type: ignore[arg-type]
        except UserError as wrong:
            show_refusal(form, wrong)
        else:
            return redirect("assessments:board", project.slug)
    return _show(request, project, code_form=form, status=422)


@require_POST
@project_page(WORK)
def code_remove(request: HttpRequest, project: Project, code: int) -> HttpResponse:
    """Remove a code; its statements stay."""
    found = get_object_or_404(Code, pk=code, board=_board(project))
    boards.remove_code(code=found, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"The code {found.name} is gone; its statements stay.")
    return redirect("assessments:board", project.slug)


@require_POST
@project_page(WORK)
def statement_group(request: HttpRequest, project: Project, statement: int) -> HttpResponse:
    """Put a statement under a code."""
    current = _board(project)
    found = get_object_or_404(Statement, pk=statement, board=current, withdrawn_at=None)
    wanted = request.POST.get("code", "")
    code = get_object_or_404(Code, pk=wanted, board=current) if wanted.isdigit() else None
    boards.group(statement=found, code=code, actor=request.user)  # type: ignore[arg-type]
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    return redirect("assessments:board", project.slug)


@require_safe
@project_page(VIEW)
def board_export(request: HttpRequest, project: Project, form: str) -> HttpResponse:
    """The closed board as CSV or JSON, from what the page shows."""
    state = read_board(project)
    if state is None or state.board is None or state.board.is_open:
        raise Http404
    rows, name = board_rows(state), f"{project.slug}-assessment-{state.board.assessment.number}-statements"
    if form == "json":
        document = {
            "project": project.slug,
            "assessment": state.board.assessment.number,
            "edition": state.board.assessment.edition,
            "anonymous": state.board.anonymous,
            "closed_at": state.board.closed_at,
            "invited": state.invited,
            "taking_part": state.taking_part,
            "statements": rows,
            "seal": state.board.seal,
        }
        response: HttpResponse = JsonResponse(document, json_dumps_params={"indent": 2})
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        writer = csv.DictWriter(response, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({key: harmless(value) for key, value in row.items()} for row in rows)
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _show(
    request: HttpRequest, project: Project, *, code_form: CodeForm | None = None, status: int = 200
) -> HttpResponse:
    state = read_board(project)
    current = state.board if state else None
    context = {
        "project": project,
        "nav_active": "assessment",
        "state": state,
        "board_form": BoardForm(),
        "code_form": code_form or CodeForm(),
        "summary": summarise(state) if state and current and not current.is_open else (),
        "seal_holds": bool(current and current.seal and seal_of_board(current) == current.seal),
    }
    return render(request, PAGE, context, status=status)


def _board(project: Project) -> Board:
    state = read_board(project)
    if state is None or state.board is None:
        raise UserError("There is no board yet; open it first.", code="no_board", status=409)
    return state.board
