"""Cron expressions as Debian's cron reads them: five fields, in a time zone, daylight saving included.

A job at a fixed time that falls into the hour that is skipped runs right after it, and one that falls into the hour
that comes twice runs in its first; a job with a star for its hour or minute follows the real time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from django.utils.translation import gettext_lazy as _

from apps.probes.reasons import Text

_FIELDS = 5
_FIELD_NAMES: dict[str, Text] = {
    "minute": _("the minute (first field, 0 to 59)"),
    "hour": _("the hour (second field, 0 to 23)"),
    "day-of-month": _("the day of the month (third field, 1 to 31)"),
    "month": _("the month (fourth field, 1 to 12 or JAN to DEC)"),
    "day-of-week": _("the day of the week (fifth field, 0 to 7 or SUN to SAT)"),
}
# What the library stumbles over instead of refusing it.
_UNREADABLE = (CronSimError, AssertionError, ValueError, TypeError)
# Any fixed moment: whether an expression ever fires depends on no moment.
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class BadCron(Exception):
    """An expression nobody can keep to; `sentence` says what is wrong and what would be right."""

    def __init__(self, sentence: Text) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The time zones this machine knows."""
    return frozenset(available_timezones())


def check_cron(expression: str) -> None:
    """Raises BadCron unless the expression has five readable fields, fires at all, and pauses now and then."""
    fields = expression.split()
    if len(fields) == _FIELDS + 1:
        raise BadCron(
            _("These are six fields; seconds would make it fire constantly. Leave them out: “%(right)s”.")
            % {"right": " ".join(fields[1:])}
        )
    if len(fields) != _FIELDS:
        raise BadCron(
            _("Enter five fields (minute, hour, day of the month, month, day of the week), as in “0 2 * * *”.")
        )
    try:
        parsed = CronSim(expression, _SOME_DAY)
        next(parsed)
    except StopIteration:
        raise BadCron(_never()) from None
    except _UNREADABLE as error:
        raise BadCron(_explain(str(error), fields)) from error
    if _fires_every_minute(expression):
        raise BadCron(_("This fires constantly, every minute: leave it empty and give a period of 60 seconds instead."))


def _never() -> Text:
    return _("This never fires: there is no such day in the months it names.")


def _explain(error: str, fields: list[str]) -> Text:
    name = error.removeprefix("Bad ")
    if name == "day-of-month" and _readable(fields[2]):
        return _never()
    if name in _FIELD_NAMES:
        return _("Not readable: %(field)s. An example that is: “0 2 * * MON-FRI”.") % {"field": _FIELD_NAMES[name]}
    return _("Not readable. An example that is: “0 2 * * MON-FRI”.")


def _readable(day: str) -> bool:
    """Whether the third field is right by itself, so that it is only its months that lack the day."""
    try:
        CronSim(f"0 0 {day} * *", _SOME_DAY)
    except _UNREADABLE:
        return False
    return True


def _fires_every_minute(expression: str) -> bool:
    """Every minute of every day of a leap year's worth of months, whichever way that is written."""
    parsed = CronSim(expression, _SOME_DAY)
    if len(parsed.minutes) < 60 or len(parsed.hours) < 24 or len(parsed.months) < 12:
        return False
    year = (_SOME_DAY.date() + timedelta(days=number) for number in range(366))
    return all(parsed.match_day(day) for day in year)


def next_fire(expression: str, zone: str, after: datetime) -> datetime:
    """The first moment (UTC) after `after` at which the expression fires in the zone.

    Both were checked when they were stored. Raises StopIteration for an expression that never fires.
    """
    fires = CronSim(expression, after.astimezone(ZoneInfo(zone)))
    while True:
        moment = next(fires).astimezone(UTC)
        # In the hour that comes twice the library starts from the wall clock, whose first time has passed already.
        if moment > after:
            return moment
