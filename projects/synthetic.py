"""Streams that are made up, with drift whose place is known. Pure data: only the worker opens their generators."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

NO_DRIFT, ABRUPT, GRADUAL = "none", "abrupt", "gradual"
MAX_EVENTS = 5_000_000
MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SyntheticStream:
    """A generator of River, and what it can be asked for.

    Parameters
    ----------
    name
        Its key.
    title, description
        What people read.
    task, label
        What it can teach, and what is predicted.
    drift
        What another concept is, for streams that can change from one to the other.
    always
        What changes all the time, for streams that cannot be without it.

    """

    name: str
    title: str
    description: str
    task: str
    label: str
    drift: str = ""
    always: str = ""


STREAMS: tuple[SyntheticStream, ...] = (
    SyntheticStream(
        "sea",
        "SEA",
        "Three numbers; the label says whether the first two add up to more than a threshold. A tenth of it is noise.",
        "binary",
        "above",
        drift="Another threshold.",
    ),
    SyntheticStream(
        "agrawal",
        "Loan applications",
        "Nine traits of loan applicants, made by Agrawal's generator. Which group does the bank put them in?",
        "binary",
        "group_a",
        drift="The bank follows another rule.",
    ),
    SyntheticStream(
        "hyperplane",
        "Rotating hyperplane",
        "Ten numbers on one or the other side of a plane. A twentieth of it is noise.",
        "binary",
        "above",
        always="The plane turns a little with every event.",
    ),
    SyntheticStream(
        "led",
        "Broken display",
        "The seven bars of a digital display, each wrong one time in ten. Which digit is it?",
        "multiclass",
        "digit",
        drift="Some bars swap their places.",
    ),
    SyntheticStream(
        "rbf",
        "Wandering clusters",
        "Ten numbers around fifty centres, each of one of four classes.",
        "multiclass",
        "cluster",
        always="The centres move a little with every event.",
    ),
    SyntheticStream(
        "friedman",
        "Friedman",
        "Ten numbers, five of which make up the label, with products and squares in it.",
        "regression",
        "y",
        drift="Other numbers matter.",
    ),
)
_BY_NAME = {stream.name: stream for stream in STREAMS}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A synthetic stream with everything that decides its events: the same recipe makes the same ones.

    Parameters
    ----------
    stream
        Name of the stream.
    seed
        Seed of the generator.
    drift
        `none`, `abrupt` or `gradual`.
    drift_at
        Number of the event at which the new concept begins, or half of the events are of it.
    drift_width
        Over how many events a gradual drift goes on.

    """

    stream: str
    seed: int
    drift: str = NO_DRIFT
    drift_at: int = 0
    drift_width: int = 0

    def as_options(self) -> dict[str, Any]:
        """Return the recipe as it is kept with the import."""
        return asdict(self)

    @classmethod
    def from_options(cls, options: dict[str, Any]) -> Recipe:
        """Return the recipe kept with an import."""
        return cls(**{name: options[name] for name in cls.__dataclass_fields__})

    @property
    def key_prefix(self) -> str:
        """What its events are called by, before their number."""
        place = {ABRUPT: f"-a{self.drift_at}", GRADUAL: f"-g{self.drift_at}w{self.drift_width}"}
        return f"{self.stream}-s{self.seed}{place.get(self.drift, '')}-"

    def in_words(self) -> str:
        """Say what the stream does."""
        if self.drift == ABRUPT:
            return f"an abrupt drift at event {self.drift_at:,}"
        if self.drift == GRADUAL:
            return f"a gradual drift around event {self.drift_at:,}, over {self.drift_width:,} events"
        return find_stream(self.stream).always[:-1].lower() or "no drift"


def streams_for(task: str) -> list[SyntheticStream]:
    """Return the streams that can teach `task`."""
    return [stream for stream in STREAMS if stream.task == task]


def find_stream(name: str) -> SyntheticStream:
    """Return the stream called `name`, or raise `LookupError`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise LookupError(f"no stream {name!r}") from None
