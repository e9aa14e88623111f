"""Labels: read as people write them, the same in every process."""

import pickle
from typing import Any

import pytest

from models_registry.learning.errors import DataError
from models_registry.learning.labels import LabelBook


@pytest.mark.parametrize(
    ("seen", "codes"),
    [
        ([True, False], [True, False]),
        ([0, 1], [False, True]),
        ([1, 0], [True, False]),
        ([1.0, 0], [True, False]),
        ([-1, 1], [False, True]),
        (["Yes", "No"], [True, False]),
        (["ham", "spam"], [False, True]),
        (["spam", "no"], [False, True]),
        ([2, 1], [False, True]),
        ([1, 2], [True, False]),
    ],
)
def test_binary_labels(seen: list[object], codes: list[bool]) -> None:
    book = LabelBook("binary")
    assert [book.encode(label) for label in seen] == codes
    assert [book.decode(code) for code in codes] == seen
    assert [book.encode(label) for label in reversed(seen)] == codes[::-1]


def test_the_opposite_of_a_plain_label_is_known_before_it_is_seen() -> None:
    for label, other in ((True, False), (1, 0), ("yes", "no"), ("False", "True")):
        book = LabelBook("binary")
        book.encode(label)
        assert book.decode(not book.codes[label]) == other
        assert type(book.decode(not book.codes[label])) is type(other)


def test_a_third_class_is_refused() -> None:
    book = LabelBook("binary")
    book.encode("ham")
    book.encode("spam")
    with pytest.raises(DataError, match='the label is "eggs"; the two classes are "ham" and "spam"'):
        book.encode("eggs")
    book = LabelBook("binary", classes=("eggs", "ham"))
    assert (book.encode("ham"), book.encode("eggs")) == (True, False)
    with pytest.raises(DataError, match="the two classes are"):
        book.encode("spam")
    with pytest.raises(ValueError, match="two classes"):
        LabelBook("binary", classes=("one",))


def test_a_stray_label_does_not_take_the_place_of_the_obvious_one() -> None:
    book = LabelBook("binary")
    book.encode("yes")
    for stray in ("perhaps", True, 1, "true"):
        with pytest.raises(DataError, match='expected the opposite of "yes", or the same'):
            book.encode(stray)
    assert book.encode("no") is False


@pytest.mark.parametrize(
    "labels",
    [
        ["sky", "grass", "sky blue", "Sky", "", "çedille", "a" * 100, "a" * 99 + "b", "a" * 24, "a\0", "a"],
        [8, 16, 0, -1, 24, 2**60, 1, 32, -(2**60), 64],
    ],
)
def test_classes_sort_as_their_labels_and_hash_by_appearance(labels: list[Any]) -> None:
    book = LabelBook("multiclass")
    codes = [book.encode(label) for label in labels]
    assert all(type(code) is int for code in codes)
    assert [hash(code) for code in codes] == list(range(len(labels)))
    short = [label for label in labels if not isinstance(label, str) or (len(label) < 20 and label != "a\0")]
    assert sorted(short, key=lambda label: book.codes[label]) == sorted(short)
    assert [book.decode(code) for code in codes] == labels
    assert [book.encode(label) for label in labels] == codes
    assert book.classes == labels
    for count in range(1, len(codes)):
        some = set(codes[:count])
        assert list(some) == codes[:count]
        assert list(pickle.loads(pickle.dumps(some))) == codes[:count], "a set comes back in its order"


def test_whole_number_classes_stay_numbers() -> None:
    book = LabelBook("multiclass")
    codes = [book.encode(label) for label in (7, 7.0, 2)]
    assert codes[0] == codes[1]
    assert [book.decode(code) for code in codes] == [7, 7, 2]
    with pytest.raises(DataError, match="is too large for a class; is this a regression"):
        book.encode(2**63)
    with pytest.raises(DataError, match='the label is "7"; expected one like 7, as before'):
        book.encode("7")
    with pytest.raises(DataError, match="expected text, a whole number"):
        book.encode(7.5)
    with pytest.raises(DataError, match="expected text, a whole number"):
        book.encode(float("nan"))


def test_classes_are_bounded() -> None:
    book = LabelBook("multiclass")
    for i in range(1_000):
        book.encode(i)
    with pytest.raises(DataError, match="would be class number 1,001; is this a regression"):
        book.encode(1_000)


@pytest.mark.parametrize("label", ["3.5", True, None, float("nan"), float("inf"), 1e200, 10**400, [1]])
def test_a_regression_takes_numbers_only(label: object) -> None:
    with pytest.raises(DataError, match="the label is"):
        LabelBook("regression").encode(label)


def test_a_regression_keeps_numbers_as_they_are() -> None:
    assert LabelBook("regression").encode(3) == 3
    assert LabelBook("regression").encode(-0.5) == -0.5
