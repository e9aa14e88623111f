"""API calls as plain Django views, for the few where DRF's share of the time counts: events, labels, predictions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.views import APIView

from ops_portal.errors import UserError, error_body, error_response
from projects.access import Caller, api_project
from projects.api_auth import identify

P = ParamSpec("P")
LeanView = Callable[Concatenate[HttpRequest, Caller, P], HttpResponse]


def lean_call(scope: str, described_by: type[APIView]) -> Callable[[LeanView[P]], Callable[..., HttpResponse]]:
    """Decorate a plain POST view of the API, `view(request, caller, ...)`, that needs `scope`.

    `described_by` is a class of DRF whose `post` is never called: the OpenAPI description is made from it. Errors have
    the one shape. The view is exempt from Django's own CSRF check because `identify` does it for sessions.
    """

    def decorate(view: LeanView[P]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def checked(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method != "POST":
                return _refusal(405, "method_not_allowed", "Use POST.", {"Allow": "POST"})
            try:
                identify(request)
                return view(request, api_project(request, slug, scope), *args, **kwargs)
            except AuthenticationFailed as error:
                return _refusal(401, "authentication_failed", str(error.detail), {"WWW-Authenticate": "Bearer"})
            except PermissionDenied as error:
                return _refusal(403, "forbidden", str(error) or "Your role does not allow this.")
            except Http404:
                return _refusal(404, "not_found", "There is nothing here, or it is not yours to see.")
            except UserError as error:
                return error_response(error)

        # Where drf-spectacular looks for the class of a view.
        checked.cls = described_by  # type: ignore[attr-defined]
        checked.initkwargs = {}  # type: ignore[attr-defined]
        return checked

    return decorate


def _refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status, headers=headers)
