"""Fixtures for every test."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from projects.doorbell import Doorbell
from tests.factories import make_project, make_team, make_user


def pytest_addoption(parser):
    parser.addoption(
        "--database-only", action="store_true", help="leave out tests that pytest-django lets reach no database"
    )


def pytest_collection_modifyitems(config, items):
    if config.getoption("database_only"):
        left_out = [item for item in items if not may_reach_the_database(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if may_reach_the_database(item)]


def pytest_collection_finish(session):
    """What was imported and collected stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def may_reach_the_database(item):
    """Say whether a test asks for a database, by its mark or a fixture; to any other one pytest-django refuses it."""
    asked = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(asked) or item.get_closest_marker("django_db") is not None


@pytest.fixture(scope="session", autouse=True)
def static_root():
    """WhiteNoise warns, and warnings are errors here, when the directory of collected files does not exist."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def quick_flush():
    """After a test that commits, tables are emptied by DELETE: TRUNCATE makes new files for all of them."""
    ops = connection.ops
    if connection.vendor == "postgresql":
        ops.sql_flush = lambda style, tables, **options: [f"DELETE FROM {ops.quote_name(name)}" for name in tables]


@pytest.fixture(autouse=True)
def rung(request, monkeypatch):
    """No test rings a real broker by accident; what would have been rung is in this list.

    Tests marked `worker` bring a broker of their own and get None.
    """
    if "worker" in request.keywords:
        return None
    rings: list[tuple[str, tuple, dict]] = []

    def send_task(name, args=(), kwargs=None, **options):
        rings.append((name, tuple(args or ()), options))

    def apply_async(task, args=(), kwargs=None, **options):
        send_task(task.name, args, kwargs, **options)

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send_task)
    monkeypatch.setattr("projects.doorbell._doorbell", Doorbell())  # one that has not rung just now
    monkeypatch.setattr("celery.app.task.Task.apply_async", apply_async)
    return rings


@pytest.fixture(scope="module")
def kept_rows(django_db_setup, django_db_blocker):
    """For what takes long to make: rows that a module's tests share, while what each of them changes is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def kept_project(kept_rows):
    """The project that a module's tests share; its team has one member, the owner."""
    return make_project(make_team("Fraud desk", owner=make_user("olga")), name="Phishing pages")


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests that need one."""
    from playwright.sync_api import sync_playwright

    from tests.run import CHROMIUM, which_browser

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # While Playwright is there, Django takes this thread for one that must not wait for a database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = playwright.chromium.launch(executable_path=which_browser(), args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture
def owner(db):
    return make_user("olga")


@pytest.fixture
def team(owner):
    return make_team("Fraud desk", owner=owner)


@pytest.fixture
def project(team):
    return make_project(team, name="Phishing pages")
