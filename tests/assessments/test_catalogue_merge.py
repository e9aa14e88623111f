"""Comparing editions of the catalogue, and taking a new one into a team's own, without Django."""

from __future__ import annotations

import copy

import pytest

from assessments.principles import CatalogueError, load_catalogue, load_document, read_document
from assessments.principles.compare import compare_editions
from assessments.principles.merge import merge_editions, prune


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
