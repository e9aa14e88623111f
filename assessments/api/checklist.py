"""`assessment/checklist/`: every practice with what people answered and what the records found, and answering one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from assessments.api.assessment import STATES
from assessments.api.conflicts import conflict_message, tell_conflict
from assessments.evidence import Finding
from assessments.forms.answers import LONGEST_COMMENT, LONGEST_LINK, LONGEST_REASON, AnswerForm
from assessments.models import Value
from assessments.selectors.checklist import AnswerView, Checklist, PracticeState, read_checklist, view_answer
from assessments.services.answers import AnswerConflictError, save_answer
from models_registry.api.call import ProjectCall
from models_registry.api.fields import LARGEST_NUMBER, Text, Whole, read
from ops_portal.errors import UserError, error_body
from ops_portal.forms import texts_of_errors
from projects.access import RATE
from projects.api_fields import Body
from projects.api_schema import ErrorOut

MARKS = ("filled", "agrees", "overridden", "differs")


class PracticeAnswerOut(serializers.Serializer[Any]):
    """What a person said about a practice."""

    value = serializers.ChoiceField(Value.choices, allow_blank=True, help_text="Empty: taken back.")
    reason = serializers.CharField(allow_blank=True, help_text="Why it does not apply.")
    evidence_url = serializers.CharField(allow_blank=True)
    comment = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    by = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class PracticeConflictOut(ErrorOut):
    """The refusal of an answer in place of one that was not read."""

    theirs = PracticeAnswerOut(
        required=False, help_text="The answer as it stands; not there where something else is wrong."
    )


class FoundOut(serializers.Serializer[Any]):
    """What the portal's records say about a practice; of a closed assessment, what they said then."""

    value = serializers.ChoiceField(Value.choices)
    sentence = serializers.CharField()
    query = serializers.CharField(allow_blank=True, help_text="How it was looked up, in words.")
    url = serializers.CharField(help_text="Page of the portal that shows the records.")


class PracticeStateOut(serializers.Serializer[Any]):
    """A practice with its answer."""

    id = serializers.CharField()
    text = serializers.CharField()
    value = serializers.ChoiceField(
        Value.choices, allow_null=True, help_text="The answer that counts: a person's, else the records'."
    )
    from_records = serializers.BooleanField(help_text="Whether `value` is what the records say, as nobody answered.")
    mark = serializers.ChoiceField(
        MARKS,
        allow_null=True,
        help_text="How answer and records stand: `filled` by the records, `agrees`, `overridden` (answered against "
        "what they said then), `differs` (they changed after the answer); null where they say nothing.",
    )
    version = serializers.IntegerField(help_text="Send it back with an answer; 0 while there is none.")
    answer = PracticeAnswerOut(allow_null=True)
    found = FoundOut(allow_null=True)


class PrincipleChecklistOut(serializers.Serializer[Any]):
    """A principle with its practices."""

    slug = serializers.CharField()
    name = serializers.CharField()
    answered = serializers.IntegerField()
    practices = PracticeStateOut(many=True)


class ChecklistOut(serializers.Serializer[Any]):
    """The checklist of an assessment."""

    number = serializers.IntegerField(
        allow_null=True, help_text="The open assessment, else the one closed last; null when there is none."
    )
    state = serializers.ChoiceField(STATES)
    edition = serializers.CharField(help_text="Edition of the catalogue of principles.")
    answered = serializers.IntegerField(help_text="Of all principles, also where one is asked for.")
    total = serializers.IntegerField()
    principles = PrincipleChecklistOut(many=True)


class ChecklistQuery(serializers.Serializer[Any]):
    """Which part of the checklist to read."""

    principle = serializers.SlugField(required=False, max_length=80)


class PracticeAnswerIn(Body):
    """What is said about a practice; what is left out is empty."""

    value = serializers.ChoiceField(Value.choices, allow_blank=True, help_text="Empty takes the answer back.")
    reason = Text(
        required=False,
        allow_blank=True,
        default="",
        max_length=LONGEST_REASON,
        help_text="Needed where it does not apply, and kept only there.",
    )
    evidence_url = Text(
        required=False,
        allow_blank=True,
        default="",
        max_length=LONGEST_LINK,
        help_text="A link to what shows it, http or https.",
    )
    comment = Text(required=False, allow_blank=True, default="", max_length=LONGEST_COMMENT)
    version = Whole(min_value=0, max_value=LARGEST_NUMBER, help_text="As read; 0 where nobody has answered.")


