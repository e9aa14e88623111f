"""Scope profiles. One is never changed: a change is a new row."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from projects.models import Project

USER = settings.AUTH_USER_MODEL


class ScopeProfile(models.Model):
    """What a project is like: now, or as it is meant to be at the end of the horizon. The newest row of a kind holds.

    `values` maps a factor of `scoring.scope` to its number; a factor nobody knows yet is absent, never zero. In a
    planned profile an absent factor means "as now".
    """

    class Kind(models.TextChoices):
        CURRENT = "current", "Now"
        PLANNED = "planned", "Planned"

    class Origin(models.TextChoices):
        DECLARED = "declared", "Declared by a person"
        MEASURED = "measured", "Measured from the portal's records"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scope_profiles")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    values = models.JSONField(default=dict)
    #: Where each value came from, by factor (and `first_version`).
    origins = models.JSONField(default=dict)
    #: For measured rates, what was counted over how many weeks or months: {"count", "periods"}.
    measurements = models.JSONField(default=dict)
    #: Whether the first version is still to be released; None while nobody said.
    first_version = models.BooleanField(null=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["project", "kind", "-id"], name="newest_scope_profile")]

    def __str__(self) -> str:
        return f"Scope of {self.project_id} ({self.get_kind_display().lower()})"
