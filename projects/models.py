"""Who and what: teams, their members, their projects, the events of a project, and who did what."""

from __future__ import annotations

from hashlib import sha256

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse


class Role(models.TextChoices):
    """What a member of a team may do; each role may do everything the ones below it may."""

    OWNER = "owner", "Owner"
    MAINTAINER = "maintainer", "Maintainer"
    EXPERT = "expert", "Expert"
    VIEWER = "viewer", "Viewer"


class Task(models.TextChoices):
    """What a project's models predict."""

    BINARY = "binary", "Binary classification"
    MULTICLASS = "multiclass", "Multiclass classification"
    REGRESSION = "regression", "Regression"


class Fallback(models.TextChoices):
    """What is answered when no model is deployed, or the deployed one cannot predict."""

    ERROR = "error", "An error"
    LAST = "last", "The newest label"
    TYPICAL = "typical", "The most frequent label, or the mean"

    def named_for(self, task: str) -> str:
        """Name what is answered in a project of this task."""
        if self != Fallback.TYPICAL:
            return str(self.label)
        return "The mean of the newest labels" if task == Task.REGRESSION else "The most frequent of the newest labels"


class Team(models.Model):
    """People who share projects."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person in one team, with one role."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_team")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}: {self.get_role_display()}"


class Project(models.Model):
    """One stream of events and the models that learn from it."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, unique=True)
    description = models.TextField(blank=True, max_length=2000)
    task = models.CharField(max_length=12, choices=Task.choices)
    label_name = models.CharField("label", max_length=80, help_text="What the models predict.")
    primary_metric = models.CharField(max_length=40)
    fallback = models.CharField(
        "without a model, answer", max_length=8, choices=Fallback.choices, default=Fallback.ERROR
    )
    #: Position of the newest labelled event; the row's lock is what makes label order gapless.
    last_position = models.BigIntegerField(default=0, validators=[MinValueValidator(0)])
    event_count = models.BigIntegerField(default=0, validators=[MinValueValidator(0)])
    #: The JSON type of the labels and, unless it is a regression, the classes seen; changed under the same lock.
    label_type = models.CharField(max_length=8, blank=True, editable=False)
    label_classes = models.JSONField(default=list, blank=True, editable=False)
    #: How many labels wait for their event; counted under the same lock, so that taking events in need not look.
    early_labels = models.BigIntegerField(default=0, editable=False)
    deploys_need_approval = models.BooleanField(
        "a second person approves deployments",
        default=False,
        help_text="Who proposes a deployment or a canary cannot approve it. Rolling back needs nobody.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="project_name_unique_in_team")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of this project."""
        return reverse("models_registry:overview", args=[self.slug])

    @property
    def fallback_name(self) -> str:
        """What is answered when no model can."""
        return Fallback(self.fallback).named_for(self.task)


class Event(models.Model):
    """Features as they were received, later their label.

    `features` and `label` hold JSON text exactly as accepted: the order of the keys matters to some learners and
    a JSON column of PostgreSQL would change it. `position` is the place in the order of learning, given when the
    label is committed.
    """

    # No index of its own: each of the three below begins with the project.
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="events", db_index=False)
    key = models.CharField(max_length=200)
    features = models.TextField()
    label = models.TextField(null=True)
    position = models.BigIntegerField(null=True)
    event_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    #: When the label came, and, where its sender said so, when it was observed.
    labelled_at = models.DateTimeField(null=True)
    label_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="event_key_unique_in_project"),
            models.UniqueConstraint(fields=["project", "position"], name="event_position_unique_in_project"),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="event_newest_first")]

    def __str__(self) -> str:
        return self.key


class LabelCorrection(models.Model):
    """A second, different label for an event: recorded beside the first one, which stays in the order of learning."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="corrections")
    label = models.TextField()
    received_at = models.DateTimeField(auto_now_add=True)
    label_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.event}: {self.label}"


class EarlyLabel(models.Model):
    """A label whose event has not come yet, as JSON text; of several for one event, the first one will be learned."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="waiting_labels", db_index=False)
    key = models.CharField(max_length=200)
    label = models.TextField()
    received_at = models.DateTimeField()
    label_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["project", "key"], name="early_label_by_key")]

    def __str__(self) -> str:
        return f"{self.key}: {self.label}"


