"""Values as a person reads them: rounded, grouped, with their unit; the exact value always in the title."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

DASH = "—"
TIMES = "\N{MULTIPLICATION SIGN}"
#: Below this many seconds, count in this unit
AGO = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (math.inf, 86400, "day"))
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def nothing(title: str = "No value yet") -> SafeString:
    """What stands where a value is missing."""
    return format_html('<span class="muted" title="{}">{}</span>', title, DASH)


def _as_float(value: object) -> float | None:
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def number(value: object) -> str:
    """12345 -> 12,345; 0.12345 -> 0.123; no value -> a dash."""
    if isinstance(value, int):
        return f"{value:,}"
    found = _as_float(value)
    if found is None:
        return nothing()
    if found == int(found):
        return f"{int(found):,}"
    places = 0 if abs(found) >= 1000 else 1 if abs(found) >= 100 else 2 if abs(found) >= 1 else 3
    return f"{found:,.{places}f}"


def compact(value: object) -> SafeString:
    """12345 -> 12.3k with the exact number in the title."""
    found = _as_float(value)
    if found is None:
        return nothing()
    text = number(value)
    for limit, unit in ((1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if abs(found) >= limit:
            scaled = found / (1e3 if unit == "k" else limit)
            text = f"{scaled:,.0f}{unit}" if abs(scaled) >= 100 else f"{scaled:.1f}{unit}"
            break
    return format_html('<data class="num" value="{}" title="{}">{}</data>', str(value), number(value), text)


def plain_metric(value: object) -> str | None:
    """Four sensible digits, with places fixed by size so that a column of similar values lines up."""
    found = _as_float(value)
    if found is None:
        return None
    size = abs(found)
    if 0 < size < 0.00005:
        mantissa, exponent = f"{found:.1e}".split("e-")
        return f"{mantissa}{TIMES}10⁻{exponent.lstrip('0').translate(SUPERSCRIPTS)}"
    places = 4 if size < 1.00005 else 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{found:,.{places}f}"


def metric(value: object) -> SafeString:
    """0.893217 -> 0.8932 with every digit in the title; a metric without a value yet -> a dash that says so."""
    text = plain_metric(value)
    if text is None:
        return nothing("Not measured yet")
    return format_html('<data class="num" value="{0}" title="{0}">{1}</data>', repr(_as_float(value)), text)


def percent(value: object, places: int = 1) -> str:
    """0.8932 -> 89.3%. Only a whole is called 100%: 0.9999 stays below."""
    found = _as_float(value)
    if found is None:
        return nothing()
    shown = found * 100
    if found < 1 and round(shown, places) >= 100:
        shown = 100 - 10**-places
    return f"{shown:.{places}f}".removesuffix("." + "0" * places) + "%"


def duration(value: object) -> str:
    """Seconds or a timedelta as 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 3 days 4 h."""
    seconds = _as_float(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds is None:
        return nothing()
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    if seconds < 0.9995:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{sign}{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes == 0:
        return f"{sign}{rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{sign}{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")
    days, hours = divmod(hours, 24)
    if days == 0:
        return f"{sign}{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{sign}{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours and days < 10 else "")


def file_size(value: object) -> str:
    """1600000 -> 1.6 MB."""
    found = _as_float(value)
    if found is None:
        return nothing()
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(found) < 999.5 or unit == "TB":
            break
        found /= 1000
    return f"{found:.0f} {unit}" if unit == "B" or abs(found) >= 99.5 else f"{found:.1f} {unit}"


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return timezone.localtime(value if timezone.is_aware(value) else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return timezone.make_aware(datetime(value.year, value.month, value.day))
    return None


def _exact(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M:%S %Z}"


def exact_time(value: object) -> SafeString:
    """A time to the second, with its zone."""
    moment = _moment(value)
    if moment is None:
        return nothing("Not yet")
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), _exact(moment))


def short_time(value: object) -> SafeString:
    """The hour and minute today, the day otherwise; the exact time in the title."""
    moment = _moment(value)
    if moment is None:
        return nothing("Not yet")
    now = timezone.localtime()
    if moment.date() == now.date():
        text = f"{moment:%H:%M}"
    else:
        text = f"{moment.day} {moment:%b}" + ("" if moment.year == now.year else f" {moment.year}")
    stamp = moment.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, _exact(moment), text)


def timeago(value: object) -> SafeString:
    """How long ago (js/time.js keeps it fresh), the exact time in the title; a date once it is over a month."""
    moment = _moment(value)
    if moment is None:
        return nothing("Not yet")
    stamp, exact = moment.isoformat(timespec="seconds"), _exact(moment)
    seconds = (timezone.now() - moment).total_seconds()
    if abs(seconds) >= 30 * 86400:
        text = f"{moment.day} {moment:%b}" + ("" if moment.year == timezone.localtime().year else f" {moment.year}")
        return format_html('<time datetime="{}" title="{}">{}</time>', stamp, exact, text)
    return format_html('<time datetime="{}" title="{}" data-ago>{}</time>', stamp, exact, _ago(seconds))


def _ago(seconds: float) -> str:
    size = abs(seconds)
    if size < 10:
        return "just now"
    unit, name = next((unit, name) for limit, unit, name in AGO if size < limit)
    count = int(size // unit)
    text = f"{count} {name}" + ("s" if name == "day" and count != 1 else "")
    return f"{text} ago" if seconds > 0 else f"in {text}"


FILTERS = {
    "number": number,
    "compact": compact,
    "metric": metric,
    "percent": percent,
    "duration": duration,
    "bytes": file_size,
    "exact_time": exact_time,
    "short_time": short_time,
    "timeago": timeago,
}
