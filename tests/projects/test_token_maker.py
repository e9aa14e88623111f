"""A token that manages can do no more than the person who made it may now."""

from __future__ import annotations

import pytest

from projects.models import Membership, Role, Scope
from tests.api.calls import Calls, refused
from tests.factories import make_member, make_user

pytestmark = pytest.mark.django_db

MANAGING = ("models/", "assessment/close/", "assessment/rounds/", "assessment/board/", "rollback/")


@pytest.fixture
def maker(team):
    return make_member(team, make_user("mara"), Role.MAINTAINER)


@pytest.fixture
def api(project, maker):
    return Calls(project, actor=maker.user)


def leave(maker):
    Membership.objects.filter(pk=maker.pk).delete()


def become_a_viewer(maker):
    Membership.objects.filter(pk=maker.pk).update(role=Role.VIEWER)


def be_shut_out(maker):
    maker.user.is_active = False
    maker.user.save()


def test_it_manages_while_its_maker_may(api, project):
    model = {"name": "M", "spec": {"steps": [{"use": "linear_model.LogisticRegression"}]}}
    assert api.post("models/", model).status_code == 201
    refused(api.post("assessment/close/"), 409, code="not_open")


@pytest.mark.parametrize("lose", [leave, become_a_viewer, be_shut_out])
def test_it_no_longer_manages_once_they_may_not(api, maker, lose):
    lose(maker)
    for path in MANAGING:
        assert "any more" in refused(api.post(path, {}), 403)["message"], path
    assert api.get("assessment/").status_code == 200
    assert api.post("events/", {"features": {"x": 1}}).status_code == 200


def test_an_expert_made_of_a_maintainer_still_answers(api, maker):
    Membership.objects.filter(pk=maker.pk).update(role=Role.EXPERT)
    assert api.put("assessment/scope/", {"current": {"values": {"people": 3}}}).status_code == 200
    refused(api.post("assessment/experts/", {"guest": "Ana"}), 403)


def test_a_superuser_needs_no_team(project):
    root = make_user("root", is_superuser=True)
    refused(Calls(project, Scope.MANAGE, actor=root).post("assessment/close/"), 409, code="not_open")
