"""Models, their runs, versions and deployments. History is append-only: only `Run` rows change."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from models_registry.models_deploying import (
    LivePoint,
    Proposal,
    ProposalStep,
    ReplayVerdict,
    ScoredUpTo,
    ShadowAnswer,
    ShadowChange,
)
from models_registry.models_tracking import OutcomeSegment, RunColumns, RunTag
from projects.models import Event, Project

__all__ = [
    "Alarm",
    "Comparison",
    "Deployment",
    "LivePoint",
    "MetricPoint",
    "OutcomeSegment",
    "Prediction",
    "Proposal",
    "ProposalStep",
    "RegisteredModel",
    "ReplayVerdict",
    "Run",
    "RunColumns",
    "RunTag",
    "ScoredUpTo",
    "SetAsideEvent",
    "ShadowAnswer",
    "ShadowChange",
    "Verification",
    "Version",
]

USER = settings.AUTH_USER_MODEL


class RegisteredModel(models.Model):
    """A model: a named spec. Its spec never changes; a changed spec is a new model."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=80)
    spec = models.JSONField()
    #: The value of every parameter of the spec by its name, defaults included: tables of runs show and sort by them.
    parameters = models.JSONField(default=dict)
    note = models.TextField(blank=True, max_length=2000)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="model_name_unique_in_project")]

    def __str__(self) -> str:
        return self.name


class Comparison(models.Model):
    """Runs that learn the same events in one pass, so that they can be compared fairly."""

    class Kind(models.TextChoices):
        COMPARE = "compare", "Comparison of models"
        SWEEP = "sweep", "Sweep over parameters"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="comparisons")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.COMPARE)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="comparison_number_unique_in_project")
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """One incremental training: a model learning a project's events in the order of their labels.

    Everything that a chunk of learning changes is on this row and moves with `position` in one fenced update.
    """

    class Mode(models.TextChoices):
        REPLAY = "replay", "Replay: learn what is there, then finish"
        FOLLOW = "follow", "Follow: go on learning as labels arrive"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    class Purpose(models.TextChoices):
        LEARN = "learn", "Learn"
        RESTORE = "restore", "Restore a past state"
        VERIFY = "verify", "Verify a version"

    #: States in which a worker may take the run.
    ACTIVE = (State.QUEUED, State.RUNNING)
    #: States that a run never leaves.
    ENDED = (State.COMPLETED, State.CANCELLED, State.FAILED)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=8, choices=Mode.choices)
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.LEARN)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    from_version = models.ForeignKey("Version", null=True, on_delete=models.PROTECT, related_name="runs_from")
    #: Runs of one comparison at the same position learn in one pass.
    comparison = models.ForeignKey(Comparison, null=True, on_delete=models.SET_NULL, related_name="runs")
    #: The version that a verifying run replays.
    verifies = models.ForeignKey("Version", null=True, on_delete=models.CASCADE, related_name="verifying_runs")
    #: Snapshot of the model's spec, so that the run stays explained whatever happens to the model.
    spec = models.JSONField()
    seed = models.BigIntegerField()
    #: How it learns: metrics, window, drift detector, the rule that publishes versions.
    options = models.JSONField(default=dict)
    trigger = models.CharField(max_length=40, default="person")
    #: What people wrote about it afterwards, and whether they put it away; `tags` are rows of their own.
    note = models.TextField(blank=True, max_length=2000)
    archived_at = models.DateTimeField(null=True, blank=True)
    start_position = models.BigIntegerField(default=0)
    #: Where a replay ends; None for a run that follows.
    target_position = models.BigIntegerField(null=True)

    position = models.BigIntegerField(default=0)
    checkpoint = models.CharField(max_length=64, blank=True)
    checkpoint_bytes = models.BigIntegerField(default=0)
    #: Newest value of every series, as the page shows it.
    summary = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    point_width = models.BigIntegerField(default=0)
    learned = models.BigIntegerField(default=0)
    set_aside_count = models.BigIntegerField(default=0)
    learning_seconds = models.FloatField(default=0.0)
    events_per_second = models.FloatField(default=0.0)
    chunk_events = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    #: Python, River and portal versions of the worker that learned last, and the commit where it is known.
    environment = models.JSONField(default=dict)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="run_number_unique_in_project")]
        indexes = [models.Index(fields=["state", "lease_until"], name="run_by_state")]

    def __str__(self) -> str:
        return f"Run {self.number}"

    def get_absolute_url(self) -> str:
        """Return the page of this run."""
        return reverse("models_registry:run", args=[self.project.slug, self.number])

    @property
    def active(self) -> bool:
        """Say whether a worker may take the run."""
        return self.state in self.ACTIVE

    @property
    def ended(self) -> bool:
        """Say whether the run is over for good."""
        return self.state in self.ENDED


