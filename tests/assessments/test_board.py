"""The statements board: nothing counted before it is closed, no names where it is anonymous, sealed afterwards."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assessments.models import Board, Code, Expert, Reaction, Statement
from assessments.selectors.board import read_board, read_board_for
from assessments.services.board import (
    add_code,
    close_board,
    group,
    open_board,
    react,
    remove_code,
    reword,
    say,
    seal_of_board,
    withdraw,
)
from assessments.services.panel_rounds import invite_guest, invite_member, open_round, revoke
from assessments.services.scope import ProfileDraft, save_profile
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.factories import make_member, make_project, make_user

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def board(project, owner):
    return open_board(project=project, anonymous=True, actor=owner)


@pytest.fixture
def people(project, team, owner, board):
    """Three experts: the owner, Nora by account and Ana by link."""
    nora = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, nora, Role.EXPERT)
    ana = invite_guest(project=project, name="Ana Silva", actor=owner)
    return {
        "owner": invite_member(project=project, user=owner, actor=owner).expert,
        "nora": invite_member(project=project, user=nora, actor=owner).expert,
        "ana": ana.expert,
        "token": ana.token,
    }


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def url(project, name, *args):
    return reverse(f"assessments:{name}", args=[project.slug, *args])


def benefit(expert, text="We found the fault in minutes.", principle="monitoring"):
    return say(expert=expert, principle=principle, kind="benefit", text=text)


def test_what_is_said_is_checked(people):
    expert = people["owner"]
    for fields, message in (
        ({"text": " "}, "in a sentence"),
        ({"text": "x" * 501}, "at most 500"),
        ({"kind": "rumour"}, "benefit or a limitation"),
        ({"principle": "nothing"}, "not in the catalogue"),
    ):
        with pytest.raises(UserError, match=message):
            say(**({"expert": expert, "principle": "testing", "kind": "benefit", "text": "Fine."} | fields))
    benefit(expert)
    with pytest.raises(UserError, match="agree with it instead"):
        benefit(people["nora"], "we found the  fault in minutes.")
    say(expert=people["nora"], principle="monitoring", kind="limitation", text="We found the fault in minutes.")
    assert Statement.objects.count() == 2


def test_others_react_and_authors_reword(people):
    said = benefit(people["owner"])
    with pytest.raises(UserError, match="your own"):
        react(expert=people["owner"], statement=said, value="agree")
    with pytest.raises(UserError, match="Agree, disagree or pass"):
        react(expert=people["nora"], statement=said, value="love")
    with pytest.raises(UserError, match="Only your own"):
        reword(expert=people["nora"], statement=said, text="Mine now.")
    react(expert=people["nora"], statement=said, value="agree")
    react(expert=people["nora"], statement=said, value="disagree")
    assert Reaction.objects.get().value == "disagree"
    react(expert=people["nora"], statement=said, value="")
    assert not Reaction.objects.exists()
    withdraw(expert=people["owner"], statement=said)
    with pytest.raises(UserError, match="withdrawn"):
        react(expert=people["nora"], statement=said, value="agree")
    with pytest.raises(UserError, match="Only your own"):
        reword(expert=people["owner"], statement=said, text="Once more.")


def test_rewording_makes_a_new_statement_and_tells_nobody_whether_somebody_had_reacted(project, people):
    quiet, heard = benefit(people["owner"], "Nobody says a word."), benefit(people["owner"], "Somebody agrees.")
    other = benefit(people["nora"], "Something of Nora's.")
    react(expert=people["ana"], statement=heard, value="agree")

    def seen():
        state = read_board(project)
        own = read_board_for(people["owner"]).of("monitoring").statements
        return state.taking_part, state.total, {(one.mine, one.own_stance, one.agree) for one in own}

    before = seen()
    for number, statement in enumerate((quiet, heard)):
        made = reword(expert=people["owner"], statement=statement, text=f"In other words {number}.")
        assert made.pk != statement.pk and not made.reactions.exists()
        assert seen() == before
    assert read_board_for(people["ana"]).of("monitoring").waiting == 3
    assert reword(expert=people["owner"], statement=made, text="  In other  words 1.").pk == made.pk
    with pytest.raises(UserError, match="stands there already"):
        reword(expert=people["owner"], statement=made, text="something of Nora's.")
    assert reword(expert=people["owner"], statement=made, text="IN OTHER WORDS 1.").text == "IN OTHER WORDS 1."
    assert Statement.objects.filter(withdrawn_at=None).count() == 3
    with pytest.raises(UserError, match="withdrawn"):
        react(expert=people["ana"], statement=heard, value="disagree")
    assert other.withdrawn_at is None


def test_the_form_to_reword_is_there_whatever_others_did(client, project, people, as_owner):
    heard = benefit(people["owner"])
    page = url(project, "board_on", "monitoring")
    before = as_owner.get(page).content.decode()
    react(expert=people["nora"], statement=heard, value="disagree")
    after = as_owner.get(page).content.decode()
    assert before.count('name="reword"') == after.count('name="reword"') == 1
    data = {"statement": heard.pk, "text": "Found in minutes.", "reword": "1"}
    assert as_owner.post(page, data, headers=HTMX).status_code == 200
    assert Statement.objects.get(withdrawn_at=None).text == "Found in minutes."


def test_a_closed_board_is_sealed_and_grouping_goes_on(people, board, owner):
    with pytest.raises(UserError, match="nothing to close"):
        close_board(board=board, actor=owner)
    said = benefit(people["owner"])
    react(expert=people["nora"], statement=said, value="agree")
    closed = close_board(board=board, actor=owner)
    for change in (
        lambda: benefit(people["nora"], "Too late."),
        lambda: react(expert=people["ana"], statement=said, value="agree"),
        lambda: withdraw(expert=people["owner"], statement=said),
        lambda: reword(expert=people["owner"], statement=said, text="Too late."),
        lambda: close_board(board=board, actor=owner),
    ):
        with pytest.raises(UserError, match="sealed"):
            change()
    code = add_code(board=closed, name="Speed", actor=owner)
    group(statement=said, code=code, actor=owner)
    assert seal_of_board(closed) == closed.seal
    Reaction.objects.update(value="disagree")
    assert seal_of_board(closed) != closed.seal


def test_who_was_taken_off_is_left_out(project, people, board, owner):
    mine, theirs = benefit(people["owner"]), benefit(people["nora"], "Nora's.")
    react(expert=people["nora"], statement=mine, value="disagree")
    react(expert=people["ana"], statement=mine, value="agree")
    revoke(project=project, expert=people["nora"], actor=owner)
    with pytest.raises(UserError, match="no longer holds"):
        benefit(people["nora"], "Still here.")
    close_board(board=board, actor=owner)
    section = read_board(project).of("monitoring")
    assert [(one.pk, one.agree, one.disagree) for one in section.statements] == [(mine.pk, 1, 0)]
    assert theirs.pk not in [one.pk for one in section.statements]
    assert read_board(project).invited == 2


def test_codes_are_made_once_and_removing_one_keeps_statements(project, people, board, team, owner):
    said = benefit(people["owner"])
    code = add_code(board=board, name="  Fewer   faults ", actor=owner)
    assert add_code(board=board, name="fewer faults", actor=owner) == code
    with pytest.raises(UserError):
        add_code(board=board, name=" ", actor=owner)
    group(statement=said, code=code, actor=owner)
    other = open_board(project=make_project(team, name="Other"), anonymous=True, actor=owner)
    with pytest.raises(UserError, match="another board"):
        group(statement=said, code=add_code(board=other, name="Else", actor=owner), actor=owner)
    remove_code(code=code, actor=owner)
    said.refresh_from_db()
    assert said.code is None
    assert Activity.objects.filter(verb="board.grouped").count() == 1


def test_no_count_and_no_name_is_sent_before_the_board_is_closed(client, project, people, board, owner):
    said = benefit(people["nora"], "ZEBRA")
    for name in ("owner", "ana"):
        react(expert=people[name], statement=said, value="agree")
    client.force_login(owner)
    pages = [url(project, "board"), url(project, "board_on", "monitoring"), url(project, "vote_start")]
    pages.append(url(project, "guest_board_on", people["token"], "monitoring"))
    for page in pages:
        html = client.get(page).content.decode()
        assert "2 agree" not in html and 'data-label="Agree"' not in html, page
        assert "Nora" not in html or page == url(project, "experts"), page
    state = read_board(project)
    assert {(one.agree, one.disagree, one.passed) for s in state.sections for one in s.statements} == {(None,) * 3}
    for name in ("board_csv", "board_json"):
        assert client.get(url(project, name)).status_code == 404
    assert not Activity.objects.filter(summary__contains="ZEBRA").exists()
    close_board(board=board, actor=owner)
    assert "2 agree, 0 disagree, 0 pass" in client.get(pages[1]).content.decode()
    assert "Nora" not in client.get(url(project, "board")).content.decode()
    exported = client.get(url(project, "board_json")).json()
    assert [(one["statement"], one["agree"], one["expert"]) for one in exported["statements"]] == [("ZEBRA", 2, "")]
    assert "Nora" not in str(exported)


def test_an_open_board_shows_names_and_says_so_before(client, project, owner):
    open_board(project=project, anonymous=False, actor=owner)
    expert = invite_member(project=project, user=owner, actor=owner).expert
    client.force_login(owner)
    assert "It is shown with your name" in client.get(url(project, "board_on", "monitoring")).content.decode()
    benefit(expert)
    assert ">olga</span>" in client.get(url(project, "board")).content.decode()


def test_the_board_is_as_anonymous_as_the_rounds(project, owner):
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 3.0}), measured=None, actor=owner)
    invite_member(project=project, user=owner, actor=owner)
    open_round(project=project, actor=owner, anonymous=True)
    assert open_board(project=project, anonymous=False, actor=owner).anonymous


def test_html_and_formulas_in_statements_stay_text(as_owner, project, people, board, owner):
    nasty = '<script>alert(1)</script> & "quotes" \''
    data = {"say": "1", "kind": "benefit", "text": nasty}
    assert as_owner.post(url(project, "board_on", "monitoring"), data).status_code == 302
    as_owner.post(url(project, "board_on", "monitoring"), data | {"kind": "limitation", "text": "=HYPERLINK(1)"})
    as_owner.post(url(project, "code_add"), {"name": "<img src=x>"})
    for page in (url(project, "board"), url(project, "guest_board_on", people["token"], "monitoring")):
        html = as_owner.get(page).content.decode()
        assert "&lt;script&gt;alert(1)" in html and "<script>alert" not in html and "<img src=x" not in html
    close_board(board=board, actor=owner)
    text = as_owner.get(url(project, "board_csv")).content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["statement"] for row in rows] == [nasty, "'=HYPERLINK(1)"]
    exported = as_owner.get(url(project, "board_json")).json()
    assert [one["statement"] for one in exported["statements"]] == [nasty, "=HYPERLINK(1)"]


def test_experts_write_react_and_withdraw_on_pages(as_owner, client, project, people, board):
    page = url(project, "board_on", "monitoring")
    html = as_owner.get(page).content.decode()
    assert not re.search(r'type="radio"[^>]*checked', html)
    refused = as_owner.post(page, {"say": "1", "text": "No kind given"})
    assert refused.status_code == 422 and "No kind given" in refused.content.decode()
    assert as_owner.post(page, {"say": "1", "kind": "benefit", "text": "Good."}).status_code == 302
    said = Statement.objects.get()
    guest = url(project, "guest_board_on", people["token"], "monitoring")
    data = {"statement": said.pk, f"stance-{said.pk}": "disagree"}
    answer = client.post(guest, data, headers=HTMX)
    assert answer.status_code == 200 and "<html" not in answer.content.decode() and "Saved" in answer.content.decode()
    assert Reaction.objects.get().expert == people["ana"]
    own = as_owner.post(page, data, headers=HTMX)
    assert own.status_code == 422 and "your own statement" in own.content.decode()
    assert as_owner.post(page, {"statement": said.pk, "withdraw": "1"}).status_code == 302
    assert "Nothing yet about" in as_owner.get(page).content.decode()
    assert as_owner.post(page, {"statement": "99999"}).status_code == 404
    assert as_owner.post(page, {"statement": "x"}).status_code == 404


def test_expired_links_other_teams_and_other_boards_stay_out(client, project, team, people, board, owner):
    said = benefit(people["owner"])
    page = url(project, "guest_board_on", people["token"], "monitoring")
    other = make_project(team, name="Other")
    assert client.get(url(other, "guest_board_on", people["token"], "monitoring")).status_code == 404
    other_board = open_board(project=other, anonymous=True, actor=owner)
    stranger = invite_guest(project=other, name="Ben", actor=owner)
    theirs = url(other, "guest_board_on", stranger.token, "monitoring")
    assert client.post(theirs, {"statement": said.pk, f"stance-{said.pk}": "agree"}).status_code == 404
    Expert.objects.filter(pk=people["ana"].pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    assert client.get(page).status_code == 410
    assert client.post(page, {"say": "1", "kind": "benefit", "text": "Late."}).status_code == 410
    assert other_board.statements.count() == 0 and Statement.objects.count() == 1
    client.force_login(make_user("outsider"))
    assert client.get(url(project, "board")).status_code == 404
    assert client.get(url(project, "board_on", "monitoring")).status_code == 404


def test_who_may_do_what(client, project, team, people, board, owner):
    said = benefit(people["owner"])
    code = add_code(board=board, name="Speed", actor=owner)
    viewer = make_user("viewer")
    make_member(team, viewer, Role.VIEWER)
    client.force_login(viewer)
    assert client.get(url(project, "board")).status_code == 200
    for name, args in (
        ("board_close", ()),
        ("code_add", ()),
        ("code_remove", (code.pk,)),
        ("statement_group", (said.pk,)),
    ):
        assert client.post(url(project, name, *args)).status_code == 403, name
    assert client.get(url(project, "board_on", "monitoring")).status_code == 403
    client.force_login(owner)
    assert client.post(url(project, "statement_group", said.pk), {"code": code.pk}, headers=HTMX).status_code == 204
    said.refresh_from_db()
    assert said.code == code
    assert client.post(url(project, "code_add"), {"name": ""}).status_code == 422
    assert client.post(url(project, "code_remove", code.pk)).status_code == 302
    assert not Code.objects.exists()
    assert client.post(url(project, "board_close")).status_code == 302
    html = client.get(url(project, "board")).content.decode()
    assert "holds: nothing was changed since" in html
    assert not Board.objects.get().is_open


def test_pages_without_a_board_say_what_to_do(as_owner, project, owner):
    assert "Open the board" in as_owner.get(url(project, "board")).content.decode()
    invite_member(project=project, user=owner, actor=owner)
    assert "not open yet" in as_owner.get(url(project, "board_on", "monitoring")).content.decode()
    assert as_owner.post(url(project, "board_open"), {"anonymous": "on"}).status_code == 302
    assert Board.objects.get().anonymous
    assert as_owner.post(url(project, "board_open"), follow=True).status_code == 200
    first = as_owner.get(url(project, "expert_board"))
    assert first["Location"] == url(project, "board_on", "versioning")


def test_the_board_reads_a_fixed_number_of_queries(as_owner, project, people, board, django_assert_max_num_queries):
    for number in range(12):
        said = benefit(people["owner"], f"Statement {number}")
        react(expert=people["nora"], statement=said, value="pass")
    with django_assert_max_num_queries(6):
        assert read_board(project).total == 12
