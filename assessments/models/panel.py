"""A panel of experts: who is invited, its rounds, what each expert said, and what came out of a round."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from assessments.models.checklist import Assessment
from assessments.models.scope import ScopeProfile

USER = settings.AUTH_USER_MODEL


class Expert(models.Model):
    """Somebody invited to a panel: a member with an account, or a guest with a link that expires.

    `code` stands for the person wherever the panel is anonymous; it says nothing about who it is.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="experts")
    user = models.ForeignKey(USER, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=150)
    code = models.CharField(max_length=8)
    #: Hash of a guest's token; the token itself is shown once and not kept.
    token_digest = models.CharField(max_length=64, null=True, unique=True)
    expires_at = models.DateTimeField(null=True)
    invited_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    invited_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "user"], name="one_invitation_per_account"),
            models.UniqueConstraint(fields=["assessment", "code"], name="expert_code_unique_in_assessment"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_guest(self) -> bool:
        """Say whether the expert comes by link, without an account."""
        return self.user_id is None

    @property
    def may_vote(self) -> bool:
        """Say whether the invitation still holds."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class Round(models.Model):
    """One round of a panel. Open, it takes answers and shows none; closed, it is sealed and has a result."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    anonymous = models.BooleanField(default=True)
    #: Every assumption, fixed when the first round opens: `scoring.settings.Settings` as JSON.
    settings = models.JSONField()
    #: Slugs of principles that were in place when the round closed.
    in_place = models.JSONField(default=list)
    scope_current = models.ForeignKey(ScopeProfile, null=True, on_delete=models.PROTECT, related_name="+")
    scope_planned = models.ForeignKey(ScopeProfile, null=True, on_delete=models.PROTECT, related_name="+")
    opened_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True)
    #: SHA-256 over all answers at closing: shows that none was changed afterwards.
    seal = models.CharField(max_length=64, blank=True)
    #: `scoring.recommend.Result` as JSON, worked out by the worker after closing.
    result = models.JSONField(null=True)
    result_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["assessment", "number"], name="round_number_unique_in_assessment"),
            models.UniqueConstraint(
                fields=["assessment"], condition=models.Q(state="open"), name="one_open_round_per_assessment"
            ),
        ]

    def __str__(self) -> str:
        return f"Round {self.number}"

    @property
    def is_open(self) -> bool:
        """Say whether answers may still change."""
        return self.state == self.State.OPEN


class Stance(models.TextChoices):
    """How an expert stands to rating a principle at all."""

    RATES = "rates", "I can rate it"
    UNKNOWN = "unknown", "I don't know"
    NOT_APPLICABLE = "not_applicable", "It does not apply here"


class Confidence(models.TextChoices):
    """How sure an expert is; it widens the range of a rating, never the weight of a person."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Rating(models.Model):
    """What one expert says about one principle in one round. What is None was not answered and never counts as zero."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="ratings")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="ratings")
    principle = models.CharField(max_length=80)
    stance = models.CharField(max_length=16, choices=Stance.choices, default=Stance.RATES)
    vote = models.PositiveSmallIntegerField(null=True)
    #: Benefit key to 0..4, or null for "don't know".
    benefits = models.JSONField(default=dict)
    effort_low = models.FloatField(null=True)
    effort_likely = models.FloatField(null=True)
    effort_high = models.FloatField(null=True)
    #: The same of the light level alone, where the principle has one; the others are about all of it.
    light_benefits = models.JSONField(default=dict)
    light_effort_low = models.FloatField(null=True)
    light_effort_likely = models.FloatField(null=True)
    light_effort_high = models.FloatField(null=True)
    confidence = models.CharField(max_length=8, choices=Confidence.choices, blank=True)
    reason = models.TextField(max_length=2000, blank=True)
    evidence_url = models.URLField(max_length=500, blank=True)
    version = models.PositiveIntegerField(default=1)
    #: Taken over from the round before and not touched since.
    carried = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["round", "expert", "principle"], name="one_rating_per_round"),
            models.CheckConstraint(
                condition=models.Q(vote=None) | models.Q(vote__gte=1, vote__lte=9), name="vote_from_1_to_9"
            ),
            models.CheckConstraint(
                condition=~models.Q(stance="not_applicable") | ~models.Q(reason=""),
                name="not_applicable_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principle}: {self.vote if self.vote is not None else self.get_stance_display()}"


class Weights(models.Model):
    """Swing points of one expert in one round: how much each benefit's whole swing matters, 0..100 each."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="weights")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="weights")
    points = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    carried = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "weights"
        constraints = [models.UniqueConstraint(fields=["round", "expert"], name="one_set_of_weights_per_round")]

    def __str__(self) -> str:
        return f"Weights of {self.expert} in {self.round}"
