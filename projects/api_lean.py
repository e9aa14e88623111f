"""API calls as plain Django views, for the few where DRF's share of the time counts: events, labels, predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.views import APIView

from ops_portal.errors import UserError, error_body, error_response
from ops_portal.group_commit import GroupCommit
from projects.access import Caller, api_project
from projects.api_auth import authorization_of, identify

P = ParamSpec("P")
Job = TypeVar("Job")
Result = TypeVar("Result")
LeanView = Callable[Concatenate[HttpRequest, Caller, P], HttpResponse]


def lean_call(scope: str, described_by: type[APIView]) -> Callable[[LeanView[P]], Callable[..., HttpResponse]]:
    """Decorate a plain POST view of the API, `view(request, caller, ...)`, that needs `scope`.

    `described_by` is a class of DRF whose `post` is never called: the OpenAPI description is made from it. Errors have
    the one shape. The view is exempt from Django's own CSRF check because `identify` does it for sessions.
    """

    def decorate(view: LeanView[P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return view(request, _identified(request, slug, scope), *args, **kwargs)

        return _answering(checked, described_by)

    return decorate


def shared_lean_call(
    scope: str,
    described_by: type[APIView],
    answer: Callable[[Sequence[tuple[Caller, Job]]], Sequence[Result | Exception]],
) -> Callable[[Callable[[HttpRequest, Callable[[Job], Result]], HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view like those of `lean_call` whose calls, when they come at the same time, are answered together.

    The view is called as `view(request, ask)`: it reads the request, asks `ask(job)` and makes the response of the
    result. Asked together, calls share the check of their token, where it is the same, and all that `answer` does for
    a list of jobs. The check still happens after each of them came, so a revoked token is refused at once.
    """

    def carry_out(calls: Sequence[_Call[Job]]) -> Sequence[Result | Exception]:
        callers: dict[tuple[str, str], Caller | Exception] = {}
        for call in calls:
            if call.who not in callers:
                try:
                    callers[call.who] = _identified(call.request, call.slug, scope)
                except (AuthenticationFailed, PermissionDenied, Http404) as refused:
                    callers[call.who] = refused
        outcomes: list[Any] = [callers[call.who] for call in calls]
        known = [number for number, caller in enumerate(outcomes) if isinstance(caller, Caller)]
        results = answer([(outcomes[number], calls[number].job) for number in known]) if known else ()
        for number, result in zip(known, results, strict=True):
            outcomes[number] = result
        return outcomes

    together = GroupCommit(carry_out)

    def decorate(
        view: Callable[[HttpRequest, Callable[[Job], Result]], HttpResponse],
    ) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, slug: str) -> HttpResponse:
            if authorization := authorization_of(request):
                return view(request, lambda job: together.call(_Call(request, slug, (authorization, slug), job)))
            caller = _identified(request, slug, scope)  # a session: what says who calls is not in one header

            def ask(job: Job) -> Result:
                result = answer([(caller, job)])[0]
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


def _identified(request: HttpRequest, slug: str, scope: str) -> Caller:
    identify(request)
    return api_project(request, slug, scope)


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

    # Where drf-spectacular looks for the class of a view.
    answered.cls = described_by  # type: ignore[attr-defined]
    answered.initkwargs = {}  # type: ignore[attr-defined]
    return answered


def _refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status, headers=headers)
