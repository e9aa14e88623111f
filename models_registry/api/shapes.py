"""Models, runs, versions, deployments and alarms as the API tells them. Numbers are those of the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from models_registry.api.fields import name_user
from models_registry.models import Alarm, Deployment, Proposal, ProposalStep, RegisteredModel, Run, Version
from models_registry.selectors.run_columns import throughput_of, took_seconds
from projects.models import Project


def metrics_of(**kwargs: Any) -> serializers.DictField:
    """Make the field of the newest value of every series, by its key."""
    return serializers.DictField(
        **kwargs,
        read_only=True,
        child=serializers.FloatField(allow_null=True),
        help_text="Newest value of every series, by `view.metric` such as `rolling.F1`; null while not measured.",
    )


def number_of(source: str, text: str, *, nullable: bool = False) -> serializers.IntegerField:
    """Make the field of the number of something related."""
    return serializers.IntegerField(source=source, read_only=True, allow_null=nullable, help_text=text)


class ModelOut(serializers.ModelSerializer[RegisteredModel]):
    """A model: a named spec, which never changes."""

    spec = serializers.DictField(read_only=True, child=serializers.JSONField(), help_text="What the model consists of.")
    created_by = name_user(source="created_by.username")

    class Meta:
        model = RegisteredModel
        fields = ["id", "name", "spec", "note", "created_by", "created_at", "archived_at"]
        read_only_fields = fields


class RunOut(serializers.ModelSerializer[Run]):
    """One incremental training: what it was started with, and how far it is."""

    model = serializers.IntegerField(source="model_id", read_only=True, help_text="Id of the model.")
    model_name = serializers.CharField(source="model.name", read_only=True)
    from_version = number_of("from_version.number", "The version it went on from.", nullable=True)
    verifies = number_of("verifies.number", "The version it replays to verify it.", nullable=True)
    publish_every = serializers.SerializerMethodField(
        help_text="Events between two versions at first; 0: none by rule."
    )
    set_aside = number_of("set_aside_count", "Events it could not learn from; see `set-aside/`.")
    tags = serializers.SerializerMethodField(help_text="Words that people put on it.")
    archived = serializers.SerializerMethodField(help_text="Whether it was put away.")
    comparison = number_of("comparison.number", "The comparison it belongs to.", nullable=True)
    parameters = serializers.DictField(
        source="model.parameters",
        read_only=True,
        child=serializers.JSONField(allow_null=True),
        help_text="Value of every parameter of its spec, by class and name; defaults included.",
    )
    environment = serializers.DictField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Python, River and portal versions that learned it, and the commit where it is known.",
    )
    duration_seconds = serializers.SerializerMethodField(help_text="From its first event to its end, or to now.")
    throughput = serializers.SerializerMethodField(help_text="Events per second of learning time.")
    metrics = metrics_of(source="summary")
    created_by = name_user(source="created_by.username")

    class Meta:
        model = Run
        fields = [
            "number",
            "model",
            "model_name",
            "mode",
            "purpose",
            "state",
            "error",
            "from_version",
            "verifies",
            "seed",
            "publish_every",
            "trigger",
            "start_position",
            "position",
            "target_position",
            "learned",
            "set_aside",
            "events_per_second",
            "metrics",
            "tags",
            "note",
            "archived",
            "comparison",
            "parameters",
            "environment",
            "duration_seconds",
            "throughput",
            "created_by",
            "created_at",
            "started_at",
            "updated_at",
            "finished_at",
        ]
        read_only_fields = fields

    def get_publish_every(self, run: Run) -> int:
        return int(run.options.get("publish_every") or 0)

    def get_tags(self, run: Run) -> list[str]:
        return [tag.name for tag in run.tags.all()]

    def get_archived(self, run: Run) -> bool:
        return run.archived_at is not None

    def get_duration_seconds(self, run: Run) -> float | None:
        return took_seconds(run)

    def get_throughput(self, run: Run) -> float | None:
        return throughput_of(run)


class VersionOut(serializers.ModelSerializer[Version]):
    """The immutable published state of a model at one position."""

    model = serializers.IntegerField(source="model_id", read_only=True, help_text="Id of the model.")
    model_name = serializers.CharField(source="model.name", read_only=True)
    run = number_of("run.number", "The run that published it.")
    parent = number_of("parent.number", "The version before it.", nullable=True)  # type: ignore[assignment]
    metrics = metrics_of()
    environment = serializers.DictField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Python, River and portal versions that learned it, and the commit where it is known.",
    )
    digest = serializers.CharField(
        read_only=True, help_text="Names the model, not its file; empty until a worker has computed it."
    )
    created_by = name_user(source="created_by.username")

    class Meta:
        model = Version
        fields = [
            "number",
            "model",
            "model_name",
            "run",
            "parent",
            "position",
            "reason",
            "metrics",
            "digest",
            "artifact_bytes",
            "environment",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class VerificationOut(serializers.Serializer[Any]):
    """What replaying a version found."""

    run = number_of("run.number", "The run that replayed it.")
    identical = serializers.BooleanField(read_only=True, help_text="Whether the same model came out.")
    differs_since = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="First position at which the metrics differed."
    )
    at = serializers.DateTimeField(source="created_at", read_only=True)


class VersionDetailOut(VersionOut):
    """A version with its spec and what verifying it found."""

    spec = serializers.DictField(read_only=True, child=serializers.JSONField())
    verifications = VerificationOut(many=True, read_only=True)

    class Meta(VersionOut.Meta):
        fields = [*VersionOut.Meta.fields, "spec", "verifications"]
        read_only_fields = fields


class ReplayVerdictOut(serializers.Serializer[Any]):
    """What a rollback's replay came to."""

    version = serializers.IntegerField(
        source="version.number", read_only=True, allow_null=True, help_text="What the replay arrived at."
    )
    deployed = serializers.BooleanField(read_only=True, help_text="Whether it serves since: it was not worse.")
    reason = serializers.CharField(read_only=True, help_text="Why, with the figures that decided.")


