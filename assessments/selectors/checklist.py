"""The checklist as pages show it: each practice with its answer, what the records say, and which of the two counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from assessments.evidence import Finding, Records, gather
from assessments.evidence.practices import findings_for
from assessments.models import Answer, Assessment, SealedFinding, Value
from assessments.principles import Catalogue, Practice, Principle
from assessments.selectors.editions import catalogue_of, catalogue_of_team
from projects.models import Project

#: How much of a practice is in place, after the ML Test Score: by hand counts half.
IN_PLACE = {Value.YES: 1.0, Value.PARTLY: 0.5, Value.NO: 0.0}


@dataclass(frozen=True)
class AnswerView:
    """A stored answer."""

    value: str
    label: str
    reason: str
    evidence_url: str
    comment: str
    version: int
    by: str
    at: datetime


@dataclass(frozen=True)
class PracticeState:
    """A practice with what people and records say about it.

    `mark` says how the two stand: `filled` (nobody answered, the records speak), `agrees`, `overridden` (answered
    against what the records said then), `differs` (the records changed after the answer), or nothing.
    """

    practice: Practice
    answer: AnswerView | None
    finding: Finding | None
    value: str
    label: str
    mark: str

    @property
    def version(self) -> int:
        """The version a page must send back."""
        return self.answer.version if self.answer else 0

    @property
    def answered(self) -> bool:
        """Say whether there is an answer, a person's or the records'."""
        return bool(self.value)


@dataclass(frozen=True)
class PrincipleState:
    """A principle with the states of its practices."""

    principle: Principle
    practices: tuple[PracticeState, ...]

    @property
    def answered(self) -> int:
        """How many practices have an answer."""
        return sum(state.answered for state in self.practices)

    @property
    def total(self) -> int:
        """How many practices there are."""
        return len(self.practices)

    @property
    def filled(self) -> int:
        """How many were answered by the records alone."""
        return sum(state.mark == "filled" for state in self.practices)

    @property
    def applicable(self) -> int:
        """How many practices apply, as far as answered."""
        return sum(state.value in IN_PLACE for state in self.practices)

    @property
    def in_place(self) -> float:
        """How many are in place, "partly" counting half."""
        return sum(IN_PLACE.get(Value(state.value), 0.0) for state in self.practices if state.value)

    @property
    def complete(self) -> bool:
        """Say whether every practice has an answer."""
        return self.answered == self.total

    @property
    def all_in_place(self) -> bool:
        """Say whether every practice that applies is fully in place."""
        return self.complete and self.applicable > 0 and self.in_place == self.applicable


@dataclass(frozen=True)
class Checklist:
    """All principles of an assessment."""

    assessment: Assessment | None
    catalogue: Catalogue
    principles: tuple[PrincipleState, ...]
    records: Records

    @property
    def answered(self) -> int:
        """How many practices have an answer."""
        return sum(state.answered for state in self.principles)

    @property
    def total(self) -> int:
        """How many practices there are."""
        return sum(state.total for state in self.principles)

    @property
    def filled(self) -> int:
        """How many were answered by the records alone."""
        return sum(state.filled for state in self.principles)

    @property
    def next_open(self) -> PrincipleState | None:
        """The first principle with something left to answer."""
        return next((state for state in self.principles if not state.complete), None)

    @property
    def differing(self) -> tuple[PracticeState, ...]:
        """Practices whose records changed after they were answered."""
        return tuple(p for state in self.principles for p in state.practices if p.mark == "differs")

    def of(self, slug: str) -> PrincipleState:
        """The state of one principle; `KeyError` if there is none."""
        for state in self.principles:
            if state.principle.slug == slug:
                return state
        raise KeyError(slug)

    def practice(self, practice_id: str) -> PracticeState:
        """The state of one practice; `KeyError` if there is none."""
        for state in self.of(practice_id.partition(".")[0]).practices:
            if state.practice.id == practice_id:
                return state
        raise KeyError(practice_id)


def current_assessment(project: Project) -> Assessment | None:
    """Return the open assessment, else the newest closed one: 1 query."""
    return (
        Assessment.objects.filter(project=project).select_related("opened_by", "closed_by").order_by("-number").first()
    )


def read_checklist(project: Project) -> Checklist:
    """Read the project's checklist with answers and findings: 10 queries, of which 8 read the records."""
    return checklist_of(project, current_assessment(project))


def checklist_of(project: Project, assessment: Assessment | None) -> Checklist:
    """Read the checklist of an assessment, or an empty one: 9 queries, of which 8 read the records."""
    catalogue = catalogue_of(assessment) if assessment else catalogue_of_team(project.team_id)
    records = gather(project)
    answers = {answer.practice: answer for answer in assessment.answers.all()} if assessment else {}
    if assessment and not assessment.is_open:
        findings: Mapping[str, Finding] = {row.practice: _unseal(row) for row in assessment.findings.all()}
    else:
        findings = findings_for(catalogue, records)
    principles = tuple(
        PrincipleState(
            principle,
            tuple(
                _state(practice, answers.get(practice.id), findings.get(practice.id))
                for practice in principle.practices
            ),
        )
        for principle in catalogue.principles
    )
    return Checklist(assessment, catalogue, principles, records)


def _unseal(row: SealedFinding) -> Finding:
    return Finding(row.check_name, row.value, row.sentence, row.query, row.url, "Records")


def _state(practice: Practice, answer: Answer | None, finding: Finding | None) -> PracticeState:
    said = answer.value if answer else ""
    value = said or (finding.value if finding else "")
    return PracticeState(
        practice=practice,
        answer=view_answer(answer) if answer else None,
        finding=finding,
        value=value,
        label=str(Value(value).label) if value else "",
        mark=_mark(answer, finding),
    )


def _mark(answer: Answer | None, finding: Finding | None) -> str:
    if finding is None:
        return ""
    if answer is None or not answer.value:
        return "filled"
    if answer.value == finding.value:
        return "agrees"
    return "overridden" if answer.found_value == finding.value else "differs"


def view_answer(answer: Answer) -> AnswerView:
    """Return a stored answer as pages show it."""
    return AnswerView(
        value=answer.value,
        label=answer.get_value_display() if answer.value else "No answer",
        reason=answer.reason,
        evidence_url=answer.evidence_url,
        comment=answer.comment,
        version=answer.version,
        by=answer.answered_by_name,
        at=answer.answered_at,
    )
