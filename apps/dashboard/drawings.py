"""The geometry of small drawings (sparklines, history bars), computed here so that they need no script to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from apps.dashboard import formatting, moments
from apps.dashboard.statuses import StatusLook, look_of


@dataclass(frozen=True)
class Sparkline:
    """An SVG path in a box of `width` x `height`; a gap in the values is a gap in the path. None of it: `path` ""."""

    path: str
    area: str
    width: int
    height: int
    last: float | None
    low: float | None
    high: float | None
    end_x: float
    end_y: float


def sparkline(values: Sequence[float | None], width: int = 120, height: int = 28) -> Sparkline:
    """Draw `values` from left to right, around the middle of their range."""
    known = [value for value in values if value is not None]
    if not known:
        return Sparkline("", "", width, height, None, None, None, 0, 0)
    low, high = min(known), max(known)
    # The box spans at least half the middle value, so that a tremor of a few per cent looks like one.
    middle = (low + high) / 2
    reach = max((high - low) * 1.2, abs(middle) / 2) or 1.0
    floor = middle - reach / 2
    step = width / max(1, len(values) - 1)

    def point(position: int, value: float) -> tuple[float, float]:
        return round(position * step, 1), round(height - (value - floor) / reach * height, 1)

    runs = [
        [point(position, value) for position, value in run if value is not None]
        for present, run in groupby(enumerate(values), key=lambda pair: pair[1] is not None)
        if present
    ]
    end_x, end_y = runs[-1][-1]
    return Sparkline(
        path=" ".join(_line(run) for run in runs),
        area=" ".join(f"{_line(run)}L{run[-1][0]} {height}L{run[0][0]} {height}Z" for run in runs if len(run) > 1),
        width=width,
        height=height,
        last=next((value for value in reversed(values) if value is not None), None),
        low=low,
        high=high,
        end_x=end_x,
        end_y=end_y,
    )


def _line(points: list[tuple[float, float]]) -> str:
    first, *rest = points
    # A lone point becomes a line of no length: with round caps it is seen as a dot.
    return f"M{first[0]} {first[1]}" + ("".join(f"L{x} {y}" for x, y in rest) or f"L{first[0]} {first[1]}")


@dataclass(frozen=True)
class Bar:
    """One segment of a history bar: per cent of its width, its look, and the words of its tooltip."""

    x: float
    width: float
    look: StatusLook
    tip: str


@dataclass(frozen=True)
class History:
    """A bar drawn to scale, and the same as words: stretches of one status for those who cannot see it."""

    bars: list[Bar]
    stretches: list[str]
    summary: str
    start: datetime | None
    end: datetime | None


def history(segments: Iterable[Any]) -> History:
    """Draw segments: anything with `start`, `end`, `status` and, if known, `seconds` by status and a `note`."""
    entries = list(segments)
    if not entries:
        return History([], [], _("No history yet."), None, None)
    start, end = entries[0].start, entries[-1].end
    whole = max(1.0, (end - start).total_seconds())
    bars = [
        Bar(
            x=round(100 * (entry.start - start).total_seconds() / whole, 3),
            width=round(100 * (entry.end - entry.start).total_seconds() / whole, 3),
            look=look_of(entry.status),
            tip=_tip(entry),
        )
        for entry in entries
    ]
    return History(bars, _stretches(entries), _summary(entries), start, end)


def _tip(entry: Any) -> str:
    """The first line is the status, then the period, then what made it so."""
    lines = [look_of(entry.status).word, moments.between(entry.start, entry.end)]
    lines += _parts(getattr(entry, "seconds", None) or {}, entry)
    note = getattr(entry, "note", "")
    return "\n".join([*lines, *([str(note)] if note else [])])


def _parts(seconds: Mapping[Any, float], entry: Any) -> list[str]:
    """How long each status lasted, for a segment that is not of one piece."""
    lasting = {status: value for status, value in seconds.items() if value >= 1}
    if len(lasting) < 2:
        return []
    return [
        _("%(status)s for %(span)s") % {"status": look_of(status).word, "span": formatting.span(value)}
        for status, value in sorted(lasting.items(), key=lambda pair: -pair[1])
    ]


def _stretches(entries: Sequence[Any]) -> list[str]:
    stretches = []
    for status, run in groupby(entries, key=lambda entry: look_of(entry.status).value):
        of_one = list(run)
        words = {"status": look_of(status).word, "period": moments.between(of_one[0].start, of_one[-1].end)}
        lasted, whole = _lasted(of_one), (of_one[-1].end - of_one[0].start).total_seconds()
        if lasted is None or whole - lasted < 1:
            stretches.append(_("%(status)s: %(period)s") % words)
        else:
            # A slice shows the worst of it: the rest of its time is not to be claimed for that.
            words["span"] = formatting.span(lasted)
            stretches.append(_("%(status)s for %(span)s of %(period)s") % words)
    return stretches


def _lasted(entries: Sequence[Any]) -> float | None:
    """Seconds the slices were in the status they show; None where their seconds are not known."""
    if not all(getattr(entry, "seconds", None) for entry in entries):
        return None
    return float(sum(entry.seconds.get(entry.status, 0.0) for entry in entries))


def _summary(entries: Sequence[Any]) -> str:
    """Time by status over the whole bar: "Operational 23 h 30 min, Outage 30 min"."""
    totals: dict[str, float] = {}
    for entry in entries:
        parts = getattr(entry, "seconds", None) or {entry.status: (entry.end - entry.start).total_seconds()}
        for status, value in parts.items():
            key = look_of(status).value
            totals[key] = totals.get(key, 0.0) + value
    ordered = sorted(totals.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{look_of(status).word} {formatting.span(value)}" for status, value in ordered if value >= 1)