class LabelDeadline(models.Model):
    """A project's rule for events whose label never comes."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="label_deadline")
    #: How long after it was received an event may wait for its label; None: for ever.
    wait = models.DurationField(null=True)
    #: The label it is given then, as JSON text; empty: it stays without one and waits no longer.
    default = models.TextField(blank=True)
    #: Events up to this id are settled; those behind it may wait.
    settled_upto = models.BigIntegerField(default=0)
    #: How many events got no label, and how many the default, so far.
    unknown = models.BigIntegerField(default=0)
    defaulted = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.project}: {self.wait}"


class MissedLabel(models.Model):
    """The fact that an event's label did not come in time: what it was given instead, and why."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="missed_label")
    #: As JSON text; empty: the label is unknown.
    default = models.TextField(blank=True)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event}: {self.reason}"


class Scope(models.TextChoices):
    """What a project token may be used for."""

    INGEST = "ingest", "Send events and labels"
    PREDICT = "predict", "Ask for predictions"
    READ = "read", "Read runs, versions, deployments and the assessment"
    MANAGE = "manage", "Start runs, deploy, roll back and change the assessment"


class ApiToken(models.Model):
    """A project's key to the HTTP API. Only its hash is kept; the prefix is for telling tokens apart."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(secret: str) -> str:
        """Return what is kept of a secret. It is random, so a plain hash keeps it as safe as a slow one."""
        return sha256(secret.encode()).hexdigest()


class DataImport(models.Model):
    """A file or a stream on its way into a project's events, done in the worker in bounded chunks."""

    class Kind(models.TextChoices):
        CSV = "csv", "CSV file"
        NDJSON = "ndjson", "NDJSON file"
        PARQUET = "parquet", "Parquet file"
        BUNDLED = "bundled", "Bundled data set"
        SYNTHETIC = "synthetic", "Synthetic stream"
        REDIS = "redis", "Redis stream"

    class State(models.TextChoices):
        PREVIEW = "preview", "Waiting for confirmation"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        FAILED = "failed", "Failed"

    #: States in which a worker may take the import.
    ACTIVE = (State.QUEUED, State.RUNNING)
    #: Kinds that a consumer process takes in, not the worker.
    CONSUMED = (Kind.REDIS,)
    #: States that an import never leaves.
    ENDED = (State.COMPLETED, State.CANCELLED, State.FAILED)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=200)
    file = models.FileField(upload_to="imports/%Y/%m/", null=True, blank=True)
    #: How the file is read: columns with their types, delimiter, label column; or the data set and its rate.
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PREVIEW)
    #: Where reading goes on: lines of the file (or events of the data set) done, and the byte offset of the next
    #: one; of a Parquet file the characters that its rows have so far.
    row = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    total_rows = models.BigIntegerField(null=True)
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    corrections = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True)
    #: When a consumer process last said that it is there.
    seen_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name


class RejectedRow(models.Model):
    """A row of an import that was set aside, with its line and the reason; the rows around it were kept."""

    data_import = models.ForeignKey(DataImport, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.BigIntegerField()
    reason = models.CharField(max_length=300)
    raw = models.CharField(max_length=500)

    class Meta:
        ordering = ["line"]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class Activity(models.Model):
    """One thing somebody did, in one sentence; never changed afterwards."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="activity")
    project = models.ForeignKey(Project, null=True, on_delete=models.CASCADE, related_name="activity")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: The name as it was: an account may go, what it did stays readable. "portal" for what no person did.
    actor_name = models.CharField(max_length=150)
    verb = models.CharField(max_length=40)
    summary = models.CharField(max_length=400)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "activity"
        indexes = [models.Index(fields=["project", "-id"], name="activity_by_project")]

    def __str__(self) -> str:
        return self.summary
