"""Changing the draft of a team's catalogue: principles, their sentences and practices, and the team's own sources."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify

from assessments.models import Edition
from assessments.principles import Catalogue
from assessments.principles.reader import SECTIONS
from assessments.services.editions import Document, change_draft, locked_draft
from ops_portal.errors import UserError
from ops_portal.links import WEB_LINK
from projects.models import Team

TAG = re.compile(r"[A-Z][A-Z0-9-]{1,11}")


@dataclass(frozen=True)
class Sentence:
    """A sentence as somebody typed it; `id` names the practice it stands for, empty for a new one."""

    text: str
    sources: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class Figures:
    """Assumed ratings per benefit and effort in days: low, likely, high."""

    ratings: Mapping[str, float]
    effort: tuple[float, float, float]


@dataclass(frozen=True)
class LightDraft:
    """The light level of a principle as typed."""

    name: str
    text: str
    figures: Figures


@dataclass(frozen=True)
class PrincipleDraft:
    """A principle as typed: everything that a team may say about it."""

    name: str
    definition: str
    serves: tuple[str, ...]
    requires: tuple[str, ...]
    figures: Figures
    practices: tuple[Sentence, ...]
    light: LightDraft | None = None
    sections: Mapping[str, tuple[Sentence, ...]] = field(default_factory=dict)


class PrincipleConflictError(UserError):
    """Somebody else changed the principle after the page was opened; nothing of this was kept."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Somebody changed {name} while this page was open. What you typed is still here, but not saved.",
            code="principle_conflict",
            status=409,
        )


def state_of(principle: Mapping[str, Any]) -> str:
    """Name the state of a principle's data; a page sends it back to show what it was made from."""
    return hashlib.sha256(json.dumps(principle, sort_keys=True).encode()).hexdigest()[:16]


@transaction.atomic
def save_principle(*, team: Team, slug: str, draft: PrincipleDraft, was: str, actor: AbstractBaseUser) -> Catalogue:
    """Keep a principle as typed. What differs from the shipped edition is marked as the team's own words."""
    _check(draft)
    edition = locked_draft(team)
    stored = _principle(edition.document, slug)
    if state_of(stored) != was:
        raise PrincipleConflictError(stored["name"])
    shipped = _shipped(edition, slug)
    made = _build(slug, draft, stored, shipped, _taken(team, edition))

    def change(document: Document) -> Document:
        return _replaced(document, [made if one["slug"] == slug else one for one in document["principles"]])

    summary = f"changed {made['name']} in the draft of the catalogue"
    return change_draft(team=team, actor=actor, verb="catalogue.changed", summary=summary, change=change)


@transaction.atomic
def add_principle(*, team: Team, draft: PrincipleDraft, actor: AbstractBaseUser) -> str:
    """Add a principle of the team's own; return its slug."""
    _check(draft)
    edition = locked_draft(team)
    names = {one["name"].lower() for one in edition.document["principles"]}
    if draft.name.strip().lower() in names:
        raise UserError(f"There is a principle called {draft.name.strip()} already.", fields={"name": "Taken."})
    known = {one["slug"] for document in _documents(team, edition) for one in document["principles"]}
    # `weights` stands beside principles in the addresses of a ballot.
    slug = _free(slugify(draft.name)[:60] or "principle", known | {"weights"})
    empty = {"slug": slug, "known_as": {}, "team": True, "practices": [], **{name: [] for name in SECTIONS}}
    made = _build(slug, draft, empty, None, set())
    summary = f"added {made['name']} to the draft of the catalogue"
    change_draft(
        team=team,
        actor=actor,
        verb="catalogue.added",
        summary=summary,
        change=lambda document: _replaced(document, [*document["principles"], made]),
    )
    return slug


@transaction.atomic
def retire_principle(*, team: Team, slug: str, actor: AbstractBaseUser) -> str:
    """Take a principle out of the draft; assessments made with earlier editions keep it. Returns its name."""
    document = locked_draft(team).document
    gone = _principle(document, slug)
    needing = [one["name"] for one in document["principles"] if slug in one["requires"]]
    if needing:
        raise UserError(
            f"{' and '.join(needing)} need {gone['name']} first. Take it off their prerequisites, then retire it.",
            code="still_needed",
            status=409,
        )
    if len(document["principles"]) == 1:
        raise UserError("A catalogue needs at least one principle.", code="last_principle", status=409)
    change_draft(
        team=team,
        actor=actor,
        verb="catalogue.retired",
        summary=f"retired {gone['name']} from the draft of the catalogue",
        change=lambda document: _replaced(document, [one for one in document["principles"] if one["slug"] != slug]),
    )
    return str(gone["name"])


