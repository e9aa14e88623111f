"""One exception for everything a person can put right, and the one shape errors have over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class UserError(Exception):
    """A request that cannot be carried out, with a sentence the user can act on.

    Parameters
    ----------
    message
        What was wrong and what to do, shown as it is.
    code
        A short machine-readable name, stable across releases.
    fields
        Messages by field or place, where the fault has one.
    status
        The HTTP status of an API answer.

    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid",
        fields: Mapping[str, Any] | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.fields = dict(fields or {})
        self.status = status


def error_body(code: str, message: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The shape of every error answer: `{"error": {"code", "message", "fields"?}}`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = dict(fields)
    return {"error": error}


def error_response(error: UserError) -> JsonResponse:
    """`error` as a JSON answer, for views outside DRF."""
    return JsonResponse(error_body(error.code, error.message, error.fields), status=error.status)


def api_exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, with every error in the one shape."""
    if isinstance(exc, UserError):
        return Response(error_body(exc.code, exc.message, exc.fields), status=exc.status)
    if isinstance(exc, ValidationError):
        detail = exc.detail
        fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
        return Response(error_body("invalid", "Some fields are not valid.", fields), status=400)
    response = exception_handler(exc, context)
    if response is None:
        return None
    if isinstance(exc, Http404):
        code, message = "not_found", "There is nothing here, or it is not yours to see."
    elif isinstance(exc, PermissionDenied):
        code, message = "forbidden", str(exc) or "Your role does not allow this."
    else:
        code = exc.default_code if isinstance(exc, APIException) else "error"
        message = str(getattr(exc, "detail", exc))
    response.data = error_body(code, message)
    return response
