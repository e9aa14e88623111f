"""What the settings page shows besides its forms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from projects.measures import metric_title
from projects.models import Project, Scope
from projects.selectors.labels import label_deadline, wait_in_words

#: Classes named one by one.
SHOWN = 12


@dataclass(frozen=True)
class TokenRow:
    """A token as the list shows it; its secret is known to nobody here."""

    pk: int
    name: str
    prefix: str
    scopes: list[str]
    by: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def dialog(self) -> str:
        """Name the dialog that asks before this token is revoked."""
        return f"revoke-{self.pk}"


@dataclass(frozen=True)
class ProjectSettings:
    """The settings page."""

    metric: str
    labels: list[str]
    late_labels: str
    by: str
    tokens: list[TokenRow]


def project_settings(project: Project, *, with_tokens: bool) -> ProjectSettings:
    """Return the settings of `project`; a query for its maker, its rule and its tokens each."""
    tokens = project.tokens.select_related("created_by") if with_tokens else []
    return ProjectSettings(
        metric=metric_title(project.primary_metric),
        labels=_labels(project),
        late_labels=_late_labels(project),
        by=_name(project.created_by),
        tokens=[
            TokenRow(
                pk=token.pk,
                name=token.name,
                prefix=token.prefix,
                scopes=[Scope(scope).value for scope in token.scopes],
                by=_name(token.created_by),
                created_at=token.created_at,
                last_used_at=token.last_used_at,
                revoked_at=token.revoked_at,
            )
            for token in tokens
        ],
    )


def _labels(project: Project) -> list[str]:
    """Return the first classes in words; a regression has none."""
    if project.label_type in {"", "number"}:
        return [project.label_type] if project.label_type else []
    shown = [str(label).lower() if isinstance(label, bool) else str(label) for label in project.label_classes]
    return shown[:SHOWN] + ([f"and {len(shown) - SHOWN} more"] if len(shown) > SHOWN else [])


def _late_labels(project: Project) -> str:
    rule = label_deadline(project)
    if rule is None or rule.wait is None:
        return "Events wait for their label for ever."
    what = f"gets the label {rule.default}" if rule.default else "is unknown, and no model learns it"
    return f"An event that has no label {wait_in_words(rule.wait)} after it was received {what}."


def _name(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""
