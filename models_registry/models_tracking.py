"""Around a run: its tags, how its predictions turned out, and the columns a person chose to see.

`models` imports this module, so it names `models` only as strings.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from projects.models import Project

USER = settings.AUTH_USER_MODEL


class RunTag(models.Model):
    """A word on a run, to find it by."""

    run = models.ForeignKey("models_registry.Run", on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(max_length=40)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="tag_once_on_a_run")]
        indexes = [models.Index(fields=["name"], name="run_by_tag")]

    def __str__(self) -> str:
        return self.name


class RunColumns(models.Model):
    """The columns that a person sees in the runs of a project."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    keys = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "project"], name="columns_once_per_person_and_project")]

    def __str__(self) -> str:
        return f"{self.user} in {self.project}"


class OutcomeSegment(models.Model):
    """How a run's predictions in one stretch of the stream turned out, packed by `learning.outcomes`."""

    run = models.ForeignKey("models_registry.Run", on_delete=models.CASCADE, related_name="outcomes", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_outcome_segment_per_stretch")]

    def __str__(self) -> str:
        return f"{self.run_id}, stretch {self.number}"
