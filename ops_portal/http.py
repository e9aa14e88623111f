"""Small pieces every view shares: errors as messages, htmx-aware redirects, what every page knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from ops_portal.errors import UserError, error_response


def see_other(request: HttpRequest, to: str, *args: Any) -> HttpResponse:
    """Send the browser to `to` (a URL or a URL name), whether it asked by htmx or by itself."""
    response = redirect(to, *args)
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(response["Location"])
    return response


def safe_next(request: HttpRequest, default: str) -> str:
    """The page named by `next` in the request when it is one of ours, else `default`."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    allowed = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if target and allowed else default


class UserErrorMiddleware:
    """Turns a `UserError` that no view caught into a message on the page the user came from, or into JSON.

    Also sends the whole page to sign in where only a fragment was asked for after the session had ended.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A fragment that was asked for after the session has ended: the whole page goes to sign in, not the fragment.
        to = response.get("Location", "")
        if getattr(request, "htmx", False) and to.startswith(resolve_url(settings.LOGIN_URL)):
            return HttpResponseClientRedirect(to)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, UnreadablePostError):
            exception = UserError("The request ended before it was complete; send it again.", code="invalid_body")
        if not isinstance(exception, UserError):
            return None
        if request.path.startswith("/api/"):
            return error_response(exception)
        messages.error(request, exception.message)
        back = request.headers.get("Referer", "")
        allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        target = back if back and allowed else "/"
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(target)
        return HttpResponseRedirect(target)


def portal_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may use."""
    return {"portal_version": settings.VERSION}
