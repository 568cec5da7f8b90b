"""Times of day and week in a time zone: when a route is active, when a channel is quiet. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils.translation import gettext_lazy as _

from apps.alerts.unreadable import Unreadable

MAX_RANGES = 20
_DAYS_IN_A_WEEK = 7


@dataclass(frozen=True)
class TimeRange:
    """From `start` to `end` (the next morning when it is not after `start`) on the days it begins; Monday is 0."""

    days: frozenset[int]
    start: time
    end: time

    def contains(self, local: datetime) -> bool:
        """`local` is wall-clock time in the zone of the range."""
        now = local.time()
        if self.start < self.end:
            return local.weekday() in self.days and self.start <= now < self.end
        yesterday = (local.weekday() - 1) % _DAYS_IN_A_WEEK
        return (local.weekday() in self.days and now >= self.start) or (yesterday in self.days and now < self.end)


def load(stored: object) -> tuple[TimeRange, ...]:
    """Ranges as they are stored, which `parse` has accepted before. Raises Unreadable for anything else."""
    ranges, errors = parse(stored)
    if errors:
        raise Unreadable("no hours")
    return tuple(
        TimeRange(frozenset(entry["days"]), time.fromisoformat(entry["start"]), time.fromisoformat(entry["end"]))
        for entry in ranges
    )


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; UTC where it does not exist (any more): an update of the system may take one away."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def is_inside(ranges: Iterable[TimeRange], zone: str, at: datetime) -> bool:
    """Whether `at` (aware) is in any of the ranges."""
    local = at.astimezone(zone_of(zone))
    return any(entry.contains(local) for entry in ranges)


def next_change(ranges: Iterable[TimeRange], zone: str, at: datetime) -> datetime:
    """The next moment, to the minute and at most eight days on, at which being inside changes.

    Where clocks are turned back an edge comes twice; where they are turned forward over one, it may be told too late.
    """
    ranges = tuple(ranges)
    inside = is_inside(ranges, zone, at)
    local = at.astimezone(zone_of(zone))
    moments = sorted(
        datetime.combine(local.date() + timedelta(days=days), edge, local.tzinfo).replace(fold=fold).astimezone(UTC)
        for days in range(9)
        for edge in {side for entry in ranges for side in (entry.start, entry.end)}
        for fold in (0, 1)
    )
    for moment in moments:
        if moment > at and is_inside(ranges, zone, moment) != inside:
            return moment
    return at + timedelta(days=8)


def parse(given: object) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    """Ranges from outside: `(stored form, errors by path)`, one of the two empty."""
    if not isinstance(given, list):
        return [], {"": [_('Send a list, such as [{"days": [0, 1, 2, 3, 4], "start": "22:00", "end": "07:00"}].')]}
    if len(given) > MAX_RANGES:
        return [], {"": [_("At most 20 ranges.")]}
    errors: dict[str, list[Any]] = {}
    for number, entry in enumerate(given):
        errors.update({f"{number}{path}": [text] for path, text in _problems(entry).items()})
    if errors:
        return [], errors
    return [
        {"days": sorted(set(entry["days"])), "start": _clock(entry["start"]), "end": _clock(entry["end"])}
        for entry in given
    ], {}


def _problems(entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict):
        return {"": _('Send an object with "days", "start" and "end".')}
    problems: dict[str, Any] = {}
    days, start, end = entry.get("days"), _clock(entry.get("start")), _clock(entry.get("end"))
    if not isinstance(days, list) or not days or any(type(day) is not int or not 0 <= day <= 6 for day in days):
        problems[".days"] = _("List the days by number, from 0 for Monday to 6 for Sunday.")
    for name, value in ((".start", start), (".end", end)):
        if value is None:
            problems[name] = _("Enter a time of day, such as 22:00.")
    if start is not None and start == end:
        problems[".end"] = _("It ends when it begins; leave the range out for always.")
    return problems


def _clock(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return time.fromisoformat(value).replace(second=0, microsecond=0, tzinfo=None).strftime("%H:%M")
    except ValueError:
        return None


def zone_problem(name: object) -> Any | None:
    """What is wrong with a time zone's name; None when it exists."""
    if isinstance(name, str) and name in available_timezones():
        return None
    return _("There is no time zone of this name; one would be Europe/Berlin or Asia/Seoul.")
