"""While a round or the board is open, no page, export, call or log differs by what somebody says."""

from __future__ import annotations

import io
import re
from functools import cache

import pytest
from pypdf import PdfReader

from assessments.models import Rating, Reaction, Weights
from assessments.principles import load_catalogue
from assessments.services.board import add_code, open_board, react
from assessments.services.board import say as say_on_board
from assessments.services.panel_ratings import save_weights
from assessments.services.panel_results import work_out
from assessments.services.panel_rounds import invite_guest, invite_member, open_round
from assessments.services.sharing import share
from ops_portal.paper import make_pdf
from projects.models import Activity, Role, Scope
from tests.assessments.ballots import say
from tests.assessments.test_results import hold_round
from tests.browser.routes import all_routes
from tests.factories import make_member, make_token, make_user

pytestmark = pytest.mark.django_db

#: Calls that change nothing although they are no GET, with what is asked.
ASKED = {
    "assessment/1/rounds/1/what-if/": {"worth": 100},
    "assessment/1/rounds/3/what-if/": {"worth": 100},
    "assessment/scope/preview/": {"current": {"values": {"people": 9}}},
}
NOT_YET = {f"assessment/1/rounds/3/{part}" for part in ("", "report.pdf", "export.csv", "what-if/")}
NOT_YET |= {"assessment/compare/?before=1.1&after=1.3"}

#: What differs between any two answers: tokens against forgery, nonces, times that go on, random ids of parts.
PASSING = re.compile(
    rb'csrf[^>]{0,200}?value="[^"]+"|data-csrf="[^"]+"|nonce="?[\w+/=-]+"?|<time.*?</time>|"(at|now)": ?"[^"]+"',
    re.S,
)

CALLS = (
    "",
    "assessment/",
    "assessment/rounds/",
    "assessment/1/rounds/1/",
    "assessment/1/rounds/1/report.pdf",
    "assessment/1/rounds/1/export.csv",
    "assessment/1/rounds/3/",
    "assessment/1/rounds/3/report.pdf",
    "assessment/1/rounds/3/export.csv",
    "assessment/scope/",
    "assessment/checklist/",
    "assessment/checklist/?principle=monitoring",
    "assessment/assumptions/",
    "assessment/compare/",
    "assessment/compare/?before=1.1&after=1.3",
    "assessment/plan/",
    "assessment/plan/monitoring/",
    "assessment/shares/",
    "assessment/experts/",
    "assessment/rounds/open/",
    "assessment/ballot/",
    "assessment/board/",
    "assessment/board/statements/",
)


@pytest.fixture
def panel(project, team, owner):
    """Two closed rounds, and an open one in which Nora has answered everything and reacted on the board."""
    nora = make_user("nora", first_name="Nora", last_name="Lind")
    make_member(team, nora, Role.EXPERT)
    bea, vera = make_user("bea"), make_user("vera")
    make_member(team, bea, Role.EXPERT)
    make_member(team, vera, Role.VIEWER)
    first = hold_round(project, owner)
    work_out(first.pk)
    work_out(hold_round(project, owner, votes=(6, 8, 9)).pk)
    people = {
        "owner": invite_member(project=project, user=owner, actor=owner).expert,
        "nora": invite_member(project=project, user=nora, actor=owner).expert,
    }
    people |= {"viewer": vera, "expert": invite_member(project=project, user=bea, actor=owner).expert.user}
    people["token"] = invite_guest(project=project, name="Ana Silva", actor=owner).token
    people["shared"] = share(assessment=first.assessment, name="Customer", days=7, actor=owner).token
    open_round(project=project, actor=owner)
    board = open_board(project=project, anonymous=True, actor=owner)
    said = {"principle": "monitoring", "kind": "benefit", "text": "It woke us."}
    people["statement"] = say_on_board(expert=people["owner"], **said)
    add_code(board=board, name="Effort", actor=owner)
    speak(people["nora"], people["statement"], 1)
    return people


