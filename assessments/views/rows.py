"""One practice as the checklist shows it: what is stored, or what was just sent and could not be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from assessments.forms.answers import AnswerForm, sent_draft
from assessments.selectors.checklist import AnswerView, PracticeState, view_answer
from assessments.services.answers import AnswerConflictError, Draft, save_answer
from ops_portal.errors import UserError
from ops_portal.forms import texts_of_errors
from projects.models import Project

OPTIONS = (("yes", "Yes"), ("partly", "Partly"), ("no", "No"), ("does_not_apply", "Does not apply"))


@dataclass(frozen=True)
class Attempt:
    """What came of saving one practice's answer."""

    draft: Draft
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    theirs: AnswerView | None = None
    changed: bool = False

    @property
    def failed(self) -> bool:
        """Say whether the answer is not stored."""
        return bool(self.errors) or self.theirs is not None


@dataclass(frozen=True)
class Row:
    """One practice on the page."""

    state: PracticeState
    shown: Draft
    version: int
    errors: Mapping[str, Sequence[str]]
    theirs: AnswerView | None

    @property
    def id(self) -> str:
        """The practice's id, also the prefix of its fields."""
        return self.state.practice.id

    @property
    def dom(self) -> str:
        """The id as HTML and CSS like it."""
        return self.id.replace(".", "-")

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The four answers."""
        return OPTIONS

    @property
    def more_open(self) -> bool:
        """Say whether evidence link and comment are shown at once."""
        wrong = {"evidence_url", "comment"} & set(self.errors)
        return bool(self.shown.evidence_url or self.shown.comment or wrong)

    @property
    def messages(self) -> list[str]:
        """Everything that is wrong, one sentence each."""
        return [message for messages in self.errors.values() for message in messages]


def build_row(state: PracticeState, attempt: Attempt | None = None) -> Row:
    """Combine what is stored with what came of an attempt to save."""
    stored = state.answer
    shown = (
        Draft(stored.value or state.value, stored.reason, stored.evidence_url, stored.comment)
        if stored
        else Draft(value=state.value)
    )
    if attempt is None or not attempt.failed:
        return Row(state, shown, state.version, {}, None)
    # From here the person has seen the other answer: sending again is a choice, not an accident.
    return Row(state, attempt.draft, state.version, attempt.errors, attempt.theirs)


def try_to_save(request_user: object, project: Project, practice_id: str, data: QueryDict) -> Attempt:
    """Save one practice's answer from a form; what is wrong comes back beside what was typed."""
    typed = sent_draft(data, practice_id)
    form = AnswerForm(data, prefix=practice_id)
    if not form.is_valid():
        return Attempt(typed, errors=texts_of_errors(form))
    draft = form.draft
    if data.get("clear") == practice_id:
        draft = Draft(evidence_url=draft.evidence_url, comment=draft.comment)
    try:
        saved = save_answer(
            project=project,
            practice_id=practice_id,
            draft=draft,
            base_version=form.base_version,
            actor=request_user,  # type: ignore[arg-type]
        )
    except AnswerConflictError as conflict:
        return Attempt(typed, theirs=view_answer(conflict.theirs))
    except UserError as wrong:
        return Attempt(typed, errors=wrong.fields or {"value": [wrong.message]})
    return Attempt(typed, changed=saved.changed)
