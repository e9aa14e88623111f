"""The same call made by several at once: one wins, the others are told, and nothing is recorded twice."""

from __future__ import annotations

from collections import Counter

import pytest

from assessments.models import Assessment, Expert, Rating, Round, ShareLink
from assessments.services.panel_rounds import revoke
from assessments.services.sharing import unshare
from projects.models import Activity
from tests.api.calls import Calls, Person
from tests.assessments.test_results import hold_round
from tests.factories import make_project, make_team, make_user
from tests.threads import in_threads

AT_ONCE = 4


@pytest.mark.django_db
def test_what_two_end_at_once_is_recorded_once(project, owner):
    closed = hold_round(project, owner)
    Calls(project, actor=owner).post("assessment/shares/", {"name": "Customer", "days": 7})
    # Each read it before the other wrote.
    links = [ShareLink.objects.select_related("assessment__project").get() for _ in range(2)]
    first = Expert.objects.filter(assessment=closed.assessment_id).first()
    experts = [Expert.objects.get(pk=first.pk) for _ in range(2)]
    for link, expert in zip(links, experts, strict=True):
        unshare(link=link, actor=owner)
        revoke(project=project, expert=expert, actor=owner)
    for pair in (links, experts):
        assert pair[0].revoked_at == pair[1].revoked_at is not None
    verbs = Activity.objects.filter(verb__in=["assessment.unshared", "panel.revoked"]).values_list("verb", flat=True)
    assert sorted(verbs) == ["assessment.unshared", "panel.revoked"]


@pytest.mark.django_db(transaction=True)
def test_a_panel_led_by_several_at_once():
    owner, nora = make_user("olga"), make_user("nora")
    project = make_project(make_team(owner=owner, expert=nora))
    Calls(project, actor=owner).put("assessment/scope/", {"current": {"values": {"people": 3}}})

    def each(make, call):
        callers = [make() for _ in range(AT_ONCE)]
        answers = in_threads(AT_ONCE, lambda number: call(callers[number], number))
        codes = Counter(one.json()["error"]["code"] if one.status_code >= 400 else one.status_code for one in answers)
        assert {one.status_code for one in answers} <= {200, 201, 409}, [one.content for one in answers]
        return codes

    def leading(method, path, body):
        return each(lambda: Calls(project, actor=owner), lambda api, number: getattr(api, method)(path, body(number)))

    def voting(path, body):
        return each(lambda: Person(project, nora), lambda me, number: me.put(path, body(number)))

    others = AT_ONCE - 1
    answered = leading(
        "put",
        "assessment/checklist/monitoring.drift-detector/",
        lambda n: {"value": "no", "comment": str(n), "version": 0},
    )
    assert answered == {200: 1, "answer_conflict": others} and Assessment.objects.count() == 1
    assert leading("post", "assessment/experts/", lambda n: {"member": "nora"}) == {201: 1, "already_invited": others}
    assert leading("post", "assessment/rounds/", lambda n: {}) == {201: 1, "round_open": others}
    said = voting("assessment/ballot/monitoring/", lambda n: {"stance": "rates", "vote": n + 1, "version": 0})
    assert said == {200: 1, "rating_conflict": others} and Rating.objects.count() == 1
    weighed = voting("assessment/ballot/weights/", lambda n: {"points": {"K1": n + 1}, "version": 0})
    assert weighed == {200: 1, "weights_conflict": others}
    assert leading("post", "assessment/rounds/close/", lambda n: None) == {200: 1, "no_round": others}
    changed = leading(
        "put", "assessment/assumptions/", lambda n: {"settings": {"overrun": 1.5 + n}, "reason": "Ours.", "base": 0}
    )
    assert changed == {200: 1, "changed_meanwhile": others}
    assert leading("post", "assessment/close/", lambda n: None) == {200: 1, "not_open": others}
    assert Round.objects.get().seal and Assessment.objects.get().state == Assessment.State.CLOSED
    assert Activity.objects.filter(verb__in=["panel.invited", "round.opened", "round.closed"]).count() == 3