class DeploymentOut(serializers.ModelSerializer[Deployment]):
    """A fact: from here on this version served. The newest one says what serves now."""

    version = number_of("version.number", "The version that serves.")
    previous = number_of("previous.version.number", "The version that served before.", nullable=True)
    replay_run = number_of(
        "replay_run.number", "The run that replays what was learned since, after a rollback.", nullable=True
    )
    since = serializers.CharField(
        read_only=True, help_text="What a rollback did with what was learned since: drop, replay, challenger; or empty."
    )
    canary = number_of("canary.number", "A version that answers a share of the traffic.", nullable=True)
    canary_share = serializers.IntegerField(read_only=True, help_text="Its share of the traffic, in per cent.")
    replay_verdict = serializers.SerializerMethodField(help_text="What became of the replay; null until it has ended.")
    proposal = number_of("proposal.number", "The proposal it carried out.", nullable=True)
    created_by = name_user(source="created_by.username")

    class Meta:
        model = Deployment
        fields = [
            "number",
            "version",
            "kind",
            "mode",
            "previous",
            "canary",
            "canary_share",
            "since",
            "replay_run",
            "replay_verdict",
            "proposal",
            "reason",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(ReplayVerdictOut(allow_null=True))
    def get_replay_verdict(self, row: Deployment) -> Any:
        verdict = getattr(row, "verdict", None)
        return ReplayVerdictOut(verdict).data if verdict else None


class ProposalStepOut(serializers.ModelSerializer[ProposalStep]):
    """A fact about a proposal; one that is not `approved` ends it."""

    created_by = name_user(source="created_by.username")

    class Meta:
        model = ProposalStep
        fields = ["kind", "note", "created_by", "created_at"]
        read_only_fields = fields


class ProposalOut(serializers.ModelSerializer[Proposal]):
    """A deployment or canary that waits for its time, a second person, or both, with what happened to it."""

    version = number_of("version.number", "The version it would let serve.")
    mode = serializers.CharField(read_only=True, help_text="pin or follow; empty for a canary.")
    at = serializers.DateTimeField(
        source="due_at", read_only=True, allow_null=True, help_text="When it is carried out; null: once approved."
    )
    created_by = name_user(source="created_by.username")
    steps = ProposalStepOut(many=True, read_only=True)

    class Meta:
        model = Proposal
        fields = [
            "number",
            "action",
            "version",
            "mode",
            "share",
            "needs_approval",
            "at",
            "reason",
            "created_by",
            "created_at",
            "steps",
        ]
        read_only_fields = fields


class AlarmOut(serializers.ModelSerializer[Alarm]):
    """What a monitor found."""

    run = number_of("run.number", "The run it is about.")
    detail = serializers.DictField(
        child=serializers.JSONField(), read_only=True, help_text="What was found, by which detector."
    )

    class Meta:
        model = Alarm
        fields = ["run", "kind", "position", "detail", "created_at"]
        read_only_fields = fields


def list_runs(project: Project) -> QuerySet[Run]:
    """Return the runs of a project with everything that `RunOut` tells."""
    related = ("model", "from_version", "verifies", "created_by", "comparison")
    runs = Run.objects.filter(project=project).select_related(*related).prefetch_related("tags")
    return runs.defer("spec", "model__spec", "from_version__spec", "from_version__metrics", "verifies__metrics")


def list_versions(project: Project) -> QuerySet[Version]:
    """Return the versions of a project with everything that `VersionOut` tells."""
    versions = Version.objects.filter(project=project).select_related("model", "run", "parent", "created_by")
    return versions.defer("spec", "model__spec", "run__spec", "run__summary", "parent__spec", "parent__metrics")


def list_deployments(project: Project) -> QuerySet[Deployment]:
    """Return the deployments of a project with everything that `DeploymentOut` tells."""
    related = ("version", "previous__version", "canary", "proposal", "replay_run", "created_by", "verdict__version")
    return (
        Deployment.objects.filter(project=project)
        .select_related(*related)
        .defer("version__spec", "version__metrics", "previous__version__spec", "previous__version__metrics")
        .defer("replay_run__spec", "replay_run__summary", "canary__spec", "canary__metrics")
    )


def list_proposals(project: Project) -> QuerySet[Proposal]:
    """Return the proposals of a project with everything that `ProposalOut` tells."""
    proposals = Proposal.objects.filter(project=project).select_related("version", "created_by")
    return proposals.prefetch_related("steps__created_by").defer("version__spec", "version__metrics")
