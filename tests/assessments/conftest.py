"""What tests of assessments start from: a panel's first steps, and a browser window for those that need one."""

from __future__ import annotations

import pytest
from django.test import Client

from assessments.services.panel_rounds import invite_member
from assessments.services.scope import ProfileDraft, save_profile


@pytest.fixture
def scoped(project, owner):
    """The project with its scope described."""
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 3.0}, True), measured=None, actor=owner)
    return project


@pytest.fixture
def expert(scoped, owner):
    """The owner, invited."""
    return invite_member(project=scoped, user=owner, actor=owner).expert


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def window(browser, live_server):
    """Opens a signed-in window for a person, or a stranger's for None; a page error of its own fails the test."""
    problems, opened = [], []

    def open_for(user, **options):
        context = browser.new_context(base_url=live_server.url, **options)
        opened.append(context)
        if user:
            client = Client()
            client.force_login(user)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.type}"), dialog.accept()))
        return page

    yield open_for
    for context in opened:
        context.close()
    assert not problems
