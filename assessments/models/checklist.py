"""Assessments, the answers people give, and what the records said when one was closed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from assessments.models.catalogue import Edition
from assessments.models.scope import ScopeProfile
from projects.models import Project

USER = settings.AUTH_USER_MODEL


class Assessment(models.Model):
    """One look at a project, with the edition of the catalogue it was made with. Closed, it is a milestone."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assessments")
    number = models.PositiveIntegerField()
    #: Name of the edition of the catalogue, and its content; without content it is the one that ships now.
    edition = models.CharField(max_length=40)
    catalogue = models.ForeignKey(
        Edition, to_field="digest", null=True, on_delete=models.PROTECT, related_name="assessments"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    opened_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True)
    #: The profiles that held when it was closed; while it is open the newest ones hold.
    scope_current = models.ForeignKey(ScopeProfile, null=True, on_delete=models.PROTECT, related_name="+")
    scope_planned = models.ForeignKey(ScopeProfile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="assessment_number_unique_in_project"),
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(state="open"), name="one_open_assessment_per_project"
            ),
        ]

    def __str__(self) -> str:
        return f"Assessment {self.number}"

    def get_absolute_url(self) -> str:
        """Return the page of the project's assessment."""
        return reverse("assessments:overview", args=[self.project.slug])

    @property
    def is_open(self) -> bool:
        """Say whether answers may still change."""
        return self.state == self.State.OPEN


class Value(models.TextChoices):
    """What can be said about a practice. Not answered is the absence of a value, never "no"."""

    YES = "yes", "Yes"
    PARTLY = "partly", "Partly"
    NO = "no", "No"
    DOES_NOT_APPLY = "does_not_apply", "Does not apply"


class Answer(models.Model):
    """What people say about one practice. A cleared answer stays as a row without a value, so its version goes on."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="answers")
    practice = models.CharField(max_length=120)
    value = models.CharField(max_length=16, choices=Value.choices, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    evidence_url = models.URLField(max_length=500, blank=True)
    comment = models.TextField(max_length=2000, blank=True)
    #: Counts the changes; a page that was opened before the last one is told, and both answers are offered.
    version = models.PositiveIntegerField(default=1)
    #: What the records said when this was answered: tells an answer that overrules them from one they moved away from.
    found_value = models.CharField(max_length=16, blank=True)
    answered_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_by_name = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField()

    class Meta:
        ordering = ["practice"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "practice"], name="one_answer_per_practice"),
            models.CheckConstraint(
                condition=~models.Q(value="does_not_apply") | ~models.Q(reason=""), name="does_not_apply_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice}: {self.get_value_display() or 'not answered'}"


class SealedFinding(models.Model):
    """What the records said about a practice when the assessment was closed. While it is open they are asked anew."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="findings")
    practice = models.CharField(max_length=120)
    check_name = models.CharField(max_length=60)
    value = models.CharField(max_length=16, choices=Value.choices)
    sentence = models.CharField(max_length=500)
    url = models.CharField(max_length=300)
    query = models.CharField(max_length=500)

    class Meta:
        ordering = ["practice"]
        constraints = [models.UniqueConstraint(fields=["assessment", "practice"], name="one_finding_per_practice")]

    def __str__(self) -> str:
        return f"{self.practice}: {self.get_value_display()}"
