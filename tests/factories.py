"""Plain functions that make what a test needs."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from django.contrib.auth.models import User
from django.utils.text import slugify

from projects.models import Membership, Project, Role, Scope, Task, Team
from projects.payload import Incoming
from projects.services.events import Receipt, accept
from projects.services.tokens import create_token

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
METRICS = {Task.BINARY: "ROCAUC", Task.MULTICLASS: "MacroF1", Task.REGRESSION: "MAE"}
_numbers = count(1)


def make_user(name: str | None = None, **fields) -> User:
    """A person who can sign in with the password `correct horse battery`."""
    name = name or f"person{next(_numbers)}"
    return User.objects.create_user(name, f"{name}@example.org", "correct horse battery", **fields)


def make_team(name: str | None = None, **members: User) -> Team:
    """A team; `owner=user`, `maintainer=user` ... add members by role."""
    name = name or f"Team {next(_numbers)}"
    team = Team.objects.create(name=name, slug=slugify(name))
    for role, user in members.items():
        make_member(team, user, role)
    return team


def make_member(team: Team, user: User, role: str = Role.VIEWER) -> Membership:
    """`user` in `team`."""
    return Membership.objects.create(team=team, user=user, role=role)


def make_project(team: Team | None = None, *, task: str = Task.BINARY, name: str | None = None, **fields) -> Project:
    """A project without events."""
    name = name or f"Project {next(_numbers)}"
    fields = {"label_name": "label", "primary_metric": METRICS[task], "slug": slugify(name)} | fields
    return Project.objects.create(team=team or make_team(), name=name, task=task, **fields)


def make_token(project: Project, *scopes: str, actor: User | None = None) -> str:
    """The secret of a token with `scopes` (all of them by default), made by `actor` or by an owner of its own."""
    actor = actor or make_member(project.team, make_user(), Role.OWNER).user
    return create_token(project=project, actor=actor, name="test", scopes=scopes or Scope.values)[1]


def sample(number: int, task: str = Task.BINARY) -> tuple[dict, object]:
    """Features and label number `number`: the same every time, and learnable."""
    x = {"x": (number * 37 % 101) / 101, "y": (number * 53 % 97) / 97, "colour": ("red", "green", "blue")[number % 3]}
    if task == Task.REGRESSION:
        return x, round(3 * x["x"] - x["y"], 6)
    if task == Task.MULTICLASS:
        return x, x["colour"] if x["x"] > 0.2 else "grey"
    return x, x["x"] + x["y"] > 1


def make_events(project: Project, n: int, *, labelled: bool = True, start: int = 0, now: datetime = NOW) -> Receipt:
    """`n` events called `e0`, `e1` ... (from `start`), taken in through the service."""
    items = []
    for number in range(start, start + n):
        features, label = sample(number, project.task)
        items.append(Incoming(number + 1, f"e{number}", features, **({"label": label} if labelled else {})))
    receipt = accept(project_id=project.pk, items=items, now=now)
    project.refresh_from_db()
    return receipt
