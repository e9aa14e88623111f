"""A project's own assumptions. A set is never changed: a change is a new row, and the newest one holds."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models

from projects.models import Project

USER = django_settings.AUTH_USER_MODEL


class AssumptionSet(models.Model):
    """Everything the scoring assumes, as a person has set it; without one, the portal's own assumptions hold."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assumption_sets")
    number = models.PositiveIntegerField()
    #: `scoring.settings.Settings` as JSON.
    settings = models.JSONField()
    #: SHA-256 of the settings; results name it.
    digest = models.CharField(max_length=64)
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="assumption_set_number_unique_in_project")
        ]

    def __str__(self) -> str:
        return f"Assumptions {self.number}"
