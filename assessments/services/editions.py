"""Editions of the catalogue: a team works on a draft, publishes it, and from then on it never changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from assessments.models import Edition
from assessments.principles import Catalogue, CatalogueError, load_catalogue, load_document, read_document
from assessments.principles.compare import compare_editions
from assessments.principles.merge import merge_editions, prune
from assessments.selectors.editions import digest_of_document, newest_edition, shipped_digest
from ops_portal.errors import UserError
from projects.models import Team
from projects.services.activity import record

Document = dict[str, Any]


def shipped_edition() -> Edition:
    """Return the row of the edition that ships with this release, making it when it is needed first."""
    edition, _ = Edition.objects.get_or_create(
        digest=shipped_digest(),
        defaults={
            "name": load_catalogue().edition,
            "state": Edition.State.PUBLISHED,
            "document": load_document(),
            "published_at": timezone.now(),
        },
    )
    return edition


def edition_to_take(team_id: int) -> Edition:
    """Return the edition the team's next assessment is made with: its newest own one, else the shipped one."""
    return newest_edition(team_id) or shipped_edition()


@transaction.atomic
def start_draft(*, team: Team, actor: AbstractBaseUser, from_shipped: bool = False) -> Edition:
    """Start a draft from the team's newest edition, or from the one that ships; there is one draft at a time."""
    Team.objects.select_for_update().filter(pk=team.pk).values_list("pk").get()
    if Edition.objects.filter(team=team, state=Edition.State.DRAFT).exists():
        raise UserError(
            "A draft is being worked on already; publish or discard it first.", code="draft_open", status=409
        )
    source = shipped_edition() if from_shipped else edition_to_take(team.pk)
    draft = Edition.objects.create(
        team=team,
        name="Draft",
        state=Edition.State.DRAFT,
        base=source.base or source,
        document=source.document,
        created_by_id=actor.pk,
    )
    summary = f"started a draft of the catalogue from edition {source.name}"
    record(actor=actor, verb="catalogue.drafted", summary=summary, team=team, edition=draft.pk)
    return draft


def locked_draft(team: Team) -> Edition:
    """The team's draft, locked for a change; `UserError` when there is none."""
    draft = Edition.objects.select_for_update(of=("self",)).filter(team=team, state=Edition.State.DRAFT).first()
    if draft is None:
        raise UserError(
            "There is no draft of the catalogue. Start one; published editions never change.",
            code="no_draft",
            status=409,
        )
    return draft


def keep(draft: Edition, document: Document) -> Catalogue:
    """Keep `document` as the draft's content, if it reads as a catalogue; the caller holds the lock."""
    try:
        catalogue = read_document(document)
    except CatalogueError as fault:
        raise UserError(f"This would not make a catalogue: {fault}.", code="not_a_catalogue", status=422) from fault
    draft.document = document
    draft.save(update_fields=["document", "changed_at"])
    return catalogue


@transaction.atomic
def discard_draft(*, team: Team, actor: AbstractBaseUser) -> None:
    """Throw the team's draft away; published editions stay."""
    draft = locked_draft(team)
    draft.delete()
    record(actor=actor, verb="catalogue.discarded", summary="discarded the draft of the catalogue", team=team)


@transaction.atomic
def publish(*, team: Team, note: str, actor: AbstractBaseUser) -> Edition:
    """Publish the draft: it never changes again, and assessments opened from now on take it."""
    draft = locked_draft(team)
    before = edition_to_take(team.pk)
    catalogue = keep(draft, {**draft.document})
    same = draft.document["sources"] == before.document["sources"]
    same = same and not compare_editions(read_document(before.document), catalogue)
    if same and before.base_id in (None, draft.base_id):
        message = "The draft says the same as the edition before it; there is nothing to publish."
        raise UserError(message, code="no_change", status=409)
    number = (Edition.objects.filter(team=team).aggregate(n=Max("number"))["n"] or 0) + 1
    draft.number, draft.name = number, f"{draft.base.name if draft.base else ''} team {number}".strip()
    draft.document = {**draft.document, "edition": draft.name}
    draft.digest = digest_of_document(team.pk, draft.name, draft.document)
    draft.state, draft.note = Edition.State.PUBLISHED, note.strip()[:500]
    draft.published_by_id, draft.published_at = actor.pk, timezone.now()
    draft.save()
    record(
        actor=actor,
        verb="catalogue.published",
        summary=f"published edition {draft.name} of the catalogue" + (f": {draft.note}" if draft.note else ""),
        team=team,
        edition=draft.pk,
        digest=draft.digest,
    )
    return draft


@transaction.atomic
def import_shipped(*, team: Team, take: Collection[str], actor: AbstractBaseUser) -> Edition:
    """Take the edition that ships with this release into the draft; `take` names conflicts it wins."""
    if not Edition.objects.filter(team=team, state=Edition.State.DRAFT).exists():
        start_draft(team=team, actor=actor)
    draft = locked_draft(team)
    shipped = shipped_edition()
    if draft.base is None or draft.base_id == shipped.pk:
        raise UserError(f"The draft rests on edition {shipped.name} already.", code="up_to_date", status=409)
    merged = merge_editions(draft.base.document, draft.document, shipped.document, take)
    keep(draft, merged.document)
    draft.base = shipped
    draft.save(update_fields=["base"])
    summary = f"took edition {shipped.name} of the portal's catalogue into the draft"
    record(actor=actor, verb="catalogue.imported", summary=summary, team=team, edition=draft.pk, taken=sorted(take))
    return draft


@transaction.atomic
def change_draft(
    *, team: Team, actor: AbstractBaseUser, verb: str, summary: str, change: Callable[[Document], Document]
) -> Catalogue:
    """Apply one change to the draft and record it; what points to nothing afterwards is taken out."""
    draft = locked_draft(team)
    document = change(draft.document)
    prune(document)
    catalogue = keep(draft, document)
    record(actor=actor, verb=verb, summary=summary, team=team, edition=draft.pk)
    return catalogue
