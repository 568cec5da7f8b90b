"""Moments, stretches of time and measured values in the active language. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def parse_moment(value: Any) -> datetime | None:
    """A moment as payloads write it (ISO 8601, UTC); None where there is none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment_words(moment: datetime, zone: ZoneInfo) -> str:
    """Day, time and zone as on the pages: "21 Nov 2026, 14:03:09 KST"; Korean dates in Korean order."""
    pattern = pgettext("date and time, as in Django's date filter", "j M Y, H:i:s")
    local = moment.astimezone(zone)
    return f"{format_date(local, pattern)} {local.tzname() or ''}".strip()


def span_words(seconds: float) -> str:
    """A stretch of time in its two largest units: "8 s", "12 min", "3 d 4 h"; seconds only below a minute."""
    whole = max(0, round(seconds))
    values = {"days": whole // _DAY, "hours": whole % _DAY // _HOUR, "minutes": whole % _HOUR // _MINUTE}
    if values["days"]:
        text = _("%(days)s d %(hours)s h") if values["hours"] and values["days"] < 14 else _("%(days)s d")
    elif values["hours"]:
        text = _("%(hours)s h %(minutes)s min") if values["minutes"] else _("%(hours)s h")
    elif values["minutes"]:
        text = _("%(minutes)s min")
    else:
        text = _("%(seconds)s s")
    return (text % {**values, "seconds": whole}).replace(" ", "\u00a0")


def quantity(value: Any, unit: str) -> str:
    """A measured value with its unit: "2.4 s", "74 %", "12"; an en dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    units = {
        "s": _("%(number)s s"),
        "ms": _("%(number)s ms"),
        "%": pgettext("a percentage", "%(number)s %%"),
        "d": _("%(number)s d"),
        "tokens/s": _("%(number)s tokens/s"),
    }
    return (units[unit] % {"number": number} if unit in units else number).replace(" ", "\u00a0")
