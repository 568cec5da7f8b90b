"""How some time is cut into equal parts for a chart, and from where each part is read. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Parts as people count them; the narrowest that gives no more parts than a chart has room for.
_WIDTHS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 10_080))
MOST_PARTS = 170
# Results younger than this are read one by one, so that a chart is never behind; older ones from their hours.
READ_RAW = timedelta(hours=48)
# Time as short as that is read from results for as long as there are any: hours are too wide for it.
_SHORT = timedelta(hours=48)
RESULTS_LAST = timedelta(days=29)


@dataclass(frozen=True)
class Window:
    """From `start` to `end`, in `count` parts of `width`; the first begins on a round moment at or before `start`.

    What lies before `day_cut` is read from days, what lies before `cut` from hours, the rest from results.
    """

    start: datetime
    end: datetime
    width: timedelta
    count: int
    day_cut: datetime
    cut: datetime

    @classmethod
    def of(cls, start: datetime, end: datetime, now: datetime) -> Window:
        """Raises ValueError when `end` is not after `start`."""
        if end <= start:
            raise ValueError("A window ends after it began.")
        raw = end - start <= _SHORT and start >= now - RESULTS_LAST
        width = _width(end - start, timedelta(minutes=1) if raw else HOUR)
        first = _floor(start, width)
        count = -((first - end) // width)
        cut = first if raw else min(max(_floor(now - READ_RAW, HOUR), first), end)
        by_days = not raw and width % DAY == timedelta(0)
        return cls(first, end, width, count, max(_floor(cut, DAY), first) if by_days else first, cut)

    @property
    def times(self) -> list[datetime]:
        """When each part begins."""
        return [self.start + self.width * position for position in range(self.count)]


def floor_hour(at: datetime) -> datetime:
    return _floor(at, HOUR)


def _width(length: timedelta, narrowest: timedelta) -> timedelta:
    fitting = (width for width in _WIDTHS if width >= narrowest and length / width < MOST_PARTS)
    return next(fitting, _WIDTHS[-1])


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _floor(at: datetime, width: timedelta) -> datetime:
    return _EPOCH + (at - _EPOCH) // width * width
