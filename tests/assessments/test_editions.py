"""A team's own catalogue: drafts, editions that never change, what assessments keep, and the pages for it."""

from __future__ import annotations

import copy
import re
from html import unescape

import pytest
from django.urls import reverse

from assessments.models import Assessment, Edition
from assessments.principles import load_catalogue, load_document
from assessments.selectors.checklist import read_checklist
from assessments.selectors.editions import catalogue_of, digest_of_document
from assessments.services.answers import Draft, save_answer
from assessments.services.assessments import close, ensure_open
from assessments.services.catalogue_edits import (
    Figures,
    PrincipleConflictError,
    PrincipleDraft,
    Sentence,
    add_principle,
    add_source,
    bring_back,
    retire_principle,
    save_principle,
    state_of,
)
from assessments.services.editions import discard_draft, import_shipped, publish, start_draft
from assessments.services.panel_rounds import invite_guest, invite_member, open_round
from assessments.services.scope import ProfileDraft, save_profile
from ops_portal.errors import UserError
from projects.models import Activity, Role
from tests.factories import make_member, make_project, make_team, make_user

pytestmark = pytest.mark.django_db

SHIPPED = load_catalogue().edition


@pytest.fixture
def draft(team, owner):
    return start_draft(team=team, actor=owner)


@pytest.fixture
def as_owner(client, owner):
    client.force_login(owner)
    return client


def own_principle(name="Cost control", **fields):
    fields = {
        "definition": "What a model costs is known.",
        "serves": ("K5",),
        "requires": ("versioning",),
        "figures": Figures({"K5": 2.0}, (1, 2, 4)),
        "practices": (Sentence("The monthly bill is read."),),
    } | fields
    return PrincipleDraft(name=name, **fields)


def typed(slug, edition, **changes):
    """A principle of the draft as its page would send it back, with changes."""
    one = next(p for p in edition.document["principles"] if p["slug"] == slug)
    effort = one["defaults"]["effort"]

    def sentences(rows):
        return tuple(Sentence(row["text"], tuple(row.get("sources", ())), row.get("id", "")) for row in rows)

    fields = {
        "name": one["name"],
        "definition": one["definition"],
        "serves": tuple(one["serves"]),
        "requires": tuple(one["requires"]),
        "figures": Figures(one["defaults"]["ratings"], (effort["low"], effort["likely"], effort["high"])),
        "practices": sentences(one["practices"]),
        "sections": {name: sentences(one[name]) for name in ("why", "limits", "worth_more", "worth_less")},
    } | changes
    return PrincipleDraft(**fields)


def save(team, owner, slug, edition, was=None, **changes):
    one = next(p for p in edition.document["principles"] if p["slug"] == slug)
    return save_principle(
        team=team, slug=slug, draft=typed(slug, edition, **changes), was=was or state_of(one), actor=owner
    )


def published(team, owner, name="Cost control"):
    start_draft(team=team, actor=owner)
    add_principle(team=team, draft=own_principle(name), actor=owner)
    return publish(team=team, note="We pay for it.", actor=owner)


def test_an_assessment_keeps_the_edition_it_was_made_with(project, team, owner):
    first = ensure_open(project=project, actor=owner)
    assert first.edition == SHIPPED and first.catalogue.team is None
    edition = published(team, owner)
    assert read_checklist(project).catalogue.slugs == load_catalogue().slugs
    save_answer(project=project, practice_id="versioning.retention", draft=Draft("yes"), base_version=0, actor=owner)
    close(project=project, actor=owner)
    second = ensure_open(project=project, actor=owner)
    assert (second.edition, second.catalogue_id) == (edition.name, edition.digest)
    assert read_checklist(project).catalogue.slugs == (*load_catalogue().slugs, "cost-control")
    assert second.answers.get().value == "yes"
    assert catalogue_of(Assessment.objects.get(pk=first.pk)).slugs == load_catalogue().slugs
    save_answer(project=project, practice_id="cost-control.the-monthly-bill-is-read", draft=Draft("no"), base_version=0,
                actor=owner)  # fmt: skip
    assert second.answers.count() == 2