class Version(models.Model):
    """The published state of a model at one position. It never changes; only its tag and its file may come and go."""

    class Reason(models.TextChoices):
        END = "end", "end of the run"
        REQUEST = "request", "asked for"
        RULE = "rule", "every N events"
        DRIFT = "drift", "drift"
        SAFETY = "safety", "before a change"
        RESTORE = "restore", "restored"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="versions")
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    position = models.BigIntegerField()
    reason = models.CharField(max_length=8, choices=Reason.choices)
    spec = models.JSONField()
    metrics = models.JSONField()
    artifact = models.CharField(max_length=64)
    artifact_bytes = models.BigIntegerField()
    #: Names the model, not the file: a digest of the metrics and of the predictions on a fixed probe set.
    digest = models.CharField(max_length=64)
    environment = models.JSONField(default=dict)
    #: A word that marks the version, and keeps its artifact from being removed.
    tag = models.CharField(max_length=40, blank=True)
    #: When retention removed the artifact; the row stays, and replay brings the model back.
    artifact_removed_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="version_number_unique_in_project"),
            models.UniqueConstraint(fields=["run", "position"], name="one_version_per_position_of_a_run"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    def get_absolute_url(self) -> str:
        """Return the page of this version."""
        return reverse("models_registry:version", args=[self.project.slug, self.number])


class Verification(models.Model):
    """What replaying a version found: whether the same model came out, and where it first differed."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="verifications")
    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="verification")
    identical = models.BooleanField()
    #: The first position at which the metrics differed; None when they did not, or nothing tells.
    differs_since = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version}: {'identical' if self.identical else 'different'}"


class MetricPoint(models.Model):
    """The prequential metrics over one bucket of events: per series the last, lowest and highest value."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="points")
    first = models.BigIntegerField()
    position = models.BigIntegerField()
    values = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="one_point_per_position_of_a_run")]

    def __str__(self) -> str:
        return f"{self.run_id} at {self.position}"


class Alarm(models.Model):
    """A monitor's finding about a run, such as drift of the error."""

    class Kind(models.TextChoices):
        DRIFT = "drift", "Drift"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.DRIFT)
    position = models.BigIntegerField()
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-position"]
        constraints = [models.UniqueConstraint(fields=["run", "kind", "position"], name="one_alarm_per_position")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} at {self.position}"


class SetAsideEvent(models.Model):
    """An event that a run could not learn from, with the reason; the run went on."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="set_aside")
    position = models.BigIntegerField()
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="set_aside_once")]

    def __str__(self) -> str:
        return f"{self.position}: {self.reason}"


class Deployment(models.Model):
    """A fact: this serves from now on. The newest row of a project says what is deployed, its canary included."""

    class Mode(models.TextChoices):
        PIN = "pin", "Pin: serve exactly this version"
        FOLLOW = "follow", "Follow: serve the run's newest checkpoint"

    class Kind(models.TextChoices):
        DEPLOY = "deploy", "Deployed"
        ROLLBACK = "rollback", "Rolled back"
        CANARY = "canary", "Canary started"
        WIDEN = "widen", "Canary's share changed"
        PROMOTE = "promote", "Canary promoted"
        ABORT = "abort", "Canary aborted"
        REPLAY = "replay", "Replay deployed"

    #: Kinds that change only the canary; what serves beside it stays.
    CANARY_ONLY = (Kind.CANARY, Kind.WIDEN, Kind.ABORT)

    class Since(models.TextChoices):
        DROP = "drop", "Drop it: stop the runs that went on learning"
        REPLAY = "replay", "Replay it onto the restored version"
        CHALLENGER = "challenger", "Keep it as challenger: it goes on learning without serving"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="deployments")
    number = models.PositiveIntegerField()
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="deployments")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.DEPLOY)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.PIN)
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    #: The row that let this version serve, when this one changed only its canary.
    origin = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="changes")
    #: A version that answers `canary_share` per cent of the traffic, chosen by a hash of the event's id.
    canary = models.ForeignKey(Version, null=True, on_delete=models.PROTECT, related_name="canary_of")
    canary_share = models.PositiveSmallIntegerField(default=0)
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.PROTECT, related_name="deployments")
    since = models.CharField(max_length=12, choices=Since.choices, blank=True)
    #: The run that a rollback started to replay what was learned since.
    replay_run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(USER, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="deployment_number_unique_in_project")
        ]

    def __str__(self) -> str:
        return f"Deployment {self.number}"


class Prediction(models.Model):
    """An answer given for an event, kept with it so that its later label can score it.

    By the version that was deployed, or, without a version, by the project's fallback; `fallback` names its rule.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="predictions")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="predictions")
    deployment = models.ForeignKey(Deployment, null=True, on_delete=models.PROTECT, related_name="predictions")
    version = models.ForeignKey(Version, null=True, on_delete=models.PROTECT, related_name="predictions")
    fallback = models.CharField(max_length=8, blank=True)
    output = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.output
