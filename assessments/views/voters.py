"""Who is voting: a member by account or a guest by link. The pages are the same, only their addresses differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from assessments.models import Expert
from assessments.selectors.panel import find_expert
from assessments.services.panel_rounds import digest_of
from projects.access import RATE, project_page
from projects.models import Project


@dataclass(frozen=True)
class Voter:
    """An expert on their way through the panel's pages."""

    project: Project
    expert: Expert
    token: str = ""

    def page(self, name: str, *args: str) -> str:
        """The address of one of the voting pages for this voter."""
        if self.token:
            return reverse(f"assessments:guest_{name}", args=[self.project.slug, self.token, *args])
        return reverse(f"assessments:{name}", args=[self.project.slug, *args])

    @property
    def start(self) -> str:
        """The address of the first page."""
        return self.page("vote_start")

    @property
    def weights(self) -> str:
        """The address of the swing points."""
        return self.page("vote_weights")


VoterView = Callable[..., HttpResponseBase]


def member_voter(view: VoterView) -> VoterView:
    """Decorate a view for a member of the team who was invited by account."""

    @project_page(RATE)
    @wraps(view)
    def checked(request: HttpRequest, project: Project, *args: Any, **kwargs: Any) -> HttpResponseBase:
        expert = find_expert(project, request.user)
        if expert is None:
            return render(request, "assessments/not_invited.html", {"project": project}, status=403)
        return view(request, Voter(project, expert), *args, **kwargs)

    return checked


def guest_voter(view: VoterView) -> VoterView:
    """Decorate a view for a guest; whoever has the link is the guest, so it is not cached and expires."""

    @wraps(view)
    def checked(request: HttpRequest, slug: str, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        expert = (
            Expert.objects.filter(token_digest=digest_of(token), assessment__project__slug=slug)
            .select_related("assessment__project__team")
            .first()
        )
        if expert is None:
            raise Http404
        if not expert.may_vote or not expert.assessment.is_open:
            return render(request, "assessments/guest_over.html", {"expert": expert}, status=410)
        response = view(request, Voter(expert.assessment.project, expert, token), *args, **kwargs)
        add_never_cache_headers(response)
        return response

    return checked