@transaction.atomic
def bring_back(*, team: Team, slug: str, actor: AbstractBaseUser) -> str:
    """Put a retired principle of the shipped edition back into the draft. Returns its name."""
    edition = locked_draft(team)
    shipped = _shipped(edition, slug)
    if shipped is None or any(one["slug"] == slug for one in edition.document["principles"]):
        raise UserError("There is no retired principle of this name.", code="unknown_principle", status=404)
    base = edition.base.document if edition.base else {}
    order = [one["slug"] for one in base["principles"]]

    def place(one: Mapping[str, Any]) -> int:
        return order.index(one["slug"]) if one["slug"] in order else len(order)

    change_draft(
        team=team,
        actor=actor,
        verb="catalogue.restored",
        summary=f"brought {shipped['name']} back into the draft of the catalogue",
        change=lambda document: {
            **_replaced(document, sorted([*document["principles"], shipped], key=place)),
            "starting_profile": _with_profile(document["starting_profile"], base["starting_profile"], slug),
        },
    )
    return str(shipped["name"])


@transaction.atomic
def add_source(*, team: Team, tag: str, reference: str, url: str, actor: AbstractBaseUser) -> None:
    """Add a source of the team's own, such as a report on an incident, that sentences can then cite."""
    tag, reference = tag.strip().upper(), reference.strip()
    if not TAG.fullmatch(tag):
        raise UserError("A tag is 2 to 12 capital letters, digits or dashes.", fields={"tag": "Such as INC-7."})
    if not reference:
        raise UserError("Say what the source is.", fields={"reference": "Needed."})
    link = url.strip()
    if link:
        try:
            WEB_LINK(link)
        except ValidationError as wrong:
            raise UserError(wrong.messages[0], fields={"url": wrong.messages[0]}) from None
    if any(source["tag"] == tag for source in locked_draft(team).document["sources"]):
        raise UserError(f"There is a source tagged {tag} already.", fields={"tag": "Taken."})
    made = {"tag": tag, "reference": reference[:500], "readable": "named by the team", "team": True}
    if link:
        made["url"] = link
    change_draft(
        team=team,
        actor=actor,
        verb="catalogue.source",
        summary=f"added the source {tag} to the draft of the catalogue",
        change=lambda document: {**document, "sources": [*document["sources"], made]},
    )


def _build(
    slug: str,
    draft: PrincipleDraft,
    stored: Mapping[str, Any],
    shipped: Mapping[str, Any] | None,
    taken: set[str],
) -> dict[str, Any]:
    """The principle's data: what reads as before, or as shipped, keeps its mark; the rest becomes the team's."""
    earlier = [one for one in (shipped, stored) if one is not None]
    made: dict[str, Any] = {
        **stored,
        "name": draft.name.strip(),
        "definition": draft.definition.strip(),
        "serves": list(draft.serves),
        "requires": list(draft.requires),
        "defaults": _figures(draft.figures, [one["defaults"] for one in earlier if "defaults" in one]),
    }
    for section in SECTIONS:
        known = [sentence for one in earlier for sentence in one[section]]
        made[section] = [_sentence(said, known) for said in draft.sections.get(section, ())]
    made["practices"] = _practices(slug, draft.practices, earlier, taken)
    made.pop("light", None)
    if draft.light:
        lights = [one["light"] for one in earlier if "light" in one]
        made["light"] = _light(draft.light, lights)
    made.pop("worded_by_team", None)
    if shipped and (made["name"], made["definition"]) != (shipped["name"], shipped["definition"]):
        made["worded_by_team"] = True
    return made


