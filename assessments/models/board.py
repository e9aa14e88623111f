"""The statements board: what experts say about each principle, how the others stand to it, and codes to group it by."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from assessments.models.checklist import Assessment
from assessments.models.panel import Expert

USER = settings.AUTH_USER_MODEL


class Board(models.Model):
    """The board of one assessment. Open, it takes statements and shows no counts; closed, it is sealed."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    assessment = models.OneToOneField(Assessment, on_delete=models.CASCADE, related_name="board")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    anonymous = models.BooleanField(default=True)
    opened_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True)
    #: How many experts were on the panel when it closed.
    invited = models.PositiveIntegerField(default=0)
    #: SHA-256 over all statements and stances at closing; codes are not in it, grouping goes on afterwards.
    seal = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"Board of {self.assessment}"

    @property
    def is_open(self) -> bool:
        """Say whether statements and stances may still change."""
        return self.state == self.State.OPEN


class Code(models.Model):
    """A name the facilitator groups statements under."""

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="codes")
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["board", "name"], name="code_unique_on_board")]

    def __str__(self) -> str:
        return self.name


class Statement(models.Model):
    """A benefit or a limitation of a principle, in an expert's words."""

    class Kind(models.TextChoices):
        BENEFIT = "benefit", "Benefit"
        LIMITATION = "limitation", "Limitation"

    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="statements")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="statements")
    principle = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = models.CharField(max_length=500)
    code = models.ForeignKey(Code, null=True, on_delete=models.SET_NULL, related_name="statements")
    withdrawn_at = models.DateTimeField(null=True)
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["principle", "kind", "text"]

    def __str__(self) -> str:
        return self.text


class Reaction(models.Model):
    """How an expert stands to what another one said."""

    class Value(models.TextChoices):
        AGREE = "agree", "Agree"
        DISAGREE = "disagree", "Disagree"
        PASS = "pass", "Pass"

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="reactions")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="reactions")
    value = models.CharField(max_length=8, choices=Value.choices)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["statement", "expert"], name="one_reaction_per_statement")]

    def __str__(self) -> str:
        return self.get_value_display()