def test_another_team_is_not_touched(project, team, owner):
    published(team, owner)
    other = make_project(make_team("Others", owner=owner))
    assert ensure_open(project=other, actor=owner).edition == SHIPPED


def test_a_published_edition_never_changes(team, owner, draft):
    add_principle(team=team, draft=own_principle(), actor=owner)
    first = publish(team=team, note="", actor=owner)
    before = Edition.objects.get(pk=first.pk)
    for change in (
        lambda: add_principle(team=team, draft=own_principle("Another"), actor=owner),
        lambda: retire_principle(team=team, slug="governance", actor=owner),
        lambda: discard_draft(team=team, actor=owner),
        lambda: publish(team=team, note="", actor=owner),
    ):
        with pytest.raises(UserError, match="no draft"):
            change()
    start_draft(team=team, actor=owner)
    retire_principle(team=team, slug="governance", actor=owner)
    second = publish(team=team, note="", actor=owner)
    after = Edition.objects.get(pk=first.pk)
    assert (after.document, after.digest) == (before.document, before.digest)
    assert after.digest == digest_of_document(team.pk, after.name, after.document)
    assert (second.number, second.name) == (2, f"{SHIPPED} team 2")


def test_one_draft_at_a_time_and_nothing_to_publish_in_an_unchanged_one(team, owner, draft):
    with pytest.raises(UserError, match="already"):
        start_draft(team=team, actor=owner)
    with pytest.raises(UserError, match="nothing to publish"):
        publish(team=team, note="", actor=owner)
    discard_draft(team=team, actor=owner)
    assert not Edition.objects.filter(team=team).exists()


def test_only_what_a_team_wrote_is_marked_as_its_own(team, owner, draft):
    practices = typed("monitoring", draft).practices
    reworded = Sentence("Live quality is on the wall.", ("MLO",), practices[0].id)
    catalogue = save(
        team, owner, "monitoring", draft,
        practices=(reworded, *practices[1:], Sentence("Somebody looks at it on Mondays.")),
        sections={**typed("monitoring", draft).sections, "why": (Sentence("It caught the March outage."),)},
    )  # fmt: skip
    found, shipped = catalogue.principle("monitoring"), load_catalogue().principle("monitoring")
    assert [one.team for one in found.practices] == [True, *[False] * (len(practices) - 1), True]
    first = found.practices[0]
    assert (first.id, first.evidence, first.own) == (shipped.practices[0].id, shipped.practices[0].evidence, False)
    assert [str(one) for one in first.sources] == ["MLO"]
    assert found.practices[-1].id == "monitoring.somebody-looks-at-it-on"
    assert found.why[0].team and not found.why[0].own
    assert found.limits == shipped.limits and not found.worded_by_team and not found.defaults.team
    edition = Edition.objects.get(pk=draft.pk)
    back = save(team, owner, "monitoring", edition, practices=practices, sections=typed("monitoring", draft).sections)
    assert back.principle("monitoring").practices == shipped.practices


def test_a_new_practice_never_takes_the_name_of_an_old_one(team, owner, draft):
    add_principle(team=team, draft=own_principle(), actor=owner)
    publish(team=team, note="", actor=owner)
    edition = start_draft(team=team, actor=owner)
    save(team, owner, "cost-control", edition, practices=(Sentence("The monthly bill is read by two people."),))
    made = Edition.objects.get(pk=edition.pk).document["principles"][-1]["practices"]
    assert made[0]["id"] == "cost-control.the-monthly-bill-is-read-2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": " "}, "needs a name"),
        ({"definition": ""}, "one sentence"),
        ({"serves": ()}, "at least one benefit"),
        ({"practices": ()}, "at least one practice"),
        ({"practices": (Sentence("Same."), Sentence("same."))}, "twice"),
        ({"practices": (Sentence("Not ours.", (), "testing.schema"),)}, "not of this principle"),
        ({"figures": Figures({}, (3, 2, 1))}, "must rise"),
        ({"practices": (Sentence("Cited.", ("NOBODY 3",)),)}, "unknown source"),
        ({"requires": ("controlled-release",)}, "circle"),
    ],
)
def test_what_would_not_make_a_catalogue_is_refused_and_nothing_kept(team, owner, draft, changes, message):
    with pytest.raises(UserError, match=message):
        save(team, owner, "versioning", draft, **changes)
    assert Edition.objects.get(pk=draft.pk).document == draft.document


