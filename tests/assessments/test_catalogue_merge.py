"""Comparing editions of the catalogue, and taking a new one into a team's own, without Django."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.principles import CatalogueError, load_catalogue, load_document, read_document
from assessments.principles.compare import compare_editions
from assessments.principles.merge import merge_editions, prune
from assessments.principles.sentences import identify


@pytest.fixture
def base():
    return copy.deepcopy(dict(load_document()))


def changed(document, **parts):
    """A copy of a document in which the monitoring principle has other parts."""
    made = copy.deepcopy(document)
    principle(made, "monitoring").update(parts)
    return made


def principle(document, slug):
    return next(one for one in document["principles"] if one["slug"] == slug)


def merged(base, ours, theirs, take=()):
    merge = merge_editions(base, ours, theirs, take)
    return read_document(merge.document), {one.key for one in merge.conflicts}


def test_a_document_reads_as_the_files_do(base):
    assert compare_editions(load_catalogue(), read_document(base)) == ()
    for slug in load_catalogue().slugs:
        assert read_document(base).principle(slug) == load_catalogue().principle(slug)


def test_a_sentence_without_any_mark_is_refused_in_a_document_too(base):
    principle(base, "monitoring")["why"].append({"text": "It makes coffee."})
    with pytest.raises(CatalogueError, match=r"monitoring\.why\[\d\]: needs sources"):
        read_document(base)
    principle(base, "monitoring")["why"][-1]["team"] = True
    assert read_document(base).principle("monitoring").why[-1].team


def test_what_differs_is_named_part_by_part(base):
    after = changed(base, definition="Somebody looks.", name="Watching")
    practices = principle(after, "monitoring")["practices"]
    gone = practices.pop(0)
    practices[0] = {**practices[0], "text": "Reworded."}
    after["principles"] = [one for one in after["principles"] if one["slug"] != "governance"]
    prune(after)
    found = {one.slug: one for one in compare_editions(load_catalogue(), read_document(after))}
    assert {slug: one.kind for slug, one in found.items()} == {"monitoring": "changed", "governance": "retired"}
    changes = found["monitoring"].changes
    assert [(one.what, one.after) for one in changes[:2]] == [("Name", "Watching"), ("Definition", "Somebody looks.")]
    assert any(one.before.startswith(gone["text"]) and not one.after for one in changes)
    assert any(one.after.startswith("Reworded.") and one.before for one in changes)
    back = {one.slug: one.kind for one in compare_editions(read_document(after), load_catalogue())}
    assert back == {"monitoring": "changed", "governance": "added"}


def test_what_the_team_left_alone_follows_and_what_it_changed_stays(base):
    ours = changed(base, definition="Our words.")
    theirs = changed(base, name="Monitoring, continuously")
    principle(theirs, "testing")["practices"].append({"id": "testing.new", "text": "New.", "own": True})
    catalogue, conflicts = merged(base, ours, theirs)
    found = catalogue.principle("monitoring")
    assert (found.definition, found.name) == ("Our words.", "Monitoring, continuously")
    assert "testing.new" in [one.id for one in catalogue.principle("testing").practices]
    assert conflicts == set()


def test_what_both_changed_is_asked_about_and_either_can_be_had(base):
    ours, theirs = changed(base, definition="Ours."), changed(base, definition="Theirs.")
    for document, text in ((ours, "Our practice."), (theirs, "Their practice.")):
        principle(document, "monitoring")["practices"][0]["text"] = text
    practice = principle(base, "monitoring")["practices"][0]["id"]
    keys = {"monitoring/definition", f"monitoring/{practice}"}
    kept, conflicts = merged(base, ours, theirs)
    assert conflicts == keys
    assert (kept.principle("monitoring").definition, kept.practice(practice).text) == ("Ours.", "Our practice.")
    taken, _ = merged(base, ours, theirs, take=keys)
    assert (taken.principle("monitoring").definition, taken.practice(practice).text) == ("Theirs.", "Their practice.")


def test_retired_stays_retired_and_new_comes_in(base):
    ours, theirs = copy.deepcopy(base), changed(base, definition="Other words.")
    ours["principles"] = [one for one in ours["principles"] if one["slug"] not in ("monitoring", "governance")]
    for stage in ours["starting_profile"]:
        for level in ("full", "light"):
            stage[level] = [slug for slug in stage[level] if slug not in ("monitoring", "governance")]
    theirs["principles"].append({**principle(base, "testing"), "slug": "chaos", "name": "Chaos", "practices": [
        {"id": "chaos.first", "text": "Break it on purpose.", "own": True}
    ]})  # fmt: skip
    catalogue, conflicts = merged(base, ours, theirs)
    assert "governance" not in catalogue.slugs and "chaos" in catalogue.slugs
    # It was changed after it was retired here, so somebody decides; kept as it is, it stays away.
    assert "monitoring" not in catalogue.slugs and conflicts == {"monitoring"}
    assert "monitoring" in merged(base, ours, theirs, take={"monitoring"})[0].slugs


def test_sentences_and_sources_of_the_team_survive_sources_that_are_dropped(base):
    ours = copy.deepcopy(base)
    ours["sources"].append({"tag": "INC-7", "reference": "Our outage", "readable": "ours", "team": True})
    principle(ours, "monitoring")["limits"].append({"text": "It woke us.", "sources": ["INC-7", "DTC"], "team": True})
    theirs = copy.deepcopy(base)
    theirs["sources"] = [one for one in theirs["sources"] if one["tag"] != "DTC"]
    for one in theirs["principles"]:
        for section in ("why", "limits", "worth_more", "worth_less", "practices"):
            one[section] = [said for said in one[section] if "DTC" not in str(said.get("sources"))]
    catalogue, _ = merged(base, ours, theirs)
    said = catalogue.principle("monitoring").limits[-1]
    assert said.text == "It woke us." and said.sources[0].reference == "Our outage"
    assert all("DTC" not in str(one.sources) for one in catalogue.principle("monitoring").limits[:-1])


def test_parts_from_two_editions_still_fit_together(base):
    ours = changed(base, serves=["K2"])
    principle(ours, "monitoring")["defaults"] = {
        "own": True,
        "ratings": {"K2": 1},
        "effort": {"low": 1, "likely": 2, "high": 3},
    }
    principle(ours, "monitoring")["light"]["ratings"] = {"K2": 1}
    theirs = copy.deepcopy(base)
    principle(theirs, "monitoring")["light"]["text"] = "Another light level."
    catalogue, conflicts = merged(base, ours, theirs, take={"monitoring/light"})
    assert conflicts == {"monitoring/light"}
    assert set(catalogue.principle("monitoring").light.defaults.ratings) == {"K2"}


FIRST = {"text": "Quality drops are noticed within the hour.", "sources": ["MLO"]}
NEWER = {"text": "Quality drops are noticed within minutes.", "sources": ["MLO"]}
OURS = {"text": "Quality drops are noticed within the day.", "sources": ["MLO"], "team": True}
OTHER = {"text": "Artifacts are large.", "sources": ["SEML"]}


def with_why(document, *sentences):
    """A copy of a document in which monitoring brings these things."""
    return changed(document, why=[copy.deepcopy(one) for one in sentences])


def why(base, ours, theirs, take=()):
    """What monitoring brings after a merge, and the conflicts."""
    merge = merge_editions(base, ours, theirs, take)
    read_document(merge.document)
    return principle(merge.document, "monitoring")["why"], [one.key for one in merge.conflicts]


def test_a_reworded_sentence_the_team_left_alone_follows_where_it_stands(base):
    base = with_why(base, FIRST, OTHER)
    assert why(base, base, with_why(base, OTHER, NEWER)) == ([NEWER, OTHER], [])


def test_a_sentence_the_team_reworded_stays_as_it_is(base):
    base = with_why(base, FIRST, OTHER)
    theirs = with_why(base, {**FIRST}, OTHER, {"text": "New.", "own": True})
    assert why(base, with_why(base, OURS, OTHER), theirs) == ([OURS, OTHER, {"text": "New.", "own": True}], [])


def test_a_sentence_both_reworded_is_asked_about_and_stands_there_once(base):
    base = with_why(base, FIRST, OTHER)
    ours, theirs = with_why(base, OURS, OTHER), with_why(base, NEWER, OTHER)
    key = f"monitoring/why/{identify(FIRST)}"
    assert why(base, ours, theirs) == ([OURS, OTHER], [key])
    assert why(base, ours, theirs, take={key}) == ([NEWER, OTHER], [key])


def test_a_source_of_the_team_does_not_make_a_second_sentence(base):
    base = with_why(base, FIRST)
    cited = {**FIRST, "sources": ["MLO", "SEML"], "team": True}
    respaced = {**FIRST, "text": "Quality drops  are noticed, within the hour"}
    assert why(base, with_why(base, cited), base) == ([cited], [])
    found, conflicts = why(base, with_why(base, cited), with_why(base, respaced))
    assert (found, len(conflicts)) == ([cited], 1)


def test_a_sentence_taken_out_stays_out_unless_the_new_edition_changed_it(base):
    base = with_why(base, FIRST, OTHER)
    ours = with_why(base, OTHER)
    assert why(base, ours, base) == ([OTHER], [])
    key = f"monitoring/why/{identify(FIRST)}"
    assert why(base, ours, with_why(base, NEWER, OTHER)) == ([OTHER], [key])
    assert why(base, ours, with_why(base, NEWER, OTHER), take={key}) == ([OTHER, NEWER], [key])


def test_what_both_added_stands_there_once(base):
    base = with_why(base, OTHER)
    ours = with_why(base, OTHER, {"text": "quality drops are noticed within minutes", "sources": ["MLO"], "team": True})
    assert why(base, ours, with_why(base, OTHER, NEWER)) == ([OTHER, NEWER], [])


def test_what_both_came_to_by_another_way_stands_there_once(base):
    base = with_why(base, FIRST)
    ours = with_why(base, {**NEWER, "team": True})
    assert why(base, ours, with_why(base, FIRST, NEWER))[0] == [{**NEWER, "team": True}]


WORDS = st.lists(
    st.sampled_from(["large", "small", "model", "drifts", "often", "alerts", "wake"]), min_size=1, max_size=6
)
SENTENCES = st.lists(
    st.builds(
        lambda words, team: {"text": " ".join(words), "own": True} | ({"team": True} if team else {}),
        WORDS,
        st.booleans(),
    ),
    max_size=5,
    unique_by=lambda one: one["text"],
)


@settings(max_examples=150, deadline=None)
@given(before=SENTENCES, mine=SENTENCES, fresh=SENTENCES)
def test_no_merge_says_the_same_twice_and_merging_again_adds_nothing(before, mine, fresh):
    document = dict(load_document())
    base, ours, theirs = (with_why(document, *one) for one in (before, mine, fresh))
    found, conflicts = why(base, ours, theirs)
    texts = [one["text"] for one in found]
    assert len(set(texts)) == len(texts)
    assert len(set(conflicts)) == len(conflicts)
    assert why(theirs, with_why(document, *found), theirs)[0] == found
    assert sorted(map(str, why(base, base, theirs)[0])) == sorted(map(str, fresh))
