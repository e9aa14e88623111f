"""A team's catalogue as its pages show it: editions, the draft with what it changes, and what an import would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from assessments.models import Edition
from assessments.principles import Catalogue, Practice, Principle, Source, load_catalogue, load_document, read_document
from assessments.principles.compare import PrincipleChange, compare_editions, new_sources
from assessments.principles.merge import Conflict, merge_editions
from assessments.selectors.editions import catalogue_with, newest_edition, shipped_digest
from projects.models import Team


@dataclass(frozen=True)
class Home:
    """The catalogue at a glance. `current` is None where the team uses the shipped edition."""

    catalogue: Catalogue
    current: Edition | None
    editions: tuple[Edition, ...]
    draft: Edition | None
    #: Name of the portal's newer edition, empty where the team rests on it already.
    newer: str


@dataclass(frozen=True)
class DraftPrinciple:
    """A principle of the draft, with the state its page sends back."""

    principle: Principle
    data: dict[str, Any]
    change: PrincipleChange | None
    #: Practices of the shipped edition that the draft retired.
    retired: tuple[Practice, ...]


@dataclass(frozen=True)
class DraftState:
    """The draft of a team's catalogue."""

    edition: Edition
    catalogue: Catalogue
    principles: tuple[DraftPrinciple, ...]
    changes: tuple[PrincipleChange, ...]
    sources: tuple[Source, ...]
    retired: tuple[Principle, ...]
    against: str
    newer: str

    def of(self, slug: str) -> DraftPrinciple | None:
        """The principle with this slug."""
        return next((one for one in self.principles if one.principle.slug == slug), None)


@dataclass(frozen=True)
class Difference:
    """An edition beside another one."""

    edition: Edition
    catalogue: Catalogue
    against: Edition | None
    changes: tuple[PrincipleChange, ...]
    sources: tuple[Source, ...]
    others: tuple[Edition, ...]


@dataclass(frozen=True)
class ImportState:
    """What taking in the portal's newer edition would do."""

    name: str
    against: str
    changes: tuple[PrincipleChange, ...]
    conflicts: tuple[Conflict, ...]


def visible_editions(team: Team) -> QuerySet[Edition]:
    """Published editions the team may look at: its own, and shipped ones they rest on, without their documents."""
    used = Edition.objects.filter(team=team).exclude(base=None).values("base")
    mine = Q(team=team) | Q(pk__in=used) | Q(digest=shipped_digest())
    count = Count("assessments", filter=Q(assessments__project__team=team), distinct=True)
    return (
        Edition.objects.filter(mine, state=Edition.State.PUBLISHED)
        .defer("document")
        .select_related("published_by")
        .annotate(used=count)
    )


def read_home(team: Team) -> Home:
    """Read the catalogue at a glance: 4 queries."""
    current = newest_edition(team.pk)
    draft = Edition.objects.filter(team=team, state=Edition.State.DRAFT).defer("document").first()
    return Home(
        catalogue=catalogue_with(current.digest if current else None),
        current=current,
        editions=tuple(visible_editions(team)),
        draft=draft,
        newer=_newer(draft or current),
    )


def _newer(edition: Edition | None) -> str:
    if edition is None or edition.base is None or edition.base.digest == shipped_digest():
        return ""
    return load_catalogue().edition


def read_draft(team: Team) -> DraftState | None:
    """Read the draft and what it changes against the edition in use: 3 queries; None where there is none."""
    draft = Edition.objects.filter(team=team, state=Edition.State.DRAFT).select_related("base", "created_by").first()
    if draft is None or draft.base is None:
        return None
    catalogue, base = read_document(draft.document), read_document(draft.base.document)
    current = newest_edition(team.pk)
    before = catalogue_with(current.digest) if current else base
    changes = compare_editions(before, catalogue)
    by_slug = {one.slug: one for one in changes}
    data = {one["slug"]: one for one in draft.document["principles"]}
    principles = tuple(
        DraftPrinciple(one, data[one.slug], by_slug.get(one.slug), _retired(one, base)) for one in catalogue.principles
    )
    return DraftState(
        edition=draft,
        catalogue=catalogue,
        principles=principles,
        changes=changes,
        sources=new_sources(before, catalogue),
        retired=tuple(one for one in base.principles if one.slug not in catalogue.slugs),
        against=current.name if current else draft.base.name,
        newer=_newer(draft),
    )


def _retired(principle: Principle, base: Catalogue) -> tuple[Practice, ...]:
    if principle.slug not in base.slugs:
        return ()
    present = {practice.id for practice in principle.practices}
    return tuple(one for one in base.principle(principle.slug).practices if one.id not in present)


def read_difference(team: Team, pk: int, against: int | None) -> Difference | None:
    """Read an edition beside another one, by default the one before it: 2 queries; None where it is not the team's."""
    editions = tuple(visible_editions(team).order_by("pk"))
    edition = next((one for one in editions if one.pk == pk), None)
    if edition is None:
        return None
    others = tuple(one for one in editions if one.pk != pk)
    other = next((one for one in others if one.pk == against), None) or _before(edition, others)
    catalogue = catalogue_with(edition.digest)
    before = catalogue_with(other.digest) if other else catalogue
    return Difference(
        edition=edition,
        catalogue=catalogue,
        against=other,
        changes=compare_editions(before, catalogue),
        sources=new_sources(before, catalogue),
        others=others,
    )


def _before(edition: Edition, others: tuple[Edition, ...]) -> Edition | None:
    """The team's edition before this one, else the shipped one it rests on."""
    if edition.number is None:
        return None
    earlier = [one for one in others if one.number is not None and one.number < edition.number]
    if earlier:
        return max(earlier, key=lambda one: one.number or 0)
    return next((one for one in others if one.pk == edition.base_id), None)


def read_import(team: Team) -> ImportState | None:
    """Work out what taking in the shipped edition would change: 2 queries; None where there is nothing to take in."""
    own = Edition.objects.filter(team=team).select_related("base")
    source = own.filter(state=Edition.State.DRAFT).first() or own.order_by("-number").first()
    if source is None or source.base is None or not _newer(source):
        return None
    merged = merge_editions(source.base.document, source.document, load_document())
    changes = compare_editions(read_document(source.document), read_document(merged.document))
    return ImportState(load_catalogue().edition, source.base.name, changes, tuple(merged.conflicts))
