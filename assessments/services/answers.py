"""Answering practices: one answer at a time, never over somebody else's without saying so."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from assessments.evidence import gather
from assessments.evidence.practices import finding_for
from assessments.models import Answer, Assessment, Value
from assessments.principles import Practice
from assessments.selectors.editions import catalogue_of
from assessments.services.assessments import ensure_open
from ops_portal.errors import UserError
from projects.models import Project
from projects.services.activity import actor_name, record


@dataclass(frozen=True)
class Draft:
    """What somebody says about a practice. An empty `value` takes the answer back."""

    value: str = ""
    reason: str = ""
    evidence_url: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Saved:
    """What saving did. `answer` is None when there was nothing to save and nothing stored."""

    answer: Answer | None
    changed: bool


class AnswerConflictError(UserError):
    """Somebody changed the answer after this page was opened: `theirs` is stored, `mine` is not."""

    def __init__(self, *, practice: Practice, theirs: Answer, mine: Draft) -> None:
        said = theirs.get_value_display() or "no answer"
        super().__init__(
            f"{theirs.answered_by_name or 'Somebody'} answered “{said}” while this page was open.",
            code="answer_conflict",
            status=409,
        )
        self.practice = practice
        self.theirs = theirs
        self.mine = mine


def _practice_called(practice_id: str, assessment: Assessment) -> Practice:
    try:
        return catalogue_of(assessment).practice(practice_id)
    except KeyError as unknown:
        message = f"This practice is not in edition {assessment.edition} of the catalogue, which is used now."
        raise UserError(message, code="unknown_practice", status=404) from unknown


@transaction.atomic
def save_answer(
    *, project: Project, practice_id: str, draft: Draft, base_version: int, actor: AbstractBaseUser
) -> Saved:
    """Store `draft` as the answer to a practice, in the project's open assessment.

    `base_version` is the version the page showed, 0 when it showed none; if the stored one has moved on since and says
    something else, nothing is changed and `AnswerConflictError` is raised.
    """
    _check(draft)
    assessment = ensure_open(project=project, actor=actor)
    practice = _practice_called(practice_id, assessment)
    # One answer at a time per assessment: two tabs that save together meet here, not in a unique constraint.
    Assessment.objects.select_for_update().filter(pk=assessment.pk).values_list("pk").get()
    stored = Answer.objects.filter(assessment=assessment, practice=practice.id).first()
    if stored and draft_of(stored) == draft:
        return Saved(stored, changed=False)
    if stored and stored.version != base_version:
        raise AnswerConflictError(practice=practice, theirs=stored, mine=draft)
    finding = finding_for(practice, gather(project)) if practice.evidence else None
    found = finding.value if finding else ""
    if stored is None and draft in (Draft(), Draft(value=found)):
        return Saved(None, changed=False)  # the page sent back what the records say; that is nobody's answer
    before = stored.value if stored else ""
    answer = stored or Answer(assessment=assessment, practice=practice.id, version=0)
    answer.value, answer.reason, answer.evidence_url, answer.comment = (
        draft.value, draft.reason, draft.evidence_url, draft.comment,
    )  # fmt: skip
    answer.version += 1
    answer.found_value = found
    answer.answered_by_id = actor.pk
    answer.answered_by_name = actor_name(actor)[:150]
    answer.answered_at = timezone.now()
    answer.save()
    _record(project, actor, practice, answer, before)
    return Saved(answer, changed=True)


def draft_of(answer: Answer) -> Draft:
    """Return what a stored answer says."""
    return Draft(answer.value, answer.reason, answer.evidence_url, answer.comment)


def _check(draft: Draft) -> None:
    if draft.value and draft.value not in Value.values:
        raise UserError(
            "Answer with yes, partly, no or does not apply.", fields={"value": "Not one of the four answers."}
        )
    if draft.value == Value.DOES_NOT_APPLY and not draft.reason.strip():
        raise UserError(
            "Say why this does not apply to the project; then it is saved.", fields={"reason": "A reason is needed."}
        )


def _record(project: Project, actor: AbstractBaseUser, practice: Practice, answer: Answer, before: str) -> None:
    short = practice.text.rstrip(".")
    # Fits the log's line with what follows.
    short = short if len(short) <= 160 else short[:159] + "…"
    if answer.value != before:
        said = answer.get_value_display().lower() if answer.value else "taken back"
        verb, summary = "assessment.answered", f"answered “{short}”: {said}"
    else:
        verb, summary = "assessment.explained", f"added to the answer on “{short}”"
    record(
        actor=actor,
        verb=verb,
        summary=summary,
        project=project,
        practice=practice.id,
        assessment=answer.assessment_id,
        before=before,
        answer=asdict(draft_of(answer)),
    )
