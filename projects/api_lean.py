"""API calls as plain Django views, for the few where DRF's share of the time counts: events, labels, predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.views import APIView

from ops_portal.errors import UserError, error_body, error_response
from ops_portal.group_commit import GroupCommit
from projects.access import api_project, check_token
from projects.api_auth import NOTHING, Beside, authorization_of, identify_session, read_token

Job = TypeVar("Job")
Result = TypeVar("Result")

_decode = msgspec.json.Decoder().decode
#: Calls for different projects rarely wait for each other: a project may be locked by a long batch.
GROUPS = 16


@dataclass(frozen=True, slots=True)
class LeanCaller:
    """The project that a call is for, as far as these calls need it.

    `beside` holds what was read in the query of the token; None for a session, which has no such query.
    """

    project_id: int
    task: str
    fallback: str
    beside: tuple[Any, ...] | None


def shared_lean_call(
    scope: str,
    described_by: type[APIView],
    answer: Callable[[Sequence[tuple[LeanCaller, Job]]], Sequence[Result | Exception]],
    *,
    beside: Beside = NOTHING,
    alone: Callable[[Job], bool] = lambda _job: False,
) -> Callable[[Callable[[HttpRequest, Callable[[Job], Result]], HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a plain POST view of the API whose calls, when they come at the same time, are answered together.

    The view is called as `view(request, ask)`: it reads the request, asks `ask(job)` and makes the response of the
    result. Asked together, calls share the check of their token, where it is the same, and all that `answer` does for
    a list of jobs. The check still happens after each of them came, so a revoked token is refused at once.

    Errors have the one shape. The view is exempt from Django's own CSRF check because `identify_session` does it for
    sessions.

    Parameters
    ----------
    scope
        What the token must allow.
    described_by
        A class of DRF whose `post` is never called: the OpenAPI description is made from it.
    answer
        Answers callers and their jobs: a result or an exception for each.
    beside
        What is read in the query of the token.
    alone
        Says of a job that others should not wait for it.

    """

    def carry_out(calls: Sequence[_Call[Job]]) -> Sequence[Result | Exception]:
        callers: dict[tuple[str, str], LeanCaller | Exception] = {}
        for call in calls:
            if call.who not in callers:
                try:
                    callers[call.who] = _identify(call.request, call.slug, scope, beside)
                except (AuthenticationFailed, PermissionDenied, Http404) as refused:
                    callers[call.who] = refused
        outcomes: list[Any] = [callers[call.who] for call in calls]
        known = [number for number, caller in enumerate(outcomes) if isinstance(caller, LeanCaller)]
        results = answer([(outcomes[number], calls[number].job) for number in known]) if known else ()
        for number, result in zip(known, results, strict=True):
            outcomes[number] = result
        return outcomes

    groups = [GroupCommit(carry_out) for _ in range(GROUPS)]

    def decorate(
        view: Callable[[HttpRequest, Callable[[Job], Result]], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, slug: str) -> HttpResponse:
            # A session is no token: what says who calls is not in one header.
            who = (authorization_of(request), slug)

            def ask(job: Job) -> Result:
                call = _Call(request, slug, who, job)
                if who[0] and not alone(job):
                    return groups[hash(slug) % GROUPS].call(call)
                result = carry_out([call])[0]
                if isinstance(result, Exception):
                    raise result
                return result

            return view(request, ask)

        return _answering(checked, described_by)

    return decorate


@dataclass(frozen=True, slots=True)
class _Call(Generic[Job]):
    """One of the calls that are answered together; `who` says whose token asks for which project."""

    request: HttpRequest
    slug: str
    who: tuple[str, str]
    job: Job


def _identify(request: HttpRequest, slug: str, scope: str, beside: Beside = NOTHING) -> LeanCaller:
    row = read_token(authorization_of(request), beside)
    if row is None:
        identify_session(request)
        project = api_project(request, slug, scope).project
        return LeanCaller(project.pk, project.task, project.fallback, None)
    project_id, _, its_slug, task, fallback = row.project
    check_token(of=its_slug, scopes=_decode(row.token[4]), slug=slug, scope=scope)
    return LeanCaller(project_id, task, fallback, row.beside)


def _answering(view: Callable[..., HttpResponse], described_by: type[APIView]) -> Callable[..., HttpResponse]:
    """Take POST only, and answer errors in the one shape."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return _refusal(405, "method_not_allowed", "Use POST.", {"Allow": "POST"})
        try:
            return view(request, *args, **kwargs)
        except AuthenticationFailed as error:
            return _refusal(401, "authentication_failed", str(error.detail), {"WWW-Authenticate": "Bearer"})
        except PermissionDenied as error:
            return _refusal(403, "forbidden", str(error) or "Your role does not allow this.")
        except Http404:
            return _refusal(404, "not_found", "There is nothing here, or it is not yours to see.")
        except UserError as error:
            return error_response(error)
        except UnreadablePostError:
            return _refusal(400, "invalid_body", "The body ended before it was complete; send it again.")

    # Where drf-spectacular looks for the class of a view.
    answered.cls = described_by  # type: ignore[attr-defined]
    answered.initkwargs = {}  # type: ignore[attr-defined]
    return answered


def _refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status, headers=headers)
