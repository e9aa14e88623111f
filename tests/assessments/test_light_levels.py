"""Light levels: rated in the ballot beside the whole principle, options of their own where somebody rated them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re

import pytest
from django.urls import reverse

from assessments.models import Rating, Round
from assessments.principles import load_catalogue
from assessments.selectors.document import read_full_report
from assessments.selectors.panel_inputs import read_inputs
from assessments.selectors.what_if import compare
from assessments.services.panel_ratings import RatingConflictError
from assessments.services.panel_results import work_out
from assessments.services.panel_rounds import close_round, open_round, seal_of
from ops_portal.errors import UserError
from tests.assessments.ballots import HTMX, say, url
from tests.assessments.test_results import hold_round

pytestmark = pytest.mark.django_db

LIGHT = {"light_benefits": {"K4": 2}, "light_effort": (0.5, 1.0, 1.5)}


@pytest.fixture
def opened(scoped, expert, owner):
    return open_round(project=scoped, actor=owner)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"light_benefits": {"K3": 1}}, "Light level: This principle does not serve"),
        ({"light_benefits": {"K4": 5}}, "Light level: Choose one of the five"),
        ({"light_effort": (2.0, 1.0, 3.0)}, "Light level: Low, likely and high must rise"),
        ({"light_effort": (-1.0, None, None)}, "Light level: Days from 0 to 1,000"),
        ({"benefits": {"K4": 2}, "light_benefits": {"K4": 3}}, "cannot bring more"),
        ({"effort": (1.0, 2.0, 3.0), "light_effort": (1.0, 2.0, 4.0)}, "cannot take longer"),
        ({"effort": (None, 2.0, None), "light_effort": (None, 2.5, None)}, "cannot take longer"),
    ],
)
def test_what_cannot_be_meant_of_a_light_level_is_refused(opened, expert, fields, message):
    with pytest.raises(UserError, match=message):
        say(expert, vote=5, **fields)
    assert not Rating.objects.exists()


def test_a_principle_without_a_light_level_takes_none(opened, expert):
    with pytest.raises(UserError, match="does not serve"):
        say(expert, "versioning", light_benefits={"K2": 1})


def test_light_levels_are_asked_where_there_is_one_and_saved_like_the_rest(as_owner, scoped, opened):
    html = as_owner.get(url(scoped, "vote", "monitoring")).content.decode()
    assert "its light level alone: One alert" in html
    assert html.count("All of it, its light level included.") == html.count("For all of it, its light level included.")
    assert set(re.findall(r'name="(light_\w+)"', html)) == {
        "light_benefit_K2", "light_benefit_K4", "light_effort_low", "light_effort_likely", "light_effort_high"
    }  # fmt: skip
    without = as_owner.get(url(scoped, "vote", "versioning")).content.decode()
    assert "light_" not in without and "light level" not in without
    data = {"vote": "7", "light_benefit_K4": "2", "light_benefit_K2": "unknown", "version": "0"}
    data |= {"light_effort_low": "0.5", "light_effort_likely": "1", "light_effort_high": "2"}
    saved = as_owner.post(url(scoped, "vote", "monitoring"), data, headers=HTMX)
    assert saved.status_code == 200 and "Saved" in saved.content.decode()
    rating = Rating.objects.get()
    assert rating.light_benefits == {"K4": 2, "K2": None}
    assert (rating.light_effort_low, rating.light_effort_likely, rating.light_effort_high) == (0.5, 1, 2)
    again = as_owner.get(url(scoped, "vote", "monitoring")).content.decode()
    assert re.search(r'name="light_benefit_K4"\s+value="2"\s+checked', again)
    assert re.search(r'name="light_effort_likely"\s+id="\w+"\s+value="1"', again)
    wrong = as_owner.post(url(scoped, "vote", "monitoring"), data | {"light_effort_low": "9", "version": "1"})
    assert wrong.status_code == 422 and "Light level: Low, likely and high" in wrong.content.decode()
    assert len(re.findall(r'id="light_effort_\w+"[^>]*aria-invalid="true"', wrong.content.decode())) == 3
    assert Rating.objects.get().light_effort_low == 0.5


def test_two_windows_that_differ_in_the_light_level_alone_clash_and_say_where(as_owner, scoped, opened, expert):
    say(expert, vote=7, **LIGHT)
    with pytest.raises(RatingConflictError):
        say(expert, vote=7, light_benefits={"K4": 1}, light_effort=LIGHT["light_effort"])
    data = {"vote": "7", "light_benefit_K4": "1", "version": "0"}
    data |= {"light_effort_low": "0.5", "light_effort_likely": "1", "light_effort_high": "1.5"}
    html = as_owner.post(url(scoped, "vote", "monitoring"), data, headers=HTMX).content.decode()
    assert html.count("There:") == 1
    assert "Know when the model degrades, light level" in html
    assert "There: Clear. Here: A little." in html


def test_answers_about_the_light_level_are_carried_and_sealed(scoped, opened, expert, owner):
    say(expert, vote=7, **LIGHT)
    closed = close_round(project=scoped, actor=owner)
    assert seal_of(closed) == closed.seal
    Rating.objects.update(light_effort_high=5.0)
    assert seal_of(closed) != closed.seal
    Rating.objects.update(light_effort_high=1.5)
    assert seal_of(closed) == closed.seal
    open_round(project=scoped, actor=owner)
    carried = Rating.objects.get(round__number=2)
    assert carried.carried and (carried.light_benefits, carried.light_effort_high) == ({"K4": 2}, 1.5)


def test_a_seal_from_before_light_levels_were_asked_still_holds(scoped, opened, expert, owner):
    say(expert, vote=7, benefits={"K4": 3}, effort=(1.0, 2.0, 3.0), reason="why")
    Rating.objects.update(expert=expert)
    closed = close_round(project=scoped, actor=owner)
    rows = [[expert.pk, "monitoring", "rates", 7, {"K4": 3}, 1.0, 2.0, 3.0, "", "why", ""]]
    text = json.dumps([closed.settings, rows, []], sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == closed.seal


def test_without_answers_the_light_level_is_no_option_and_the_result_says_so(as_owner, project, owner):
    closed = hold_round(project, owner)
    assert not any(option.slug.endswith(":light") for option in read_inputs(closed).panel.options)
    full = read_full_report(closed)
    sentence = "Nobody rated the light level of: "
    part = full.document.part("light")
    assert part.table is None
    assert part.text[0].startswith(sentence)
    assert "Continuous monitoring" in part.text[0] and "Versioning" not in part.text[0]
    assert sentence in as_owner.get(url(project, "result", 1)).content.decode()
    assert sentence in as_owner.get(url(project, "result_report", 1)).content.decode()


def test_saying_only_dont_know_offers_no_light_level(scoped, opened, expert, owner):
    say(expert, vote=7, light_benefits={"K4": None, "K2": None}, light_effort=(1.0, None, None))
    closed = close_round(project=scoped, actor=owner)
    assert not any(option.slug.endswith(":light") for option in read_inputs(closed).panel.options)


def rate_light(project, owner, principles=("monitoring",), experts=3):
    """A closed round in which some experts rated the light levels of some principles too."""
    hold_round(project, owner)
    opened = open_round(project=project, actor=owner)
    for slug in principles:
        level = load_catalogue().principle(slug).light
        for rating in Rating.objects.filter(round=opened, principle=slug)[:experts]:
            rating.light_benefits = {key: int(level.defaults.ratings[key]) for key in level.serves}
            rating.light_effort_low = level.defaults.effort.low
            rating.light_effort_likely = level.defaults.effort.likely
            rating.light_effort_high = level.defaults.effort.high
            rating.save()
    closed = close_round(project=project, actor=owner)
    work_out(closed.pk)
    return Round.objects.get(pk=closed.pk)


def test_a_rated_light_level_is_an_option_and_the_whole_its_increment(as_owner, project, owner):
    closed = rate_light(project, owner, ("monitoring", "testing"), experts=2)
    panel = read_inputs(closed).panel
    assert [option.slug for option in panel.options if option.slug.endswith(":light")] == [
        "testing:light",
        "monitoring:light",
    ]
    assert panel.option("monitoring").light == "monitoring:light"
    assert panel.option("governance").light is None
    report = read_full_report(closed).report
    line = next(one for one in report.lines if one.principle.slug == "monitoring")
    before = next(
        one for one in read_full_report(Round.objects.get(number=1)).report.lines if one.principle.slug == "monitoring"
    )
    assert line.light.rated == 2 and not line.light.assumed
    assert line.light.effort > 0
    assert line.effort + line.light.effort == pytest.approx(before.effort, rel=0.05)
    assert "These are the days beyond its light level." in line.reasons
    assert len(report.lines) == 12 and len(report.state.agreed) == 12


def test_every_export_tells_of_the_light_level(as_owner, project, owner):
    closed = rate_light(project, owner)
    table = list(csv.DictReader(io.StringIO(as_owner.get(url(project, "result_csv", 2)).getvalue().decode())))
    row = next(one for one in table if one["principle"] == "monitoring")
    assert (row["light_level"], row["light_rated_by"]) == ("One alert", "3")
    assert float(row["light_effort_days"]) == pytest.approx(1, abs=0.1)
    other = next(one for one in table if one["principle"] == "governance")
    assert (other["light_level"], other["light_rated_by"]) == ("", "0")
    document = json.loads(as_owner.get(url(project, "result_json", 2)).content)
    printed = next(one for one in document["tables"] if one["title"] == "Light levels")
    assert printed["rows"][0][:2] == ["Continuous monitoring", "One alert"]
    api = as_owner.get(f"/api/v1/projects/{project.slug}/assessment/1/rounds/2/").json()
    assert (api["tables"], api["principles"]) == (document["tables"], document["principles"])
    for name in ("result", "result_report"):
        html = as_owner.get(url(project, name, 2)).content.decode()
        assert "One alert" in html and ":light" not in html
    assert ":light" not in as_owner.get(url(project, "compare")).content.decode()
    assert closed.result["options"]


def test_who_refuses_a_principle_refuses_its_light_level(project, owner):
    closed = rate_light(project, owner, experts=1)
    Rating.objects.filter(round=closed, principle="monitoring", light_benefits={}).update(
        stance="not_applicable", vote=None, reason="Nothing to watch."
    )
    panel = read_inputs(closed).panel
    assert len(panel.answers_on("monitoring:light")) == len(panel.answers_on("monitoring")) == 3
    assert sum(not answer.applies for answer in panel.answers_on("monitoring:light")) == 2


def test_a_round_of_carried_answers_can_be_closed_from_its_page(as_owner, scoped, opened, expert, owner):
    close = reverse("assessments:round_close", args=[scoped.slug])
    assert re.search(r"disabled>.{0,900}Close and seal round 1", as_owner.get(close).content.decode(), re.S)
    say(expert, vote=5)
    close_round(project=scoped, actor=owner)
    open_round(project=scoped, actor=owner)
    assert not re.search(r"disabled>.{0,900}Close and seal round 2", as_owner.get(close).content.decode(), re.S)
    as_owner.post(close)
    assert not Round.objects.filter(state="open").exists()


def test_light_levels_are_named_in_the_tornado_and_no_principles_of_their_own(project, owner):
    one = hold_round(project, owner, light=True)
    work_out(one.pk)
    report = read_full_report(Round.objects.get(pk=one.pk)).report
    changed = [name for swing in report.swings for name in (*swing.only_low, *swing.only_high)]
    assert changed and not any(":" in name for name in changed)
    result = Round.objects.get(pk=one.pk).result
    kept = compare(result, result, ())
    now = [option["slug"] for option in result["options"] if option["verdict"] == "now"]
    assert any(":light" in slug for slug in now) and kept.now_before == sum(":light" not in slug for slug in now)
