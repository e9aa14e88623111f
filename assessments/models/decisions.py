"""What was decided about principles, and links that show a result to people without an account."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from assessments.models.checklist import Assessment
from assessments.models.panel import Round
from projects.models import Project

USER = settings.AUTH_USER_MODEL


class Decision(models.Model):
    """A short decision record about one principle. A change of mind is a new row; the newest one holds."""

    class Choice(models.TextChoices):
        ADOPT = "adopt", "Adopt"
        LATER = "later", "Later"
        NO = "no", "No"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="decisions")
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.SET_NULL, related_name="decisions")
    round = models.ForeignKey(Round, null=True, on_delete=models.SET_NULL, related_name="decisions")
    principle = models.CharField(max_length=80)
    choice = models.CharField(max_length=8, choices=Choice.choices)
    reason = models.TextField(max_length=2000)
    owner = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    due = models.DateField(null=True)
    #: Since when the principle is in place: what came before and after can be compared from that day.
    adopted_on = models.DateField(null=True)
    effort_planned = models.FloatField(null=True)
    effort_spent = models.FloatField(null=True)
    #: Verdict and what the records measured when this was decided, to compare with later.
    context = models.JSONField(default=dict)
    decided_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    decided_by_name = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["project", "principle", "-id"], name="newest_decision")]

    def __str__(self) -> str:
        return f"{self.principle}: {self.get_choice_display()}"


class ShareLink(models.Model):
    """A link that shows an assessment's closed rounds to whoever has it, read-only."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="share_links")
    name = models.CharField(max_length=80)
    token_digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def works(self) -> bool:
        """Say whether the link still shows something."""
        return self.revoked_at is None and self.expires_at > timezone.now()
