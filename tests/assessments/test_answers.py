"""Answering a practice: saved with who and when, never over somebody else's answer, never half wrong."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from assessments.models import Answer, Assessment, SealedFinding
from assessments.principles import load_catalogue
from assessments.selectors.checklist import read_checklist
from assessments.services.answers import AnswerConflictError, Draft, save_answer
from assessments.services.assessments import close, ensure_open
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.assessments import records as made
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

POSITION = "versioning.stream-position"


def practice_without_check():
    """A practice only people can answer."""
    practices = [practice for one in load_catalogue().principles for practice in one.practices]
    return next(practice.id for practice in practices if practice.evidence is None)


def answer(project, actor, practice, value="yes", base=0, **fields):
    return save_answer(
        project=project, practice_id=practice, draft=Draft(value=value, **fields), base_version=base, actor=actor
    )


def test_the_first_answer_opens_the_assessment_and_is_logged(project, owner):
    practice = practice_without_check()
    saved = answer(project, owner, practice, "partly", comment="by hand")
    assert saved.changed
    assessment = Assessment.objects.get()
    assert (assessment.number, assessment.edition, assessment.is_open) == (1, "2026.11", True)
    assert (saved.answer.version, saved.answer.answered_by, saved.answer.answered_by_name) == (1, owner, "olga")
    verbs = list(Activity.objects.order_by("pk").values_list("verb", "actor_name"))
    assert verbs == [("assessment.opened", "olga"), ("assessment.answered", "olga")]
    entry = Activity.objects.get(verb="assessment.answered")
    assert entry.summary.startswith("answered “") and entry.summary.endswith("”: partly")
    assert entry.data["practice"] == practice


def test_a_comment_alone_is_kept_and_logged_as_such(project, owner):
    practice = practice_without_check()
    saved = answer(project, owner, practice, "", comment="asked the team")
    assert saved.answer.value == ""
    assert Activity.objects.latest("pk").verb == "assessment.explained"


def test_the_same_answer_again_changes_nothing(project, owner):
    practice = practice_without_check()
    answer(project, owner, practice)
    again = answer(project, owner, practice, base=1)
    assert not again.changed
    assert Answer.objects.get().version == 1
    assert Activity.objects.filter(verb="assessment.answered").count() == 1


def test_a_second_tab_is_told_and_nothing_is_overwritten(project, team, owner):
    practice = practice_without_check()
    other = make_user("nora")
    make_member(team, other, Role.EXPERT)
    answer(project, other, practice, "no", comment="mine first")
    with pytest.raises(AnswerConflictError) as caught:
        answer(project, owner, practice, "yes")
    assert caught.value.theirs.value == "no"
    assert caught.value.mine.value == "yes"
    assert "nora answered “No”" in caught.value.message
    stored = Answer.objects.get()
    assert (stored.value, stored.comment, stored.version) == ("no", "mine first", 1)
    # Having seen it, sending again from the newer version is a choice.
    assert answer(project, owner, practice, "yes", base=1).answer.version == 2


def test_two_tabs_that_say_the_same_do_not_clash(project, owner):
    practice = practice_without_check()
    answer(project, owner, practice, "no")
    assert not answer(project, owner, practice, "no", base=0).changed


def test_does_not_apply_needs_a_reason_also_in_the_database(project, owner):
    practice = practice_without_check()
    with pytest.raises(UserError, match="Say why"):
        answer(project, owner, practice, "does_not_apply", reason="  ")
    assert not Assessment.objects.exists()
    saved = answer(project, owner, practice, "does_not_apply", reason="labels come at once")
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.filter(pk=saved.answer.pk).update(reason="")


@pytest.mark.parametrize(
    ("practice", "value"), [("versioning.nonsense", "yes"), ("nonsense", "yes"), (POSITION, "maybe")]
)
def test_an_unknown_practice_or_value_is_refused(project, owner, practice, value):
    with pytest.raises(UserError):
        answer(project, owner, practice, value)
    assert not Answer.objects.exists()


def test_what_the_records_say_is_not_taken_for_somebodys_answer(project, owner):
    made.lived_in(project, owner)
    assert not answer(project, owner, POSITION, "yes").changed
    assert not Answer.objects.exists()
    assert answer(project, owner, POSITION, "yes", comment="checked by hand").changed


def test_marks_filled_agrees_overridden_and_differs(project, owner):
    made.lived_in(project, owner)
    practice = "controlled-release.one-action-rollback"

    def mark():
        return read_checklist(project).practice(practice).mark

    assert mark() == "filled"
    answer(project, owner, practice, "partly")
    assert mark() == "overridden"
    answer(project, owner, practice, "yes", base=1)
    assert mark() == "agrees"
    # The records move on: the answer stands and is marked.
    project.deployments.filter(kind="rollback").update(kind="deploy")
    state = read_checklist(project).practice(practice)
    assert (state.mark, state.value, state.finding.value) == ("differs", "yes", "no")


def test_an_answer_taken_back_lets_the_records_speak_again(project, owner):
    made.lived_in(project, owner)
    answer(project, owner, POSITION, "no")
    answer(project, owner, POSITION, "", base=1)
    state = read_checklist(project).practice(POSITION)
    assert (state.mark, state.value, state.version) == ("filled", "yes", 2)
    assert "taken back" in Activity.objects.latest("pk").summary


def test_closing_keeps_answers_scope_and_what_the_records_said(project, owner):
    made.lived_in(project, owner)
    practice = practice_without_check()
    answer(project, owner, practice, "yes", evidence_url="https://ci.example.org/1")
    closed = close(project=project, actor=owner)
    assert not closed.is_open
    assert SealedFinding.objects.filter(assessment=closed).count() >= 20
    project.deployments.filter(kind="rollback").update(kind="deploy")
    sealed = read_checklist(project).practice("controlled-release.one-action-rollback")
    assert (sealed.value, sealed.mark) == ("yes", "filled")
    with pytest.raises(UserError, match="nothing to close"):
        close(project=project, actor=owner)


def test_the_next_assessment_starts_from_the_last_answers(project, owner):
    practice = practice_without_check()
    answer(project, owner, practice, "partly")
    close(project=project, actor=owner)
    second = ensure_open(project=project, actor=owner)
    assert second.number == 2
    assert [(one.practice, one.value) for one in second.answers.all()] == [(practice, "partly")]
    assert Answer.objects.count() == 2
    assert ensure_open(project=project, actor=owner) == second


def test_reading_the_checklist_takes_ten_queries(project, owner, django_assert_num_queries):
    made.lived_in(project, owner)
    answer(project, owner, practice_without_check())
    with django_assert_num_queries(10):
        checklist = read_checklist(project)
    assert checklist.answered >= 20
    assert checklist.total == sum(len(one.principle.practices) for one in checklist.principles)
