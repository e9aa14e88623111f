"""Around a deployment: proposals, challengers in the shadow, live figures, and what became of a replay.

`models` imports this module, so it names `models` only as strings.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from projects.models import Project

USER = settings.AUTH_USER_MODEL


class Proposal(models.Model):
    """A deployment that waits: for a second person, for its time, or for both. Its state is its newest step."""

    class Action(models.TextChoices):
        DEPLOY = "deploy", "Deploy"
        CANARY = "canary", "Canary"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="proposals")
    number = models.PositiveIntegerField()
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.DEPLOY)
    version = models.ForeignKey("models_registry.Version", on_delete=models.PROTECT, related_name="proposals")
    #: How it would serve; empty for a canary, which is always pinned.
    mode = models.CharField(max_length=8, blank=True)
    #: Per cent of the traffic of a canary; 0 for a deployment.
    share = models.PositiveSmallIntegerField(default=0)
    needs_approval = models.BooleanField()
    #: When it is carried out; None: as soon as it may be.
    due_at = models.DateTimeField(null=True)
    #: The number of the newest deployment when it was proposed; 0: none.
    seen = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="proposal_number_unique_in_project")]

    def __str__(self) -> str:
        return f"Proposal {self.number}"


class ProposalStep(models.Model):
    """A fact about a proposal. One that closes it is its last."""

    class Kind(models.TextChoices):
        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DONE = "done", "Carried out"
        FAILED = "failed", "Not carried out"

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["proposal"], condition=~models.Q(kind="approved"), name="one_end_each"),
            models.UniqueConstraint(fields=["proposal"], condition=models.Q(kind="approved"), name="one_approval_each"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class ShadowChange(models.Model):
    """A fact: from now on a version predicts in the shadow of what serves, or no longer does."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shadow_changes")
    version = models.ForeignKey("models_registry.Version", on_delete=models.PROTECT, related_name="shadow_changes")
    started = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version} {'enters' if self.started else 'leaves'} the shadow"


class ShadowAnswer(models.Model):
    """What a challenger would have answered, beside the prediction that was given; a worker asks it afterwards."""

    prediction = models.ForeignKey("models_registry.Prediction", on_delete=models.CASCADE, related_name="shadows")
    version = models.ForeignKey("models_registry.Version", on_delete=models.CASCADE, related_name="shadow_answers")
    #: JSON as of a prediction; `prediction` is null where the challenger had nothing to say.
    output = models.TextField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["version", "prediction"], name="one_shadow_answer_per_prediction")
        ]

    def __str__(self) -> str:
        return self.output


class LivePoint(models.Model):
    """Sums over the answers of a version under one deployment whose labels fall into one stretch of the stream.

    The columns are those of `learning.pairing`. A point grows until the stream has passed its stretch.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="live_points")
    deployment = models.ForeignKey("models_registry.Deployment", on_delete=models.CASCADE, related_name="live_points")
    version = models.ForeignKey("models_registry.Version", on_delete=models.CASCADE, related_name="live_points")
    stretch = models.BigIntegerField()
    #: When the first and the last of the answers were given.
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    events = models.FloatField(default=0)
    wrong = models.FloatField(default=0)
    true_positive = models.FloatField(default=0)
    false_positive = models.FloatField(default=0)
    false_negative = models.FloatField(default=0)
    absolute = models.FloatField(default=0)
    squared = models.FloatField(default=0)

    class Meta:
        ordering = ["stretch"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "version", "stretch"], name="one_live_point_per_stretch")
        ]
        indexes = [models.Index(fields=["project", "last_at"], name="live_point_by_time")]

    def __str__(self) -> str:
        return f"{self.events:,.0f} answers of version {self.version_id}"


class ScoredUpTo(models.Model):
    """How far into the stream of labels a project's answers are scored; moves with the points, in one transaction."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="scored_up_to")
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.project_id}: {self.position}"


class ReplayVerdict(models.Model):
    """A fact: what a rollback's replay came to. Deployed when it was not worse than the restored version, else kept."""

    deployment = models.OneToOneField("models_registry.Deployment", on_delete=models.CASCADE, related_name="verdict")
    #: What the replay arrived at; None when it arrived nowhere.
    version = models.ForeignKey("models_registry.Version", null=True, on_delete=models.PROTECT, related_name="+")
    deployed = models.BooleanField()
    #: Why, in words, with the figures that decided.
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.reason