def _sentence(said: Sentence, known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    text, sources = said.text.strip(), list(said.sources)
    for one in known:
        if one["text"] == text and list(one.get("sources", [])) == sources:
            return dict(one)
    return {"text": text, "team": True} | ({"sources": sources} if sources else {})


def _practices(
    slug: str, practices: Sequence[Sentence], earlier: Sequence[Mapping[str, Any]], taken: set[str]
) -> list[dict[str, Any]]:
    known = {practice["id"]: practice for one in reversed(earlier) for practice in one["practices"]}
    made: list[dict[str, Any]] = []
    for said in practices:
        same = [p for one in earlier for p in one["practices"] if p["id"] == said.id]
        if said.id and not same:
            raise UserError("One of the practices is not of this principle.", code="unknown_practice", status=404)
        row = _sentence(said, same)
        if "id" not in row:
            row = {"id": said.id or _new_id(slug, said.text, taken | {one["id"] for one in made}), **row}
            # A check of the records still answers it: rewording is for the same question in other words.
            if evidence := known.get(said.id, {}).get("evidence"):
                row["evidence"] = evidence
        made.append(row)
    return made


def _light(draft: LightDraft, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    made = {"name": draft.name.strip(), "text": draft.text.strip(), **_plain(draft.figures)}
    for one in earlier:
        if all(one.get(key) == value for key, value in made.items()):
            return dict(one)
    return {**made, "team": True}


def _figures(figures: Figures, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    made = _plain(figures)
    for one in earlier:
        if all(one.get(key) == value for key, value in made.items()):
            return dict(one)
    return {**made, "team": True}


def _plain(figures: Figures) -> dict[str, Any]:
    low, likely, high = figures.effort
    ratings = {key: value for key, value in figures.ratings.items() if value}
    return {"ratings": ratings, "effort": {"low": low, "likely": likely, "high": high}}


def _check(draft: PrincipleDraft) -> None:
    wrong = {}
    if not draft.name.strip():
        wrong["name"] = "A principle needs a name."
    if not draft.definition.strip():
        wrong["definition"] = "Say in one sentence what holds where it is adopted."
    if not draft.serves:
        wrong["serves"] = "Choose at least one benefit it brings."
    if not draft.practices:
        wrong["practices"] = "A principle needs at least one practice that can be answered."
    for name, one in (("effort", draft.figures), ("light", draft.light.figures if draft.light else None)):
        if one and not 0 <= one.effort[0] <= one.effort[1] <= one.effort[2] <= 1000:
            wrong[name] = "Days from 0 to 1,000: low, likely and high must rise."
    texts = [one.text.strip().lower() for one in draft.practices]
    if len(set(texts)) < len(texts):
        wrong["practices"] = "A practice stands there twice."
    if wrong:
        raise UserError(next(iter(wrong.values())), fields=wrong)


def _principle(document: Mapping[str, Any], slug: str) -> Mapping[str, Any]:
    for one in document["principles"]:
        if one["slug"] == slug:
            return dict(one)
    raise UserError("This principle is not in the draft.", code="unknown_principle", status=404)


def _shipped(edition: Edition, slug: str) -> Mapping[str, Any] | None:
    principles = edition.base.document["principles"] if edition.base else []
    return next((dict(one) for one in principles if one["slug"] == slug), None)


def _documents(team: Team, draft: Edition) -> list[Mapping[str, Any]]:
    """Every edition the team ever made, the draft and what it rests on."""
    own = list(Edition.objects.filter(team=team).values_list("document", flat=True))
    return [draft.document, *([draft.base.document] if draft.base else []), *own]


def _taken(team: Team, draft: Edition) -> set[str]:
    """Ids that ever meant a practice: an old answer must never be read as one to another question."""
    return {
        practice["id"]
        for document in _documents(team, draft)
        for principle in document["principles"]
        for practice in principle["practices"]
    }


def _new_id(slug: str, text: str, taken: set[str]) -> str:
    words = "-".join(slugify(text).split("-")[:5])[:40] or "practice"
    return _free(f"{slug}.{words}", taken)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def _with_profile(stages: list[Any], shipped: list[Any], slug: str) -> list[dict[str, Any]]:
    asked = {stage["stage"]: stage for stage in shipped}
    return [
        {
            **stage,
            **{
                level: [*stage[level], *([slug] if slug in asked.get(stage["stage"], {}).get(level, []) else [])]
                for level in ("full", "light")
            },
        }
        for stage in stages
    ]


def _replaced(document: Document, principles: list[Any]) -> Document:
    return {**document, "principles": principles}
