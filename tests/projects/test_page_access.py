"""Who may see and do what: every address of this app, every role, both methods."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from projects import api_urls, urls
from projects.models import ApiToken, Role
from projects.services import imports
from tests.factories import make_events, make_member, make_token, make_user

pytestmark = pytest.mark.django_db

#: Who may GET and who may POST: a role and those above it, None where the method is not taken.
PROJECT_PAGES = {
    "settings": (Role.VIEWER, Role.MAINTAINER),
    "archive": (Role.OWNER, Role.OWNER),
    "unarchive": (Role.OWNER, Role.OWNER),
    "token_create": (Role.OWNER, Role.OWNER),
    "token_revoke": (Role.OWNER, Role.OWNER),
    "data": (Role.VIEWER, None),
    "event": (Role.VIEWER, None),
    "labels": (Role.VIEWER, Role.MAINTAINER),
    "labels_discard": (None, Role.MAINTAINER),
    "activity": (Role.VIEWER, None),
    "import_file": (Role.MAINTAINER, Role.MAINTAINER),
    "import_bundled": (Role.MAINTAINER, Role.MAINTAINER),
    "import_synthetic": (Role.MAINTAINER, Role.MAINTAINER),
    "import_rate": (None, Role.MAINTAINER),
    "import": (Role.VIEWER, None),
    "import_preview": (Role.MAINTAINER, Role.MAINTAINER),
    "import_pause": (None, Role.MAINTAINER),
    "import_resume": (None, Role.MAINTAINER),
    "import_cancel": (Role.MAINTAINER, Role.MAINTAINER),
    "import_rejected": (Role.VIEWER, None),
    "import_discard": (None, Role.MAINTAINER),  # last: it ends the others
}
TEAM_PAGES = {
    "team": (Role.VIEWER, Role.OWNER),
    "member_add": (Role.OWNER, Role.OWNER),
    "member_role": (None, Role.OWNER),
    "member_link": (None, Role.OWNER),
    "member_remove": (Role.OWNER, Role.OWNER),
}
#: For everybody who is signed in.
PERSONAL_PAGES = {"create", "team_list", "team_create", "account", "account_password"}

ROLES = [Role.VIEWER, Role.EXPERT, Role.MAINTAINER, Role.OWNER]


def test_every_page_is_in_these_lists():
    assert {pattern.name for pattern in urls.urlpatterns} == {*PROJECT_PAGES, *TEAM_PAGES, *PERSONAL_PAGES}
    assert {pattern.name for pattern in api_urls.urlpatterns} == {"project", "events", "labels"}


@pytest.fixture
def addresses(project, team, owner):
    """An address of every page that belongs to a project or team, with something behind it."""
    make_events(project, 3)
    make_token(project, actor=owner)
    raw = SimpleUploadedFile("rows.csv", b"x,label\n1,yes\n")
    data_import = imports.upload_file(project=project, actor=owner, file=raw)
    member = make_member(team, make_user())
    keys = {
        "event": project.events.first().pk,
        "token_revoke": ApiToken.objects.get().pk,
        **{name: data_import.pk for name in PROJECT_PAGES if name.startswith("import") and name != "import_file"},
        **{name: member.pk for name in TEAM_PAGES if name not in {"team", "member_add"}},
    }
    keys.pop("import_bundled")
    keys.pop("import_synthetic")
    slugs = dict.fromkeys(PROJECT_PAGES, project.slug) | dict.fromkeys(TEAM_PAGES, team.slug)
    return {
        name: reverse(f"projects:{name}", args=[slug, *([keys[name]] if name in keys else [])])
        for name, slug in slugs.items()
    }


def expected(allowed, role):
    """The status family a role is to see: 403, 405, or anything that is not a refusal."""
    if allowed is None:
        return "405"
    if role is None:
        return "404"
    return "ok" if ROLES.index(role) >= ROLES.index(allowed) else "403"


def seen(response):
    status = response.status_code
    if status in {403, 404, 405}:
        return str(status)
    assert status in {200, 302, 409, 422}, (status, response.content[:500])
    return "ok"


@pytest.mark.parametrize("role", [None, *ROLES], ids=lambda role: role or "outsider")
def test_each_role_sees_and_does_what_it_may(client, team, addresses, role):
    for name, (get, post) in {**PROJECT_PAGES, **TEAM_PAGES}.items():
        user = make_user()
        if role:
            make_member(team, user, role)
        client.force_login(user)
        assert seen(client.get(addresses[name])) == expected(get, role), f"GET {name}"
        assert seen(client.post(addresses[name])) == expected(post, role), f"POST {name}"


def test_who_is_not_signed_in_is_asked_to(client, addresses):
    for name, address in addresses.items():
        for method, allowed in zip((client.get, client.post), {**PROJECT_PAGES, **TEAM_PAGES}[name], strict=True):
            response = method(address)
            if allowed is not None:
                assert response.status_code == 302, name
                assert response["Location"].startswith("/sign-in/"), name
    for name in PERSONAL_PAGES:
        assert client.get(reverse(f"projects:{name}"))["Location"].startswith("/sign-in/"), name


def test_pages_of_ones_own_are_there_for_everybody(client):
    client.force_login(make_user())
    for name in PERSONAL_PAGES:
        assert client.get(reverse(f"projects:{name}")).status_code == 200, name


def test_what_belongs_to_another_project_is_not_found(client, owner, project, team, addresses):
    client.force_login(owner)
    other = team.projects.create(name="Other", slug="other", task="binary", label_name="y", primary_metric="F1")
    for name in ("event", "token_revoke", "import", "import_preview", "import_cancel", "import_rejected"):
        address = addresses[name].replace(project.slug, other.slug)
        assert client.get(address).status_code == 404, name


def test_everybody_may_leave(client, team, addresses):
    viewer = make_member(team, make_user(), Role.VIEWER)
    client.force_login(viewer.user)
    address = reverse("projects:member_remove", args=[team.slug, viewer.pk])
    assert client.get(address).status_code == 200
    assert client.post(address)["Location"] == reverse("projects:team_list")
    assert not team.memberships.filter(pk=viewer.pk).exists()
