"""Links that show the closed rounds of an assessment, read-only, to people without an account."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from assessments.models import Assessment, ShareLink
from assessments.services.panel_rounds import digest_of
from ops_portal.errors import UserError
from projects.services.activity import record


@dataclass(frozen=True)
class Shared:
    """A new link; `token` is shown once and not kept."""

    link: ShareLink
    token: str

    @property
    def path(self) -> str:
        """Path of the page that it opens."""
        return reverse("assessments:shared", args=[self.link.assessment.project.slug, self.token])


@transaction.atomic
def share(*, assessment: Assessment | None, name: str, days: int, actor: AbstractBaseUser) -> Shared:
    """Make a link that shows the assessment's closed rounds for some days."""
    name = name.strip()
    if not name:
        raise UserError("Say whom the link is for.", fields={"name": "A name is needed."})
    if not 1 <= days <= 365:
        raise UserError("A link works for 1 to 365 days.", fields={"days": "From 1 to 365."})
    if assessment is None or not assessment.rounds.filter(state="closed").exists():
        raise UserError("There is no closed round to show yet.", code="nothing_to_share", status=409)
    token = secrets.token_urlsafe(24)
    link = ShareLink.objects.create(
        assessment=assessment,
        name=name[:80],
        token_digest=digest_of(token),
        created_by_id=actor.pk,
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        actor=actor,
        verb="assessment.shared",
        summary=f"shared the results of assessment {assessment.number} by link: {link.name}",
        project=assessment.project,
        share=link.pk,
    )
    return Shared(link, token)


@transaction.atomic
def unshare(*, link: ShareLink, actor: AbstractBaseUser) -> None:
    """Switch a link off; one that is off stays as it is."""
    if ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(
            actor=actor,
            verb="assessment.unshared",
            summary=f"switched off the link {link.name}",
            project=link.assessment.project,
            share=link.pk,
        )
    link.refresh_from_db(fields=["revoked_at"])
