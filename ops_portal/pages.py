"""Pages that belong to no app: signing in and out, health."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LoginView, LogoutView
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from sesame.utils import get_user

from ops_portal.celery import app as celery_app
from ops_portal.http import safe_next


class SignIn(LoginView):
    """The sign-in page: user name and password, and how to get a one-time link."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Signs out on POST."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """Sign in with a one-time link.

    A GET shows a button and uses nothing up: link previews and prefetching browsers also send GET.
    """
    if request.method != "POST":
        return render(request, "accounts/sign_in_by_link.html", {"token": request.GET.get("sesame", "")})
    # get_user reads the token from the query string only; the form posts it in the body to keep it out of logs.
    user = get_user(request.POST.get("sesame", ""))
    if user is None:
        messages.error(request, "This sign-in link was used already or is too old. Ask for a new one.")
        return redirect("sign_in")
    login(request, user, backend="sesame.backends.ModelBackend")
    return redirect(safe_next(request, settings.LOGIN_REDIRECT_URL))


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Say whether the database and the broker answer; 503 names the one that does not."""
    checks = {"database": _answers(_ask_database), "broker": _answers(_ask_broker)}
    ok = all(checks.values())
    return JsonResponse({"status": "ok" if ok else "unavailable", "checks": checks}, status=200 if ok else 503)


def _answers(ask: object) -> bool:
    try:
        ask()  # type: ignore[operator]
    except Exception:  # noqa: BLE001 - whatever keeps a server from answering, the answer is "not ready"
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    with celery_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
