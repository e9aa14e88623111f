"""The facilitator's page: who is invited, how far they are, opening and closing rounds."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from assessments import tasks
from assessments.forms.panel import InviteForm, SettingsForm
from assessments.models import Expert
from assessments.selectors.assumption_sets import assumptions_for
from assessments.selectors.assumptions import doubt_worth
from assessments.selectors.panel import PanelState, guest_address, invitable, invited_now, read_panel
from assessments.services.panel_rounds import close_round, invite_guest, invite_member, open_round, renew_guest, revoke
from projects.access import VIEW, WORK, project_page
from projects.models import Project

PAGE = "assessments/experts.html"


@require_safe
@project_page(VIEW)
def experts(request: HttpRequest, project: Project) -> HttpResponse:
    """Show the panel: who has answered, never what; the rounds, and what can be done next."""
    return _show(request, project, read_panel(project, request.user.pk))


@require_POST
@project_page(WORK)
def invite(request: HttpRequest, project: Project) -> HttpResponse:
    """Invite members and a guest; a guest's link is shown once, on the page that answers."""
    form = InviteForm(request.POST, members=invitable(project))
    state = read_panel(project, request.user.pk)
    if not form.is_valid():
        return _show(request, project, state, invite_form=form, status=422)
    actor: User = request.user  # type: ignore[assignment]
    for user in form.cleaned_data["members"]:
        invite_member(project=project, user=user, actor=actor)
    link = ""
    if form.cleaned_data["guest"]:
        days = form.cleaned_data["days"] or form.fields["days"].initial
        invited = invite_guest(project=project, name=form.cleaned_data["guest"], actor=actor, days=days)
        link = request.build_absolute_uri(guest_address(project, invited.token))
    if link:
        # Only its hash is kept, so this page is the one place where the link can be copied.
        return _show(request, project, read_panel(project, actor.pk), link=link, guest=form.cleaned_data["guest"])
    messages.success(request, "Invited.")
    return redirect("assessments:experts", project.slug)


@require_POST
@project_page(WORK)
def expert_renew(request: HttpRequest, project: Project, expert: int) -> HttpResponse:
    """Give a guest a new link, shown once on the page that answers."""
    found = get_object_or_404(invited_now(project), pk=expert)
    renewed = renew_guest(project=project, expert=found, actor=request.user)  # type: ignore[arg-type]
    link = request.build_absolute_uri(guest_address(project, renewed.token))
    return _show(request, project, read_panel(project, request.user.pk), link=link, guest=found.name)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def expert_revoke(request: HttpRequest, project: Project, expert: int) -> HttpResponse:
    """Ask whether to take an expert off the panel; a POST does it."""
    found = get_object_or_404(Expert, pk=expert, assessment__project=project)
    if request.method != "POST":
        if found.revoked_at:
            return redirect("assessments:experts", project.slug)
        state = read_panel(project, request.user.pk)
        context = {"project": project, "nav_active": "assessment", "panel": state, "expert": found}
        return render(request, "assessments/expert_revoke.html", context)
    revoke(project=project, expert=found, actor=request.user)  # type: ignore[arg-type]
    messages.success(request, f"{found.name} is off the panel. What they said in closed rounds stays.")
    return redirect("assessments:experts", project.slug)


@require_POST
@project_page(WORK)
def round_open(request: HttpRequest, project: Project) -> HttpResponse:
    """Open the next round; before the first one the settings are fixed."""
    state = read_panel(project, request.user.pk)
    settings, anonymous = None, True
    if not state.rounds:
        form = SettingsForm(request.POST)
        if not form.is_valid():
            return _show(request, project, state, settings_form=form, status=422)
        settings, anonymous = form.settings(assumptions_for(project)), form.cleaned_data["anonymous"]
    opened = open_round(project=project, actor=request.user, settings=settings, anonymous=anonymous)  # type: ignore[arg-type]
    messages.success(request, f"Round {opened.number} is open. Each expert can answer now.")
    if settings and (doubt := doubt_worth(settings)):
        messages.warning(request, doubt)
    return redirect("assessments:experts", project.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@project_page(WORK)
def round_close(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask whether to close the open round; a POST closes it and has its result worked out."""
    if request.method != "POST":
        state = read_panel(project, request.user.pk)
        if state.current is None:
            return redirect("assessments:experts", project.slug)
        context = {"project": project, "nav_active": "assessment", "panel": state}
        return render(request, "assessments/round_close.html", context)
    closed = close_round(project=project, actor=request.user)  # type: ignore[arg-type]
    tasks.ring(closed.pk)
    messages.success(request, f"Round {closed.number} is closed and sealed.")
    return redirect("assessments:result", project.slug, closed.number)


def _show(
    request: HttpRequest,
    project: Project,
    state: PanelState,
    *,
    invite_form: InviteForm | None = None,
    settings_form: SettingsForm | None = None,
    link: str = "",
    guest: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "project": project,
        "nav_active": "assessment",
        "panel": state,
        "invite_form": invite_form or InviteForm(members=invitable(project)),
        "settings_form": settings_form or SettingsForm.starting(assumptions_for(project)),
        "vote_address": request.build_absolute_uri(reverse("assessments:vote_start", args=[project.slug])),
        "link": link,
        "guest": guest,
    }
    return render(request, PAGE, context, status=status)