def speak(nora, statement, vote):
    """Say everything there is to say, at one end of every scale; nobody else must be able to tell which."""
    for principle in load_catalogue().principles:
        level = 0 if vote == 1 else 4
        light = dict.fromkeys(principle.light.serves, level) if principle.light else {}
        base = Rating.objects.filter(round__state="open", expert=nora, principle=principle.slug).first()
        say(
            nora,
            principle.slug,
            base=base.version if base else 0,
            vote=vote,
            benefits=dict.fromkeys(principle.serves, level),
            effort=(vote, vote, vote),
            light_benefits=light,
            light_effort=(vote / 2,) * 3 if principle.light else (None, None, None),
            confidence="low" if vote == 1 else "high",
            reason=f"ZEBRA {vote}",
            evidence_url=f"https://zebra.example/{vote}",
        )
    save_weights(expert=nora, points=dict.fromkeys(load_catalogue().benefit_keys, vote))
    react(expert=nora, statement=statement, value="disagree" if vote == 1 else "agree")
    # The time of saving is shown to the facilitator, whatever was said.
    moment = Rating.objects.order_by("pk").first().saved_at
    for model in (Rating, Weights, Reaction):
        model.objects.update(saved_at=moment)


def addresses(project, panel):
    """Every address of the project that a GET can read, as far as its arguments are known here."""
    known = {"slug": project.slug, "principle": "monitoring", "number": 1, "assessment": 1, "team": project.team.slug}
    known |= {"factor": "people", "statement": panel["statement"].pk, "form": "csv"}
    for route in all_routes():
        token = panel["shared"] if "shared" in route.name else panel["token"]
        try:
            yield route.name, route.address(known | {"token": token})
        except AssertionError:
            continue
    yield from calls(project)
    yield "metrics", "/metrics"


def calls(project):
    """Every address of the API that can be read."""
    return [(call, f"/api/v1/projects/{project.slug}/{call}") for call in (*CALLS, *ASKED)]


@pytest.fixture
def printed_once(monkeypatch):
    """Whoever asks for a document gets the same paper, unless a word of it differs; when it was made is left out."""
    papers = {}

    def print_it(document, *, made):
        return papers.get(repr(document)) or papers.setdefault(repr(document), make_pdf(document, made="now"))

    monkeypatch.setattr("assessments.selectors.document.make_pdf", print_it)
    return papers


@cache
def text_of(pdf):
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).encode()


def read_all(client, asked, who, **headers):
    """What each address answers, without what differs from one answer to the next."""
    answers = {}
    for name, path in asked:
        told = {"data": ASKED[name], "content_type": "application/json"} if name in ASKED else {}
        answer = (client.post if told else client.get)(path, **told, **headers)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if content.startswith(b"%PDF"):
            content = text_of(content)
        answers[who, name] = (answer.status_code, PASSING.sub(b"", content))
    return answers


def test_what_an_expert_says_in_an_open_round_changes_nothing_anybody_else_is_shown(
    client, project, panel, owner, printed_once
):
    token = make_token(project, Scope.READ)

    def everything():
        client.force_login(owner)
        shown = read_all(client, addresses(project, panel), "owner")
        for who in ("expert", "viewer"):
            client.force_login(panel[who])
            shown |= read_all(client, calls(project), who)
        client.logout()
        shown |= read_all(client, addresses(project, panel), "guest")
        return shown | read_all(client, addresses(project, panel), "token", HTTP_AUTHORIZATION=f"Bearer {token}")

    client.get(f"/api/v1/projects/{project.slug}/", HTTP_AUTHORIZATION=f"Bearer {token}")  # the token was used just now
    before = everything()
    read = {name for (_, name), (status, _) in before.items() if status == 200}
    for name in ("experts", "result", "result_pdf", "shared", "board", "guest_vote", "plan", "compare"):
        assert f"assessments:{name}" in read
    assert len(read) > 60 and {*CALLS, *ASKED} - read == NOT_YET
    unread = {
        who: {call for call in (*CALLS, *ASKED) if before[who, call][0] != 200} for who in ("expert", "viewer", "token")
    }
    assert unread == {
        "expert": NOT_YET | {"assessment/shares/"},
        "viewer": NOT_YET | {"assessment/shares/", "assessment/ballot/"},
        "token": NOT_YET | {"assessment/ballot/"},
    }
    speak(panel["nora"], panel["statement"], 9)
    after = everything()
    assert before.keys() == after.keys() and printed_once
    assert not [key for key in before if before[key] != after[key]]
    assert not any(b"ZEBRA" in content or b"zebra.example" in content for _, content in after.values())
    assert not Activity.objects.filter(summary__contains="ZEBRA").exists()
