"""Streams that come with the portal: real ones that River bundles, and generators whose drift is known.

What is known of them is here, without importing River; `stream_readers` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

from .catalogue import BINARY, MULTICLASS, REGRESSION

MAX_GENERATED = 1_000_000


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream to learn from.

    Parameters
    ----------
    slug
        Its key.
    title
        What people read.
    task
        The task it poses.
    label
        What its label is called.
    events
        How many events it has; for a generator, how many it gives unless asked otherwise.
    help
        One or two sentences on what it is.
    real
        Whether it was observed, rather than generated.
    drift
        What changes in it, and where, as far as that is known.
    positive
        For a binary task, what a positive label means.
    """

    slug: str
    title: str
    task: str
    label: str
    events: int
    help: str
    real: bool = True
    drift: str = ""
    positive: str = ""


STREAMS: tuple[Stream, ...] = (
    Stream(
        "phishing",
        "Phishing pages",
        BINARY,
        "phishing",
        1_250,
        "Nine traits of web pages, from missing https to the age of the domain. Is the page a phishing page?",
        positive="a phishing page",
    ),
    Stream(
        "image-segments",
        "Image segments",
        MULTICLASS,
        "surface",
        2_310,
        "Colour and texture of outdoor image regions. Which of seven surfaces is it: brick, sky, foliage, ...?",
    ),
    Stream(
        "trump-approval",
        "Approval ratings",
        REGRESSION,
        "approval",
        1_001,
        "Polls of five institutes, day by day. What is the approval rating of the combined forecast?",
    ),
    Stream(
        "shuttle",
        "Shuttle sensors",
        BINARY,
        "anomaly",
        49_097,
        "Nine sensor readings of a space shuttle. Is the state a rare one? About 7% are.",
        positive="one of the rare states",
    ),
    Stream(
        "bananas",
        "Bananas",
        BINARY,
        "curved_up",
        5_300,
        "Points in the plane, in two clusters shaped like bananas. Which one? Linear models cannot tell.",
        positive="of the second cluster",
    ),
    Stream(
        "chick-weights",
        "Chick weights",
        REGRESSION,
        "weight",
        578,
        "Age and diet of chicks, ordered by time. What does each weigh?",
    ),
    Stream(
        "sp500",
        "Stock returns",
        REGRESSION,
        "next_return",
        1_257,
        "Daily returns of ten large companies. What is the market's return on the next day? Close to noise.",
    ),
    Stream(
        "water-flow",
        "Water flow",
        REGRESSION,
        "flow",
        1_268,
        "Hour, weekday and day of readings in a water pipe, with four faults in it. How much flows?",
    ),
    Stream(
        "airline-passengers",
        "Airline passengers",
        REGRESSION,
        "passengers",
        144,
        "Year and month. How many passengers flew? A rising trend with a yearly season.",
    ),
    Stream(
        "sea-abrupt",
        "SEA, abrupt drift",
        BINARY,
        "above",
        10_000,
        "Three numbers; the label says whether two of them add up to more than a threshold. A tenth of it is noise.",
        real=False,
        drift="The threshold changes at once, in the middle.",
        positive="above the threshold",
    ),
    Stream(
        "sea-gradual",
        "SEA, gradual drift",
        BINARY,
        "above",
        10_000,
        "Three numbers; the label says whether two of them add up to more than a threshold. A tenth of it is noise.",
        real=False,
        drift="The threshold changes around the middle, over a fifth of the stream.",
        positive="above the threshold",
    ),
    Stream(
        "agrawal",
        "Loan applications",
        BINARY,
        "group_a",
        10_000,
        "Nine traits of loan applicants, made by Agrawal's generator. Which group does the bank put them in?",
        real=False,
        positive="group A",
    ),
    Stream(
        "agrawal-abrupt",
        "Loan applications, abrupt drift",
        BINARY,
        "group_a",
        10_000,
        "Nine traits of loan applicants, made by Agrawal's generator. Which group does the bank put them in?",
        real=False,
        drift="The bank changes its rule at once, in the middle.",
        positive="group A",
    ),
    Stream(
        "hyperplane",
        "Rotating hyperplane",
        BINARY,
        "above",
        10_000,
        "Ten numbers on one or the other side of a plane that keeps turning.",
        real=False,
        drift="It turns a little with every event.",
        positive="above the plane",
    ),
    Stream(
        "led",
        "Broken display",
        MULTICLASS,
        "digit",
        10_000,
        "The seven bars of a digital display, each wrong one time in ten. Which digit is it?",
        real=False,
    ),
    Stream(
        "friedman",
        "Friedman",
        REGRESSION,
        "y",
        10_000,
        "Ten numbers, five of which make up the label, with products and squares in it.",
        real=False,
    ),
    Stream(
        "friedman-drift",
        "Friedman, abrupt drift",
        REGRESSION,
        "y",
        10_000,
        "Ten numbers, five of which make up the label, with products and squares in it.",
        real=False,
        drift="Which numbers matter changes after a third and after two thirds of the stream.",
    ),
)


def list_streams(task: str | None = None, *, real: bool | None = None) -> list[Stream]:
    """Return the streams, those of a task or kind if asked.

    Examples
    --------
    >>> [stream.slug for stream in list_streams("multiclass")]
    ['image-segments', 'led']
    """
    return [
        stream for stream in STREAMS if (task is None or stream.task == task) and (real is None or stream.real == real)
    ]


def find_stream(slug: str) -> Stream:
    """Return the stream with this slug, or raise `LookupError`."""
    for stream in STREAMS:
        if stream.slug == slug:
            return stream
    raise LookupError(f"no stream {slug!r}")
