"""A team's catalogue: the edition in use, the draft, its principles, publishing and bringing it up to date."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments.forms.catalogue import PrinciplePage, PublishForm, SourceForm
from assessments.selectors.catalogue import DraftState, read_difference, read_draft, read_home, read_import
from assessments.services import catalogue_edits, editions
from ops_portal.errors import UserError
from projects.access import VIEW, WORK, open_team
from projects.forms.refusals import show_refusal
from projects.models import Team

PAGES = ["GET", "HEAD", "POST"]


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)


def _draft(team: Team) -> DraftState:
    state = read_draft(team)
    if state is None:
        raise UserError("There is no draft of the catalogue now.", code="no_draft", status=409)
    return state


@require_safe
@login_required
def home(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the edition the next assessment takes, the editions before it, and whether there is a draft."""
    team, access = open_team(request.user, slug, VIEW)
    return render(request, "assessments/catalogue.html", {"team": team, "access": access, "home": read_home(team)})


@require_safe
@login_required
def edition(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Show one edition and how it differs from another one."""
    team, access = open_team(request.user, slug, VIEW)
    against = request.GET.get("against", "")
    shown = read_difference(team, pk, int(against) if against.isdigit() else None)
    if shown is None:
        raise Http404
    return render(request, "assessments/catalogue_edition.html", {"team": team, "access": access, "shown": shown})


@require_http_methods(PAGES)
@login_required
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the draft with what it changes; a POST starts one."""
    team, access = open_team(request.user, slug, WORK)
    if request.method == "POST":
        editions.start_draft(team=team, actor=_actor(request), from_shipped="shipped" in request.POST)
        messages.success(request, "Here is your draft. Nothing of it counts before you publish it.")
        return redirect("catalogue:draft", slug)
    state = read_draft(team)
    if state is None:
        return redirect("catalogue:home", slug)
    context = {"team": team, "access": access, "draft": state, "source_form": SourceForm()}
    return render(request, "assessments/catalogue_draft.html", context)


@require_http_methods(PAGES)
@login_required
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the draft changes once more, and publish it."""
    team, access = open_team(request.user, slug, WORK)
    form = PublishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = editions.publish(team=team, note=form.cleaned_data["note"], actor=_actor(request))
        messages.success(request, f"Edition {made.name} is published. Assessments opened from now on take it.")
        return redirect("catalogue:edition", slug, made.pk)
    context = {"team": team, "access": access, "draft": _draft(team), "form": form}
    return render(request, "assessments/catalogue_publish.html", context)


@require_http_methods(PAGES)
@login_required
def discard(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask whether to throw the draft away, and do it."""
    team, access = open_team(request.user, slug, WORK)
    if request.method == "POST":
        editions.discard_draft(team=team, actor=_actor(request))
        messages.success(request, "The draft is discarded. Published editions are as they were.")
        return redirect("catalogue:home", slug)
    context = {"team": team, "access": access, "draft": _draft(team)}
    return render(request, "assessments/catalogue_discard.html", context)


@require_http_methods(PAGES)
@login_required
def take_in(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what the portal's newer edition would change here, and take it in; where both changed, people choose."""
    team, access = open_team(request.user, slug, WORK)
    if request.method == "POST":
        take = [key.removeprefix("take:") for key, value in request.POST.items() if value == "theirs"]
        editions.import_shipped(team=team, take=take, actor=_actor(request))
        messages.success(request, "The portal's edition is in the draft. Look it through, then publish it.")
        return redirect("catalogue:draft", slug)
    shown = read_import(team)
    if shown is None:
        messages.info(request, "The catalogue rests on the portal's newest edition already.")
        return redirect("catalogue:home", slug)
    return render(request, "assessments/catalogue_import.html", {"team": team, "access": access, "shown": shown})


@require_http_methods(PAGES)
@login_required
def principle_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a principle of the team's own to the draft."""
    team, access = open_team(request.user, slug, WORK)
    state = _draft(team)
    page = PrinciplePage(request.POST or None, catalogue=state.catalogue, principle=None)
    if request.method == "POST" and page.is_valid():
        try:
            made = catalogue_edits.add_principle(team=team, draft=page.draft, actor=_actor(request))
        except UserError as wrong:
            page.refuse(wrong.fields, wrong.message)
        else:
            messages.success(request, "Added to the draft.")
            return redirect("catalogue:principle", slug, made)
    context = {"team": team, "access": access, "draft": state, "page": page}
    status = 422 if request.method == "POST" else 200
    return render(request, "assessments/catalogue_principle.html", context, status=status)


@require_http_methods(PAGES)
@login_required
def principle(request: HttpRequest, slug: str, principle: str) -> HttpResponse:
    """Change a principle of the draft: its words, practices, figures and light level."""
    team, access = open_team(request.user, slug, WORK)
    state = _draft(team)
    shown = state.of(principle)
    if shown is None:
        raise Http404
    page = PrinciplePage(
        request.POST or None, catalogue=state.catalogue, principle=shown.principle, retired=shown.retired
    )
    status, conflict = 200, False
    if request.method == "POST":
        status = 422
        if page.is_valid():
            try:
                was = request.POST.get("was", "")
                catalogue_edits.save_principle(
                    team=team, slug=principle, draft=page.draft, was=was, actor=_actor(request)
                )
            except catalogue_edits.PrincipleConflictError:
                conflict, status = True, 409
            except UserError as wrong:
                page.refuse(wrong.fields, wrong.message)
            else:
                messages.success(request, "Saved in the draft.")
                return redirect("catalogue:principle", slug, principle)
    context = {"team": team, "access": access, "draft": state, "shown": shown, "page": page, "conflict": conflict}
    return render(request, "assessments/catalogue_principle.html", context, status=status)


@require_POST
@login_required
def principle_retire(request: HttpRequest, slug: str, principle: str) -> HttpResponse:
    """Take a principle out of the draft."""
    team, _access = open_team(request.user, slug, WORK)
    name = catalogue_edits.retire_principle(team=team, slug=principle, actor=_actor(request))
    messages.success(request, f"{name} is retired in the draft; it can be brought back below.")
    return redirect("catalogue:draft", slug)


@require_POST
@login_required
def principle_back(request: HttpRequest, slug: str, principle: str) -> HttpResponse:
    """Bring a retired principle back into the draft."""
    team, _access = open_team(request.user, slug, WORK)
    name = catalogue_edits.bring_back(team=team, slug=principle, actor=_actor(request))
    messages.success(request, f"{name} is back in the draft.")
    return redirect("catalogue:draft", slug)


@require_POST
@login_required
def source_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Add a source of the team's own to the draft."""
    team, access = open_team(request.user, slug, WORK)
    form = SourceForm(request.POST)
    if form.is_valid():
        try:
            catalogue_edits.add_source(team=team, actor=_actor(request), **form.cleaned_data)
        except UserError as wrong:
            show_refusal(form, wrong)
        else:
            messages.success(request, "The source is there; sentences can cite it by its tag now.")
            return redirect("catalogue:draft", slug)
    context = {"team": team, "access": access, "draft": _draft(team), "source_form": form}
    return render(request, "assessments/catalogue_draft.html", context, status=422)
