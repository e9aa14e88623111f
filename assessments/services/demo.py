"""The demo team: three real streams, models that learned their beginning, and the rest flowing in."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from assessments.models import ScopeProfile
from assessments.services.scope import ProfileDraft, save_profile
from models_registry.learning.templates import find_template
from models_registry.models import Deployment, Run
from models_registry.services.deployment import deploy
from models_registry.services.runs import register_model, start_run
from models_registry.services.training import advance
from ops_portal.errors import UserError
from projects.models import Membership, Project, Role, Team
from projects.services.activity import record
from projects.services.import_steps import advance_import, let_go
from projects.services.imports import start_bundled
from projects.services.projects import create_project


@dataclass(frozen=True)
class Demo:
    """One demo project."""

    name: str
    description: str
    dataset: str
    task: str
    label: str
    metric: str
    #: Events learned while seeding; the rest flows in at `rate` events a second.
    head: int
    rate: float
    #: Template and reason for deploying it, in the order they are deployed.
    models: tuple[tuple[str, str], ...]
    scope: dict[str, float]
    first_version: bool


DEMOS = (
    Demo(
        name="Phishing pages",
        description="Tells phishing web pages from legitimate ones, from nine features of the page.",
        dataset="Phishing",
        task="binary",
        label="is_phishing",
        metric="F1",
        head=500,
        rate=0.5,
        models=(
            ("logistic-regression", "First version: simple and easy to explain."),
            ("adaptive-random-forest", "Better rolling F1 than the logistic regression on the same events."),
        ),
        scope={
            "deployments_per_week": 2,
            "manual_steps": 6,
            "rollbacks_per_month": 1,
            "hours_to_restore": 4,
            "criticality": 4,
            "models_in_production": 3,
            "drift_alarms_per_month": 2,
            "people": 5,
            "regulated": 0.5,
        },
        first_version=False,
    ),
    Demo(
        name="Outdoor image segments",
        description="Names what a patch of an outdoor photograph shows: one of seven classes, from 18 features.",
        dataset="ImageSegments",
        task="multiclass",
        label="segment",
        metric="MacroF1",
        head=800,
        rate=0.5,
        models=(
            ("softmax-regression", "A baseline to start from."),
            ("hoeffding-adaptive-tree", "Follows the changing light better."),
        ),
        scope={
            "deployments_per_week": 0.5,
            "manual_steps": 4,
            "rollbacks_per_month": 0.5,
            "hours_to_restore": 24,
            "criticality": 2,
            "models_in_production": 1,
            "drift_alarms_per_month": 1,
            "people": 3,
            "regulated": 0,
        },
        first_version=False,
    ),
    Demo(
        name="Approval rating",
        description="Estimates a president's approval rating from the polls of the day.",
        dataset="TrumpApproval",
        task="regression",
        label="approval",
        metric="MAE",
        head=300,
        rate=0.25,
        models=(("linear-regression", "The only candidate so far."),),
        scope={
            "deployments_per_week": 0.1,
            "manual_steps": 8,
            "rollbacks_per_month": 0,
            "hours_to_restore": 72,
            "criticality": 1,
            "models_in_production": 1,
            "drift_alarms_per_month": 0,
            "people": 1,
            "regulated": 0,
        },
        first_version=True,
    ),
)


def seed(*, owner: str) -> None:
    """Make the demo team and its projects, owned by the account called `owner`, which gets no password.

    Raises
    ------
    UserError
        The portal has a team already: the demo must not mix with real work.

    """
    if Team.objects.exists():
        raise UserError("The portal has teams already; the demo is for an empty one.", code="conflict", status=409)
    with transaction.atomic():
        team, user = _make_team(owner)
        projects = [_make_project(demo, team, user) for demo in DEMOS]
    for demo, project in zip(DEMOS, projects, strict=True):
        _learn_the_beginning(demo, project, user)


def _make_team(owner: str) -> tuple[Team, User]:
    user, made = User.objects.get_or_create(username=owner, defaults={"first_name": "Owner"})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    team = Team.objects.create(name="Demo team", slug="demo-team")
    Membership.objects.create(team=team, user=user, role=Role.OWNER)
    record(actor=user, verb="team.created", summary="made the demo team", team=team)
    return team, user


def _make_project(demo: Demo, team: Team, user: User) -> Project:
    project = create_project(
        team=team,
        actor=user,
        name=demo.name,
        description=demo.description,
        task=demo.task,
        label_name=demo.label,
        primary_metric=demo.metric,
    )
    save_profile(
        project=project,
        kind=ScopeProfile.Kind.CURRENT,
        draft=ProfileDraft(values=demo.scope, first_version=demo.first_version),
        measured=None,
        actor=user,
    )
    return project


def _learn_the_beginning(demo: Demo, project: Project, user: User) -> None:
    """Take in the first events, learn them with each model, deploy, and let the rest flow in."""
    stream = start_bundled(
        project=project, actor=user, name=demo.dataset, rate=demo.rate, at_once=demo.head, predict=True
    )
    advance_import(import_id=stream.pk, now=timezone.now())
    let_go(import_id=stream.pk)
    run: Run | None = None
    for template, reason in demo.models:
        run = _learn(project, template, user)
        version = run.versions.order_by("-position")[0]
        deploy(project=project, version=version, actor=user, mode=Deployment.Mode.PIN, reason=reason)
    assert run is not None
    start_run(
        model=run.model,
        mode=Run.Mode.FOLLOW,
        actor=user,
        from_version=run.versions.order_by("-position")[0],
        seed=run.seed,
        publish_every=250,
    )


def _learn(project: Project, template: str, user: User) -> Run:
    found = find_template(template)
    model = register_model(project=project, name=found.title, spec=found.spec, actor=user)
    run = start_run(model=model, mode=Run.Mode.REPLAY, actor=user, seed=42, publish_every=250)
    while advance(run.pk).more:  # what a worker does, in this process: the first page should have something to show
        continue
    run.refresh_from_db()
    return run
