"""Decision records: what was decided about a principle, by whom, until when and why. A change of mind is a new row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction
from django.utils import timezone

from assessments.evidence import gather, measure_scope
from assessments.models import Decision
from assessments.selectors.checklist import current_assessment
from assessments.selectors.editions import catalogue_for
from ops_portal.errors import UserError
from projects.models import Membership, Project
from projects.services.activity import actor_name, record


@dataclass(frozen=True)
class DecisionDraft:
    """What is decided about a principle."""

    choice: str
    reason: str
    owner: User | None = None
    due: date | None = None
    adopted_on: date | None = None
    effort_planned: float | None = None
    effort_spent: float | None = None


@transaction.atomic
def decide(*, project: Project, principle: str, draft: DecisionDraft, actor: AbstractBaseUser) -> Decision:
    """Record a decision, with what the records measure now, so that later one can see what it brought."""
    try:
        found = catalogue_for(project).principle(principle)
    except KeyError as unknown:
        raise UserError("This principle is not in the catalogue.", code="unknown_principle", status=404) from unknown
    if draft.choice not in Decision.Choice.values:
        raise UserError("Choose adopt, later or no.", fields={"choice": "Choose one of the three."})
    if not draft.reason.strip():
        raise UserError("Give the reason: it is what the next panel will want.", fields={"reason": "Needed."})
    if draft.owner and not Membership.objects.filter(team=project.team_id, user=draft.owner).exists():
        raise _no_member()
    if draft.adopted_on and draft.choice != Decision.Choice.ADOPT:
        raise UserError("Only what is adopted can be in place.", fields={"adopted_on": "Leave open unless adopted."})
    if draft.adopted_on and draft.adopted_on > timezone.localdate():
        raise UserError(
            "A principle is in place from a day that has come.", fields={"adopted_on": "Not in the future."}
        )
    for name, days in (("effort_planned", draft.effort_planned), ("effort_spent", draft.effort_spent)):
        if days is not None and not 0 <= days <= 100_000:
            raise UserError("Effort is a number of days.", fields={name: "Days, 0 or more."})
    assessment = current_assessment(project)
    last_round = assessment.rounds.filter(state="closed").order_by("-number").first() if assessment else None
    measured = measure_scope(gather(project))
    decision = Decision.objects.create(
        project=project,
        assessment=assessment,
        round=last_round,
        principle=principle,
        choice=draft.choice,
        reason=draft.reason.strip(),
        owner=draft.owner,
        due=draft.due,
        adopted_on=draft.adopted_on,
        effort_planned=draft.effort_planned,
        effort_spent=draft.effort_spent,
        context={"measured": {name: one.value for name, one in measured.factors.items()}},
        decided_by_id=actor.pk,
        decided_by_name=actor_name(actor)[:150],
    )
    record(
        actor=actor,
        verb="principle.decided",
        summary=f"decided on {found.name}: {decision.get_choice_display().lower()}",
        project=project,
        decision=decision.pk,
        principle=principle,
    )
    return decision


def find_owner(project: Project, username: str) -> User:
    """Return the member of the project's team with this user name, who can see to what is decided."""
    found = User.objects.filter(username=username, memberships__team=project.team_id).first()
    if found is None:
        raise _no_member()
    return found


def _no_member() -> UserError:
    return UserError("The owner must be a member of the team.", fields={"owner": "Not a member."})
