"""Editions of the catalogue: those that ship with the portal and those a team makes of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from projects.models import Team

USER = settings.AUTH_USER_MODEL


class Edition(models.Model):
    """One edition of the catalogue, as `principles.read_document` reads it.

    A draft is worked on; published, an edition never changes and `digest` names its content. One without a team shipped
    with the portal and is kept as soon as something was made with it, so that it outlives the next release.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"

    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="editions")
    name = models.CharField(max_length=40)
    number = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices)
    #: The shipped edition a team's own one was made from, or last brought up to.
    base = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    document = models.JSONField()
    digest = models.CharField(max_length=64, null=True, unique=True)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    published_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["team", "number"], name="edition_number_unique_in_team"),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(state="draft"), name="one_draft_of_the_catalogue_per_team"
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", digest=None) | models.Q(state="published", digest__isnull=False),
                name="published_edition_has_a_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        """Say whether it may still change."""
        return self.state == self.State.DRAFT
