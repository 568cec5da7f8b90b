"""Moments and periods in words, in the reader's language and zone. The browser keeps relative ones up to date."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core import clock
from apps.dashboard import formatting

_JUST_NOW_SECONDS = 1


def absolute(moment: datetime) -> str:
    """Day, time to the second and zone: "21 Nov 2026, 14:03:09 KST"; Korean dates are in Korean order."""
    pattern = pgettext("date and time, as in Django's date filter", "j M Y, H:i:s")
    local = timezone.localtime(moment)
    return f"{format_date(local, pattern)} {local.tzname() or ''}".strip()


def clock_time(moment: datetime) -> str:
    """Hours and minutes: "14:03"."""
    return format_date(timezone.localtime(moment), "H:i")


def day(moment: datetime) -> str:
    """The day: "21 Nov 2026"."""
    return format_date(timezone.localtime(moment), pgettext("date, as in Django's date filter", "j M Y"))


def relative(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, or in how long: "just now", "12 min ago", "in 3 d 4 h"."""
    seconds = ((now or clock.now()) - moment).total_seconds()
    if abs(seconds) < _JUST_NOW_SECONDS:
        return _("just now")
    words = formatting.span(_coarse(abs(seconds)))
    return _("%(span)s ago") % {"span": words} if seconds > 0 else _("in %(span)s") % {"span": words}


def between(start: datetime, end: datetime) -> str:
    """A period, its day named once when it lies within one: "21 Nov 2026, 14:00–14:30"."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    values = {"start": clock_time(start), "end": clock_time(end), "day": day(start), "last_day": day(end)}
    if first.date() == last.date():
        return _("%(day)s, %(start)s–%(end)s") % values
    return _("%(day)s, %(start)s – %(last_day)s, %(end)s") % values


def _coarse(seconds: float) -> float:
    """Seconds next to minutes only make a page flicker: one unit below an hour, two above."""
    return seconds if seconds < 60 else seconds // 60 * 60
