"""Inviting experts, opening rounds and closing them. A closed round is sealed: nothing in it changes again."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.utils import timezone

from assessments.models import Assessment, Expert, Rating, Round, ScopeProfile, Weights
from assessments.scoring.settings import Settings
from assessments.selectors.assumption_sets import assumptions_for
from assessments.selectors.checklist import read_checklist
from assessments.selectors.scope import newest_profile
from assessments.services.assessments import ensure_open
from ops_portal.errors import UserError
from projects.access import RATE, people_with
from projects.models import Membership, Project
from projects.services.activity import actor_name, record

GUEST_DAYS = 30
#: No letter or digit that is read as another one.
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Invited:
    """An invitation; `token` is a guest's key and is never shown again."""

    expert: Expert
    token: str = ""


@transaction.atomic
def invite_member(*, project: Project, user: User, actor: AbstractBaseUser) -> Invited:
    """Invite a member of the team to the project's panel; one who was taken off it is let in again."""
    if not Membership.objects.filter(team=project.team_id, user=user).exists():
        raise UserError("Only members of the team are invited by account; invite others by link.", code="not_a_member")
    if not people_with(RATE, project.team_id).filter(pk=user.pk).exists():
        raise UserError(
            f"{actor_name(user)} may only read in this team; an owner can make them an expert.", code="may_not_rate"
        )
    assessment = ensure_open(project=project, actor=actor)
    expert = Expert.objects.filter(assessment=assessment, user=user).first()
    if expert and expert.revoked_at is None:
        raise UserError(f"{expert.name} is on the panel already.", code="already_invited", status=409)
    if expert:
        expert.revoked_at = None
        expert.save(update_fields=["revoked_at"])
    else:
        expert = Expert.objects.create(
            assessment=assessment,
            user=user,
            name=actor_name(user)[:150],
            code=_new_code(assessment),
            invited_by_id=actor.pk,
        )
    _record(project, actor, "panel.invited", f"invited {expert.name} to the panel", expert)
    return Invited(expert)


@transaction.atomic
def invite_guest(*, project: Project, name: str, actor: AbstractBaseUser, days: int = GUEST_DAYS) -> Invited:
    """Invite somebody without an account by a link that expires."""
    name = name.strip()
    if not name:
        raise UserError("Say who the guest is.", fields={"name": "A name is needed."})
    if not 1 <= days <= 365:
        raise UserError("A link works for 1 to 365 days.", fields={"days": "From 1 to 365."})
    assessment = ensure_open(project=project, actor=actor)
    token = secrets.token_urlsafe(24)
    expert = Expert.objects.create(
        assessment=assessment,
        name=name[:150],
        code=_new_code(assessment),
        token_digest=digest_of(token),
        expires_at=timezone.now() + timedelta(days=days),
        invited_by_id=actor.pk,
    )
    _record(project, actor, "panel.invited", f"invited {expert.name} to the panel by link", expert)
    return Invited(expert, token)


@transaction.atomic
def renew_guest(*, project: Project, expert: Expert, actor: AbstractBaseUser, days: int = GUEST_DAYS) -> Invited:
    """Give a guest a new link, for one that was lost or has run out; the old one stops working, answers stay theirs."""
    if not expert.is_guest:
        raise UserError(f"{expert.name} comes by account and needs no link.", code="not_a_guest")
    token = secrets.token_urlsafe(24)
    expert.token_digest, expert.revoked_at = digest_of(token), None
    expert.expires_at = timezone.now() + timedelta(days=days)
    expert.save(update_fields=["token_digest", "revoked_at", "expires_at"])
    _record(project, actor, "panel.renewed", f"gave {expert.name} a new link to the panel", expert)
    return Invited(expert, token)


@transaction.atomic
def revoke(*, project: Project, expert: Expert, actor: AbstractBaseUser) -> None:
    """Take an expert off the panel: what they said in closed rounds stays, in the open one it will not count."""
    if Expert.objects.filter(pk=expert.pk, revoked_at=None).update(revoked_at=timezone.now()):
        _record(project, actor, "panel.revoked", f"took {expert.name} off the panel", expert)
    expert.refresh_from_db(fields=["revoked_at"])