def test_two_maintainers_do_not_overwrite_each_other(team, owner, draft):
    was = state_of(next(one for one in draft.document["principles"] if one["slug"] == "testing"))
    save(team, owner, "testing", draft, definition="First.")
    with pytest.raises(PrincipleConflictError):
        save(team, owner, "testing", draft, was=was, definition="Second.")
    assert load_definition(draft, "testing") == "First."
    save(team, owner, "monitoring", draft, definition="Another principle is nobody's business here.")


def load_definition(draft, slug):
    document = Edition.objects.get(pk=draft.pk).document
    return next(one["definition"] for one in document["principles"] if one["slug"] == slug)


def test_retiring_watches_prerequisites_and_can_be_undone(team, owner, draft):
    with pytest.raises(UserError, match=r"need Versioning first"):
        retire_principle(team=team, slug="versioning", actor=owner)
    retire_principle(team=team, slug="monitoring", actor=owner)
    document = Edition.objects.get(pk=draft.pk).document
    assert all("monitoring" not in (*stage["full"], *stage["light"]) for stage in document["starting_profile"])
    bring_back(team=team, slug="monitoring", actor=owner)
    restored = Edition.objects.get(pk=draft.pk).document
    assert [one["slug"] for one in restored["principles"]] == list(load_catalogue().slugs)
    stages = {one["stage"]: one for one in restored["starting_profile"]}
    assert (
        "monitoring" in stages["several-or-continuous"]["full"] and "monitoring" in stages["first-production"]["light"]
    )
    with pytest.raises(UserError, match="no retired principle"):
        bring_back(team=team, slug="monitoring", actor=owner)


def test_sources_of_the_team_can_be_cited(team, owner, draft):
    with pytest.raises(UserError, match="capital letters"):
        add_source(team=team, tag="no spaces!", reference="x", url="", actor=owner)
    add_source(team=team, tag="inc-7", reference="The outage of March", url="", actor=owner)
    with pytest.raises(UserError, match="already"):
        add_source(team=team, tag="INC-7", reference="Again", url="", actor=owner)
    edition = Edition.objects.get(pk=draft.pk)
    catalogue = save(team, owner, "testing", edition, practices=(Sentence("We test.", ("INC-7 page 2",)),))
    cited = catalogue.principle("testing").practices[0].sources[0]
    assert (cited.place, cited.reference) == ("page 2", "The outage of March")
    assert publish(team=team, note="", actor=owner).number == 1


def test_the_portals_new_edition_is_taken_into_the_draft(team, owner):
    """An older shipped edition lies in the database; the one in the files is the new one."""
    old = copy.deepcopy(dict(load_document())) | {"edition": "2025.01"}
    older = {one["slug"]: one for one in old["principles"]}
    older["monitoring"]["definition"] = "An older wording."
    older["testing"]["definition"] = "An older wording of testing."
    base = Edition.objects.create(
        name="2025.01", state="published", document=old, digest=digest_of_document(None, "2025.01", old)
    )
    ours = copy.deepcopy(old)
    next(one for one in ours["principles"] if one["slug"] == "testing")["definition"] = "Our wording."
    Edition.objects.create(
        team=team, number=1, name="2025.01 team 1", state="published", base=base, document=ours,
        digest=digest_of_document(team.pk, "2025.01 team 1", ours),
    )  # fmt: skip
    draft = import_shipped(team=team, take=[], actor=owner)
    assert load_definition(draft, "monitoring") == load_catalogue().principle("monitoring").definition
    assert load_definition(draft, "testing") == "Our wording."
    with pytest.raises(UserError, match="already"):
        import_shipped(team=team, take=[], actor=owner)
    discard_draft(team=team, actor=owner)
    draft = import_shipped(team=team, take=["testing/definition"], actor=owner)
    assert load_definition(draft, "testing") == load_catalogue().principle("testing").definition
    assert publish(team=team, note="", actor=owner).name == f"{SHIPPED} team 2"


