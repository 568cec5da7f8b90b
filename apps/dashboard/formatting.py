"""Numbers as a person reads them: a unit beside each, and no more digits than the value can carry.

Pure but for the active language. A value that does not exist is an en dash, never a zero.
`core.money` writes money.
"""

from __future__ import annotations

import math

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

ABSENT = "–"
_NO_BREAK = "\u00a0"
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def duration(milliseconds: float | None) -> str:
    """A measured time: "0.42 ms", "4.2 ms", "32 ms", "183 ms", "1.24 s", "12.4 s", then as `span`."""
    if milliseconds is None or not math.isfinite(milliseconds):
        return ABSENT
    value = max(0.0, float(milliseconds))
    if value < 999.5:
        return _glue(_("%(number)s ms") % {"number": _milliseconds(value)})
    seconds = value / 1000
    if seconds < 59.95:
        return _glue(_("%(number)s s") % {"number": _digits(seconds)})
    return span(seconds)


def span(seconds: float | None) -> str:
    """A stretch of time in its two largest units: "8 s", "12 min", "2 min 5 s", "3 d 4 h"."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    whole = max(0, round(seconds))
    values = {
        "days": whole // _DAY,
        "hours": whole % _DAY // _HOUR,
        "minutes": whole % _HOUR // _MINUTE,
        "seconds": whole % _MINUTE,
    }
    if values["days"]:
        # From a fortnight on the hours say nothing any more.
        with_hours = values["hours"] and values["days"] < 14
        text = _("%(days)s d %(hours)s h") if with_hours else _("%(days)s d")
    elif values["hours"]:
        text = _("%(hours)s h %(minutes)s min") if values["minutes"] else _("%(hours)s h")
    elif values["minutes"]:
        text = _("%(minutes)s min %(seconds)s s") if values["seconds"] else _("%(minutes)s min")
    else:
        text = _("%(seconds)s s")
    return _glue(text % values)


def percent(ratio: float | None, places: int = 3) -> str:
    """A ratio 0..1: "99.982 %", "100 %". Cut, never rounded up: an uptime below 100 % must not read as 100 %."""
    if ratio is None or not math.isfinite(ratio):
        return ABSENT
    # The small addition undoes binary noise (0.99982 * 1e5 is 99981.999…) and is far below the last digit shown.
    cut = math.floor(ratio * 100 * 10**places + 1e-6) / 10**places
    text = f"{cut:.{places}f}"
    number = text.rstrip("0").rstrip(".") if "." in text else text
    return _glue(pgettext("a percentage", "%(number)s %%") % {"number": number})


def count(value: int | float | None) -> str:
    """A count with its thousands apart: "12,483"."""
    return ABSENT if value is None else f"{value:,.0f}"


def number(value: float | None) -> str:
    """A bare measurement with three significant digits: "0.042", "4.2", "183", "12,483"."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return _digits(value) if abs(value) < 1000 else count(value)


def per_second(value: float | None) -> str:
    """How often something happens: "0.2/s", "183/s"."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return _glue(pgettext("so many a second", "%(number)s/s") % {"number": number(value)})


def tokens_per_second(value: float | None) -> str:
    """How fast a model writes: "83.1 tokens/s"."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return _glue(_("%(number)s tokens/s") % {"number": number(value)})


def offset(seconds: float | None) -> str:
    """By how much a clock is ahead (+) or behind (−): "+32 ms", "−1 h"."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    sign = "+" if seconds > 0 else "−" if seconds < 0 else "±"
    return f"{sign}{offset_span(seconds)}"


def offset_span(seconds: float | None) -> str:
    """The same without its direction: "32 ms", "1 h"."""
    return duration(None if seconds is None else abs(seconds) * 1000)


def byte_size(size: float | None) -> str:
    """Bytes in decimal units: "512 B", "1.2 MB"."""
    if size is None or not math.isfinite(size):
        return ABSENT
    value, position = float(size), 0
    while abs(value) >= 999.5 and position < len(_BYTE_UNITS) - 1:
        value, position = value / 1000, position + 1
    return f"{_digits(value)}{_NO_BREAK}{_BYTE_UNITS[position]}"


def _milliseconds(value: float) -> str:
    """Two significant digits below ten milliseconds, whole ones above: less is noise."""
    if value == 0 or value >= 9.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.995 else f"{value:.2f}"


def _digits(value: float) -> str:
    """Three significant digits, fewer where the rest are zeros after the point."""
    size = abs(value)
    if size >= 99.95:
        return f"{value:.0f}"
    places = 1 if size >= 9.995 else 2
    if 0 < size < 0.1:
        places = 3
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if value == round(value) else text


def _glue(text: str) -> str:
    """A number and its unit stay on one line."""
    return text.replace(" ", _NO_BREAK)