@transaction.atomic
def open_round(
    *, project: Project, actor: AbstractBaseUser, settings: Settings | None = None, anonymous: bool = True
) -> Round:
    """Open the next round. Settings and anonymity are fixed by the first one; later rounds start from its answers."""
    assessment = ensure_open(project=project, actor=actor)
    scope = _known_scope(project)
    experts = [expert for expert in assessment.experts.all() if expert.may_vote]
    if not experts:
        raise UserError("Invite at least one expert first.", code="no_experts", status=409)
    last = assessment.rounds.order_by("-number").first()
    if last and last.is_open:
        raise UserError(f"Round {last.number} is open already; close it first.", code="round_open", status=409)
    chosen = Settings.from_json(last.settings) if last else settings or assumptions_for(project)
    number = (last.number if last else 0) + 1
    if number > chosen.maximum_rounds:
        raise UserError(
            f"The panel was set to at most {chosen.maximum_rounds} rounds before it began.",
            code="last_round",
            status=409,
        )
    opened = Round.objects.create(
        assessment=assessment,
        number=number,
        anonymous=last.anonymous if last else anonymous,
        settings=chosen.to_json(),
        # What the experts judge by, however the project is described while they do.
        scope_current=scope,
        scope_planned=newest_profile(project, ScopeProfile.Kind.PLANNED),
        opened_by_id=actor.pk,
    )
    if last:
        _carry(last, opened, experts)
    record(
        actor=actor,
        verb="round.opened",
        summary=f"opened round {number} of assessment {assessment.number} for {len(experts)} experts",
        project=project,
        round=opened.pk,
        settings=chosen.digest(),
    )
    return opened


@transaction.atomic
def close_round(*, project: Project, actor: AbstractBaseUser) -> Round:
    """Close the open round: answers and what is in place are kept as they are, under one seal.

    What was said by somebody who was taken off the panel meanwhile is left out.
    """
    current = (
        Round.objects.select_for_update(of=("self",))
        .filter(assessment__project=project, state=Round.State.OPEN)
        .select_related("assessment")
        .first()
    )
    if current is None:
        raise UserError("No round is open.", code="no_round", status=409)
    for said in (current.ratings, current.weights):
        said.filter(expert__revoked_at__isnull=False).delete()
    if not any(answered(rating) for rating in current.ratings.all()):
        raise UserError("Nobody has answered yet; a round without answers says nothing.", code="no_answers", status=409)
    checklist = read_checklist(project)
    current.in_place = [state.principle.slug for state in checklist.principles if state.all_in_place]
    current.state = Round.State.CLOSED
    current.closed_by_id = actor.pk
    current.closed_at = timezone.now()
    current.seal = seal_of(current)
    current.save()
    record(
        actor=actor,
        verb="round.closed",
        summary=f"closed round {current.number} of assessment {current.assessment.number}",
        project=project,
        round=current.pk,
        seal=current.seal,
    )
    return current


def answered(rating: Rating) -> bool:
    """Say whether a rating answers its principle: a vote, or a reason for having none."""
    return rating.stance != "rates" or rating.vote is not None


def seal_of(one: Round) -> str:
    """SHA-256 over everything said in a round, in a fixed order and form."""
    ratings = [
        [
            row.expert_id, row.principle, row.stance, row.vote, row.benefits, row.effort_low, row.effort_likely,
            row.effort_high, row.confidence, row.reason, row.evidence_url, *_light_level(row),
        ]
        for row in Rating.objects.filter(round=one).order_by("expert_id", "principle")
    ]  # fmt: skip
    weights = [[row.expert_id, row.points] for row in Weights.objects.filter(round=one).order_by("expert_id")]
    text = json.dumps([one.settings, ratings, weights], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _light_level(row: Rating) -> list[object]:
    """What was said about the light level; nothing where nobody asked, so that older seals can still be checked."""
    said = [row.light_benefits, row.light_effort_low, row.light_effort_likely, row.light_effort_high]
    return [said] if row.light_benefits or any(days is not None for days in said[1:]) else []


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _known_scope(project: Project) -> ScopeProfile:
    """Return today's scope, of which something must be known: need is worked out from nothing else."""
    profile = newest_profile(project, ScopeProfile.Kind.CURRENT)
    if profile is None:
        raise UserError("Describe the scope first: the experts judge for it.", code="no_scope", status=409)
    if not profile.values:
        raise UserError(
            "Answer at least one scope factor: the need for each benefit is worked out from them.",
            code="no_scope",
            status=409,
        )
    return profile


def _carry(last: Round, opened: Round, experts: Sequence[Expert]) -> None:
    """Start a round from the answers of the last one; each is marked until its expert looks at it again."""
    present = {expert.pk for expert in experts}
    ratings = [row for row in last.ratings.all() if row.expert_id in present]
    weights = [row for row in last.weights.all() if row.expert_id in present]
    kept: list[Rating | Weights] = [*ratings, *weights]
    for row in kept:
        row.pk, row.round, row.carried, row.version = None, opened, True, 1
    Rating.objects.bulk_create(ratings)
    Weights.objects.bulk_create(weights)


def _new_code(assessment: Assessment) -> str:
    taken = set(Expert.objects.filter(assessment=assessment).values_list("code", flat=True))
    while True:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(3))
        if code not in taken:
            return code


def _record(project: Project, actor: AbstractBaseUser, verb: str, summary: str, expert: Expert) -> None:
    record(actor=actor, verb=verb, summary=summary, project=project, expert=expert.pk)