def page(name, team, *args):
    return reverse(f"catalogue:{name}", args=[team.slug, *args])


def form_of(html):
    """What a browser would send of the first form with a text area."""
    fields = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name, kind = re.search(r'name="([^"]+)"', tag), re.search(r'type="(\w+)"', tag)
        if not name or (kind[1] in ("checkbox", "radio") and "checked" not in tag):
            continue
        value = re.search(r'value="([^"]*)"', tag)
        fields.setdefault(name[1], []).append(value[1] if value else "")
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\s?([^<]*)</textarea>', html):
        fields[name] = [unescape(text)]
    return fields


def test_pages_lead_from_the_portals_edition_to_the_teams_own(as_owner, team, project):
    html = as_owner.get(page("home", team)).content.decode()
    assert f"portal's edition {SHIPPED}" in html.replace("&#x27;", "'")
    assert as_owner.post(page("draft", team), follow=True).status_code == 200
    address = page("principle", team, "monitoring")
    fields = form_of(as_owner.get(address).content.decode())
    unchanged = as_owner.post(address, fields)
    assert unchanged.status_code == 302, unchanged.content.decode()[:2000]
    assert "Nothing is changed yet" in as_owner.get(page("draft", team)).content.decode()
    new = f"practices-{int(fields['practices-TOTAL_FORMS'][0]) - 1}"
    data = fields | {f"{new}-text": '<b>Bold</b> & "quoted"', "practices-0-DELETE": "on"}
    assert as_owner.post(address, data).status_code == 302
    html = as_owner.get(page("publish", team)).content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt;" in html and "<b>Bold" not in html
    assert (
        as_owner.post(address, data | {f"{new}-text": "Other words"}).status_code == 409
    )  # made from what was there before
    retired = load_catalogue().principle("monitoring").practices[0]
    html = as_owner.get(address).content.decode()
    assert "Bring back" in html
    assert as_owner.post(address, form_of(html) | {"back": [retired.id]}).status_code == 302
    made = as_owner.post(page("publish", team), {"note": "A <i>note</i>"}, follow=True).content.decode()
    assert f"{SHIPPED} team 1" in made and "A &lt;i&gt;note" in made
    assert "team's own" in as_owner.get(page("home", team)).content.decode()
    as_owner.post(reverse("assessments:checklist", args=[project.slug, "monitoring"]), {"practice": []})
    save_answer(
        project=project, practice_id=retired.id, draft=Draft("yes"), base_version=0, actor=team.memberships.get().user
    )
    checklist = as_owner.get(reverse("assessments:checklist", args=[project.slug, "monitoring"])).content.decode()
    assert "&lt;b&gt;Bold" in checklist and "team's own" in checklist.replace("&#x27;", "'")


def test_a_refused_principle_page_loses_nothing(as_owner, team, draft):
    address = page("principle", team, "monitoring")
    fields = form_of(as_owner.get(address).content.decode())
    data = fields | {"name": "", "definition": "Typed with care.", "practices-0-sources": "NOBODY 1"}
    response = as_owner.post(address, data)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Typed with care." in html and "NOBODY 1" in html and "not among the sources" in html
    assert load_definition(draft, "monitoring") != "Typed with care."
    data = fields | {"light_name": "Alert", "light_text": ""}
    assert as_owner.post(address, data).status_code == 422
    low = fields | {"full-effort_low": "99"}
    assert "must rise" in as_owner.post(address, low).content.decode()


