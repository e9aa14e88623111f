"""Who speaks in the calls of an expert: a person of the panel who is signed in."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from rest_framework.request import Request

from assessments.models import Expert
from assessments.selectors.panel import find_expert
from projects.access import RATE, api_person


def speaking(request: Request, slug: str) -> Expert:
    """The expert who is signed in; guests have their page, and a token has no opinion."""
    project, user = api_person(request, slug, RATE)
    expert = find_expert(project, user)
    if expert is None:
        raise PermissionDenied("You are not on the panel of this assessment; its facilitator can invite you.")
    return expert