SAID: dict[str, Any] = {
    "value": "partly",
    "evidence_url": "https://ci.example.org/alerts",
    "comment": "By hand on weekends.",
    "version": 0,
}
ANSWER: dict[str, Any] = {
    "value": "partly",
    "reason": "",
    "evidence_url": "https://ci.example.org/alerts",
    "comment": "By hand on weekends.",
    "version": 1,
    "by": "olga",
    "at": "2026-05-04T12:00:00Z",
}
PRACTICE: dict[str, Any] = {
    "id": "monitoring.drift-detector",
    "text": "A drift detector runs on errors or inputs, and its settings and firings are kept.",
    "value": "partly",
    "from_records": False,
    "mark": "overridden",
    "version": 1,
    "answer": ANSWER,
    "found": {
        "value": "no",
        "sentence": "No run has a drift detector.",
        "query": "Runs of this project with a drift detector.",
        "url": "/projects/pump-failures/runs/",
    },
}
CHECKLIST: dict[str, Any] = {
    "number": 1,
    "state": "open",
    "edition": "2026.11",
    "answered": 40,
    "total": 79,
    "principles": [
        {"slug": "monitoring", "name": "Continuous monitoring", "answered": 1, "practices": [PRACTICE]},
    ],
}


class OneChecklist(ProjectCall):
    """The checklist."""

    @extend_schema(
        operation_id="assessment_checklist_get",
        summary="Read the checklist",
        tags=["assessments"],
        parameters=[ChecklistQuery],
        responses=ChecklistOut,
        examples=[OpenApiExample("One practice of it", CHECKLIST, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> Response:
        """Read each practice with its answer, who gave it, and what the records found; all, or of one `principle`."""
        shown = read_checklist(self.reading(request, slug))
        return Response(ChecklistOut(_tell(shown, read(ChecklistQuery, request.query_params).get("principle"))).data)


class AnswerPractice(ProjectCall):
    """Answering."""

    @extend_schema(
        operation_id="assessment_checklist_answer",
        summary="Answer a practice",
        tags=["assessments"],
        request=PracticeAnswerIn,
        responses={200: PracticeStateOut, 409: PracticeConflictOut},
        examples=[
            OpenApiExample("Partly in place", SAID, request_only=True),
            OpenApiExample(
                "Does not apply",
                {"value": "does_not_apply", "reason": "Labels come at once.", "version": 1},
                request_only=True,
            ),
            OpenApiExample("Taken back", {"value": "", "version": 2}, request_only=True),
            OpenApiExample("The practice", PRACTICE, response_only=True, status_codes=["200"]),
            OpenApiExample(
                "Answered by somebody else",
                error_body("answer_conflict", conflict_message("olga answered “Partly”", read=0, stands=1))
                | {"theirs": ANSWER},
                response_only=True,
                status_codes=["409"],
            ),
        ],
    )
    def put(self, request: Request, slug: str, practice: str) -> Response:
        """Say whether a practice is in place, in place of what was said before. The first answer opens an assessment.

        409 `answer_conflict` where somebody said something else after `version` was read: `theirs` is what they said,
        with its version. What the records say already is nobody's answer, and is not stored as one.
        """
        project, actor = self.changing(request, slug, RATE)
        form = AnswerForm(read(PracticeAnswerIn, request.data))
        if not form.is_valid():
            raise ValidationError(texts_of_errors(form))
        try:
            save_answer(
                project=project,
                practice_id=practice,
                draft=form.draft,
                base_version=form.base_version,
                actor=actor,
            )
        except AnswerConflictError as conflict:
            answer = view_answer(conflict.theirs)
            theirs = PracticeAnswerOut(_tell_answer(answer)).data
            return tell_conflict(conflict, _said(answer), read=form.base_version, theirs=theirs)
        return Response(PracticeStateOut(_tell_practice(read_checklist(project).practice(practice))).data)


def _tell(shown: Checklist, principle: str | None) -> dict[str, Any]:
    if principle and principle not in shown.catalogue.slugs:
        message = f"This principle is not in edition {shown.catalogue.edition} of the catalogue, which is used now."
        raise UserError(message, code="unknown_principle", status=404)
    current = shown.assessment
    return {
        "number": current.number if current else None,
        "state": current.state if current else "none",
        "edition": shown.catalogue.edition,
        "answered": shown.answered,
        "total": shown.total,
        "principles": [
            {
                "slug": one.principle.slug,
                "name": one.principle.name,
                "answered": one.answered,
                "practices": [_tell_practice(state) for state in one.practices],
            }
            for one in shown.principles
            if principle in (None, one.principle.slug)
        ],
    }


def _tell_practice(state: PracticeState) -> dict[str, Any]:
    return {
        "id": state.practice.id,
        "text": state.practice.text,
        "value": state.value or None,
        "from_records": state.mark == "filled",
        "mark": state.mark or None,
        "version": state.version,
        "answer": _tell_answer(state.answer) if state.answer else None,
        "found": _tell_found(state.finding) if state.finding else None,
    }


def _tell_answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "value": answer.value,
        "reason": answer.reason,
        "evidence_url": answer.evidence_url,
        "comment": answer.comment,
        "version": answer.version,
        "by": answer.by,
        "at": answer.at,
    }


def _said(answer: AnswerView) -> str:
    return f"{answer.by or 'Somebody'} answered “{answer.label}”"


def _tell_found(found: Finding) -> dict[str, Any]:
    return {"value": found.value, "sentence": found.sentence, "query": found.query, "url": found.url}
