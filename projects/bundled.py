"""The data sets that come with the portal. Pure data: the streams themselves are opened by the worker only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataSet:
    """A real stream that River ships.

    Parameters
    ----------
    name
        River's class name, and the key.
    title, description
        What people read.
    task
        What it can teach: `binary`, `multiclass` or `regression`.
    label
        What is predicted.
    events
        How many events it has.
    features
        Their names as they arrive; a time is split into numbers.
    labels
        The type of its labels, as `payload.label_type` names it.
    ordered
        Whether the order of the events is that of time, so that drift in it is real.

    """

    name: str
    title: str
    description: str
    task: str
    label: str
    events: int
    features: tuple[str, ...]
    labels: str
    ordered: bool = False


DATA_SETS: tuple[DataSet, ...] = (
    DataSet(
        "Phishing",
        "Phishing websites",
        "Is a web page a phishing page? Nine properties of the page and its address.",
        "binary",
        "is_phishing",
        1250,
        (
            "empty_server_form_handler",
            "popup_window",
            "https",
            "request_from_other_domain",
            "anchor_from_other_domain",
            "is_popular",
            "long_url",
            "age_of_domain",
            "ip_in_url",
        ),
        "boolean",
    ),
    DataSet(
        "Bananas",
        "Bananas",
        "Two banana-shaped clusters in the plane: easy to see, impossible for a straight line.",
        "binary",
        "in second cluster",
        5300,
        ("1", "2"),
        "boolean",
    ),
    DataSet(
        "Shuttle",
        "Space shuttle sensors",
        "Nine sensors of a space shuttle; one reading in fourteen is an anomaly.",
        "binary",
        "anomaly",
        49097,
        tuple(f"f{number}" for number in range(1, 10)),
        "integer",
    ),
    DataSet(
        "ImageSegments",
        "Image segments",
        "What an outdoor image region shows: brick, sky, foliage, cement, window, path or grass.",
        "multiclass",
        "category",
        2310,
        (
            "region-centroid-col",
            "region-centroid-row",
            "short-line-density-5",
            "short-line-density-2",
            "vedge-mean",
            "vegde-sd",
            "hedge-mean",
            "hedge-sd",
            "intensity-mean",
            "rawred-mean",
            "rawblue-mean",
            "rawgreen-mean",
            "exred-mean",
            "exblue-mean",
            "exgreen-mean",
            "value-mean",
            "saturation-mean",
            "hue-mean",
        ),
        "text",
    ),
    DataSet(
        "TrumpApproval",
        "Approval ratings",
        "A president's approval rating as one model saw it, from five polls a day.",
        "regression",
        "five_thirty_eight",
        1001,
        ("ordinal_date", "gallup", "ipsos", "morning_consult", "rasmussen", "you_gov"),
        "number",
        ordered=True,
    ),
    DataSet(
        "SP500Stocks",
        "Stock returns",
        "Tomorrow's return of ten large stocks from today's returns: almost nothing can be learned, as in real life.",
        "regression",
        "next_day_return",
        1257,
        ("AAPL", "AMZN", "IBM", "INTC", "JNJ", "JPM", "KO", "MSFT", "WMT", "XOM"),
        "number",
        ordered=True,
    ),
    DataSet(
        "WaterFlow",
        "Water flow",
        "Hourly flow through a water pipe over two months, with losses and repairs in it.",
        "regression",
        "Water flow [l/s]",
        1268,
        ("Time year", "Time month", "Time day", "Time weekday", "Time hour"),
        "number",
        ordered=True,
    ),
    DataSet(
        "ChickWeights",
        "Chick weights",
        "The weight of growing chicks on four diets.",
        "regression",
        "weight",
        578,
        ("time", "chick", "diet"),
        "number",
        ordered=True,
    ),
    DataSet(
        "AirlinePassengers",
        "Airline passengers",
        "Passengers per month from 1949 to 1960: a trend and a season, in 144 events.",
        "regression",
        "passengers",
        144,
        ("month year", "month month", "month day", "month weekday", "month hour"),
        "number",
        ordered=True,
    ),
)
_BY_NAME = {data_set.name: data_set for data_set in DATA_SETS}


def data_sets_for(task: str) -> list[DataSet]:
    """Return the data sets that can teach `task`."""
    return [data_set for data_set in DATA_SETS if data_set.task == task]


def find_data_set(name: str) -> DataSet:
    """Return the data set called `name`, or raise `LookupError`."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise LookupError(f"no data set {name!r}") from None
