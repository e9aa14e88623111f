"""The catalogue says where each sentence comes from, and a wrong file is refused with the place of the fault."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assessments.principles import CatalogueError, load_catalogue
from assessments.principles.reader import DATA

SLUGS = (
    "versioning", "reproducibility", "ci-cd", "orchestration", "continuous-training", "testing", "controlled-release",
    "monitoring", "feedback-loops", "metadata", "collaboration", "governance",
)  # fmt: skip


def test_edition_has_the_twelve_principles():
    catalogue = load_catalogue()
    assert catalogue.edition == "2026.11"
    assert catalogue.slugs == SLUGS
    assert catalogue.benefit_keys == ("K1", "K2", "K3", "K4", "K5")
    assert load_catalogue() is catalogue


def test_every_sentence_names_a_source_or_says_it_is_the_portals_own():
    catalogue = load_catalogue()
    tags = {source.tag for source in catalogue.sources}
    for principle in catalogue.principles:
        sentences = (*principle.why, *principle.limits, *principle.worth_more, *principle.worth_less)
        for sentence in (*sentences, *principle.practices):
            assert sentence.sources or sentence.own, sentence.text
            assert {citation.tag for citation in sentence.sources} <= tags
            assert not sentence.team
        assert all((principle.why, principle.limits, principle.worth_more, principle.worth_less)), principle.slug
    assert all(source.readable for source in catalogue.sources)


def test_the_seed_study_is_cited_only_for_what_its_abstract_says():
    """Nothing per principle is known of the study; it may speak of benefits, first versions, scope only."""
    cited = [
        (principle.slug, sentence.text)
        for principle in load_catalogue().principles
        for sentence in (*principle.why, *principle.limits, *principle.worth_more, *principle.worth_less)
        if any(citation.tag == "SEED-A" for citation in sentence.sources)
    ]
    words = ("earlier state", "manual steps", "first version", "initial version", "continuous")
    assert cited
    assert all(any(word in text for word in words) for _, text in cited), cited
    for principle in load_catalogue().principles:
        assert not [p.id for p in principle.practices if any(c.tag.startswith("SEED") for c in p.sources)]


def test_practices_belong_to_their_principle_and_are_told_apart():
    catalogue = load_catalogue()
    ids = [practice.id for principle in catalogue.principles for practice in principle.practices]
    assert len(ids) == len(set(ids)) == 79
    assert catalogue.practice("versioning.stream-position").evidence == "version_records_position"
    with pytest.raises(KeyError):
        catalogue.practice("versioning.nothing")


def test_each_check_answers_a_practice():
    answered = load_catalogue().practices_by_check()
    assert len(answered) >= 40
    assert all(answered.values())
    assert [p.id for p in answered["rollback_exercised"]] == [
        "versioning.old-snapshot-loaded",
        "controlled-release.one-action-rollback",
    ]


def test_default_figures_serve_the_mask_and_light_is_less_than_full():
    for principle in load_catalogue().principles:
        assert set(principle.defaults.ratings) == set(principle.serves)
        assert 1 <= len(principle.serves) <= 4
        if principle.light:
            assert principle.light.own
            assert principle.light.defaults.effort.mean <= 2
            assert principle.light.defaults.effort.mean < principle.defaults.effort.mean
            for key, rating in principle.light.defaults.ratings.items():
                assert rating <= principle.defaults.ratings[key]


def test_catalogue_needs_no_django():
    code = "import sys, assessments.principles as p; p.load_catalogue(); sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=DATA.parents[2])


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "testing.yaml",
            "evidence: schema_enforced",
            "evidence: schema_guessed",
            'testing.yaml: practices[0].evidence: unknown check "schema_guessed"',
        ),
        (
            "testing.yaml",
            "sources: [SEML 11, MTS data 7]",
            "sources: [NOBODY 11]",
            'testing.yaml: practices[2].sources[0]: unknown source "NOBODY"',
        ),
        (
            "testing.yaml",
            "    sources: [SEML 11, MTS data 7]\n",
            "",
            "testing.yaml: practices[2]: needs sources, or own: true if it is the portal's own",
        ),
        (
            "testing.yaml",
            "id: testing.slices",
            "id: slices",
            'testing.yaml: practices[6].id: expected an id beginning with "testing.", got "slices"',
        ),
        (
            "testing.yaml",
            "id: testing.slices",
            "id: testing.schema",
            'testing.yaml: practices: "testing.schema" stands there twice',
        ),
        ("testing.yaml", "serves: [K1, K3, K4]", "serves: [K1, K9]", 'testing.yaml: serves[1]: unknown benefit "K9"'),
        (
            "testing.yaml",
            "ratings: {K1: 2, K3: 3, K4: 2}",
            "ratings: {K1: 5}",
            "testing.yaml: defaults.ratings.K1: expected a number from 0 to 4, got 5",
        ),
        (
            "testing.yaml",
            "likely: 11.5",
            "likely: 99",
            "testing.yaml: defaults.effort: expected low <= likely <= high, got 7, 99, 17",
        ),
        (
            "testing.yaml",
            "requires: []",
            "requires: [ci-cd]",
            "index.yaml: principles: prerequisites run in a circle among ci-cd, testing",
        ),
        ("testing.yaml", "name: Testing and validation", "title: Testing", 'testing.yaml: field "name" is missing'),
        ("testing.yaml", "requires: []", "requires: []\nextra: 1", 'testing.yaml: unknown field "extra"'),
        (
            "testing.yaml",
            "slug: testing",
            "slug: tests",
            'testing.yaml: slug: expected "testing" as in the index and the file name',
        ),
        (
            "index.yaml",
            "light: [continuous-training]",
            "light: [versioning]",
            'index.yaml: starting_profile: "versioning" has no light level',
        ),
        ("index.yaml", "  - governance", "  - ghosts", "ghosts.yaml: file is missing"),
        ("sources.yaml", "- tag: SEED-C", "- tag: SEED-A", 'sources.yaml: "SEED-A" stands there twice'),
        ("monitoring.yaml", "slug: monitoring", "slug: [", "monitoring.yaml: not readable as YAML"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, file: str, old: str, new: str, message: str):
    folder = tmp_path / "data"
    shutil.copytree(DATA, folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(folder)
    assert str(caught.value).startswith(message)
