"""What every view shares: errors that reach the user, and sessions that end while a page is open."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db


def test_a_fragment_asked_for_after_the_session_has_ended_sends_the_page_to_sign_in(client) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer["HX-Redirect"].startswith("/sign-in/?next=")


def test_without_htmx_it_is_a_plain_redirect(client) -> None:
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/?next=")


def test_health_says_what_is_missing(client) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    answer = client.get("/health/ready")
    assert answer.json()["checks"]["database"] is True