def test_a_principle_and_a_source_are_added_on_pages(as_owner, team, draft):
    assert as_owner.post(page("source_add", team), {"tag": "???", "reference": "x"}).status_code == 422
    assert as_owner.post(page("source_add", team), {"tag": "INC-7", "reference": "Outage"}).status_code == 302
    fields = form_of(as_owner.get(page("principle_add", team)).content.decode())
    data = fields | {"name": "Costs", "definition": "Known.", "serves": ["K5"], "practices-0-text": "Read the bill.",
                     "practices-0-sources": "INC-7", "full-effort_low": "1", "full-effort_likely": "2",
                     "full-effort_high": "3", "light_name": "A look", "light_text": "Look once."}  # fmt: skip
    assert as_owner.post(page("principle_add", team), data)["Location"] == page("principle", team, "costs")
    assert as_owner.post(page("principle_add", team), data).status_code == 422  # the name is taken
    catalogue = Edition.objects.get(pk=draft.pk).document
    made = catalogue["principles"][-1]
    assert made["team"] and made["light"]["team"] and made["practices"][0]["sources"] == ["INC-7"]
    assert as_owner.post(page("principle_retire", team, "costs")).status_code == 302
    assert as_owner.post(page("principle_retire", team, "nothing"), follow=True).status_code == 200


def test_who_may_do_what(client, team, owner, draft):
    people = {role: make_user(f"a-{role}") for role in (Role.VIEWER, Role.EXPERT, Role.MAINTAINER)}
    for role, user in people.items():
        make_member(team, user, role)
    for role, allowed in ((Role.VIEWER, False), (Role.EXPERT, False), (Role.MAINTAINER, True)):
        client.force_login(people[role])
        assert client.get(page("home", team)).status_code == 200
        assert client.get(page("draft", team)).status_code == (200 if allowed else 403)
        posted = client.post(page("principle_retire", team, "governance"))
        assert posted.status_code == (302 if allowed else 403)
    client.force_login(make_user("outsider"))
    for name in ("home", "draft", "publish", "import"):
        assert client.get(page(name, team)).status_code == 404
    others = make_team("Others", owner=owner)
    client.force_login(owner)
    add_principle(team=team, draft=own_principle(), actor=owner)
    made = publish(team=team, note="", actor=owner)
    assert client.get(page("edition", team, made.pk)).status_code == 200
    assert client.get(page("edition", others, made.pk)).status_code == 404
    assert Activity.objects.filter(team=team, verb="catalogue.published").exists()


def test_a_panel_votes_on_the_teams_own_principle_with_its_light_level_gone(client, project, team, owner):
    published(team, owner, name="Cost <control>")
    save_profile(project=project, kind="current", draft=ProfileDraft({"people": 9.0}), measured=None, actor=owner)
    invite_member(project=project, user=owner, actor=owner)
    guest = invite_guest(project=project, name="Ana", actor=owner)
    open_round(project=project, actor=owner)
    address = reverse("assessments:guest_vote", args=[project.slug, guest.token, "cost-control"])
    html = client.get(address).content.decode()
    assert "Cost &lt;control&gt;" in html and "13 of 13" in html
    assert client.post(address, {"vote": "7", "version": "0"}).status_code == 200
    client.force_login(owner)
    for name in ("overview", "recommendation", "sources", "assumptions", "plan", "experts", "scope", "checklist_start"):
        response = client.get(reverse(f"assessments:{name}", args=[project.slug]), follow=True)
        assert response.status_code == 200, name
    client.post(reverse("assessments:round_close", args=[project.slug]))
    result = client.get(reverse("assessments:result", args=[project.slug, 1])).content.decode()
    assert "Cost &lt;control&gt;" in result
    exported = client.get(reverse("assessments:result_json", args=[project.slug, 1])).json()
    assert exported["edition"] == f"{SHIPPED} team 1"
    assert [one["votes"] for one in exported["principles"] if one["principle"] == "cost-control"] == [1]
