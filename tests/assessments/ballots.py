"""Steps of a panel that many tests take."""

from __future__ import annotations

from django.urls import reverse

from assessments.services.panel_ratings import RatingDraft, save_rating

HTMX = {"HX-Request": "true"}


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


def say(expert, principle="monitoring", base=0, **fields):
    return save_rating(expert=expert, principle=principle, draft=RatingDraft(**fields), base_version=base)
