"""A WSGI application in front of Django's, for the few API calls that come thousands of times a second.

Such a call is a POST with a bearer token: sessions, messages, CSRF, static files and the rest of the middleware have no
say in it, yet cost most of its time. It goes straight to the view that Django's own URLs name too; everything else, and
the same call made with a session, goes to Django (decision 6).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from http.client import responses
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse

from ops_portal.errors import error_body
from ops_portal.rate import refuse
from ops_portal.wsgi_bodies import WHOLE, Body, Environ

StartResponse = Callable[..., Any]
WSGIApplication = Callable[[Environ, StartResponse], Iterable[bytes]]
View = Callable[[HttpRequest, str], HttpResponse]

log = logging.getLogger("django.request")

PREFIX = "/api/v1/projects/"


class LeanFront:
    """Sends `POST /api/v1/projects/<slug>/<call>/` with a bearer token to its view, the rest to Django.

    Parameters
    ----------
    django
        Django's own WSGI application.
    views
        The views by the last part of their address. Each answers its own errors and checks who calls.

    """

    def __init__(self, django: WSGIApplication, views: Mapping[str, View]) -> None:
        self._django = django
        self._views = dict(views)
        self._https = settings.SECURE_SSL_REDIRECT
        self._headers = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", settings.SECURE_REFERRER_POLICY)]
        if settings.SECURE_HSTS_SECONDS:
            self._headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        body = Body(environ)
        answer = self._answer(environ, start_response, body)
        body.drain()
        return answer

    def _answer(self, environ: Environ, start_response: StartResponse, body: Body) -> Iterable[bytes]:
        found = self._find(environ)
        if found is None:
            if body.chunked and not self._streams(environ["PATH_INFO"]) and not body.give_length():
                told = error_body("length_required", f"Bodies over {WHOLE >> 20} MB must say their Content-Length.")
                return self._send(JsonResponse(told, status=411), start_response)
            return self._django(environ, start_response)
        view, slug = found
        request = WSGIRequest(environ)
        if self._https and not request.is_secure():
            return self._django(environ, start_response)
        try:
            response = refuse(environ["HTTP_AUTHORIZATION"]) or view(request, slug)
        except Exception:
            log.exception("%s failed", request.path)
            close_old_connections()  # only those that the failure left unusable
            told = error_body("server_error", "Something went wrong on our side; it was logged.")
            response = JsonResponse(told, status=500)
        return self._send(response, start_response)

    def _send(self, response: HttpResponse, start_response: StartResponse) -> Iterable[bytes]:
        status = response.status_code
        content = response.content
        headers = [*response.items(), ("Content-Length", str(len(content))), *self._headers]
        start_response(f"{status} {responses.get(status, '')}", headers)
        return [content]

    def _streams(self, path: str) -> bool:
        """Whether a view reads its body in pieces, also when a session calls it."""
        return path.startswith(PREFIX) and path.rstrip("/").rpartition("/")[2] in self._views

    def _find(self, environ: Environ) -> tuple[View, str] | None:
        """The view and the slug that a request asks for, if it is one of these calls."""
        path: str = environ["PATH_INFO"]
        if not path.startswith(PREFIX) or environ["REQUEST_METHOD"] != "POST":
            return None
        if environ.get("HTTP_AUTHORIZATION", "")[:7].lower() != "bearer ":
            return None
        slug, _, name = path[len(PREFIX) :].partition("/")
        view = self._views.get(name[:-1]) if name.endswith("/") else None
        return None if view is None or not slug.isascii() else (view, slug)
