"""Response times as the chart component reads them: percentiles, outages shaded, incidents marked, gaps left open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.status import Status
from apps.checks import history, uptime
from apps.checks.models import Check, Incident
from apps.checks.reasons import sentence
from apps.core import clock

RANGES: dict[str, timedelta] = {"1h": timedelta(hours=1), **history.WINDOWS}
RANGE_LABELS: list[tuple[str, Any]] = [
    ("1h", gettext_lazy("1 h")),
    ("24h", gettext_lazy("24 h")),
    ("7d", gettext_lazy("7 d")),
    ("30d", gettext_lazy("30 d")),
]
DEFAULT_RANGE = "24h"


@dataclass(frozen=True)
class Presets:
    """The periods a page offers: their lengths and words by the name they have in the URL, and the longest of all."""

    lengths: Mapping[str, timedelta]
    labels: Sequence[tuple[str, Any]]
    longest: timedelta


# Single looks are kept for a month, hours of models for longer.
OF_LOOKS = Presets(RANGES, RANGE_LABELS, timedelta(days=31))
OF_HOURS = Presets(
    {**history.WINDOWS, "90d": timedelta(days=90)},
    [*RANGE_LABELS[1:], ("90d", gettext_lazy("90 d"))],
    timedelta(days=92),
)
_SHORTEST = timedelta(minutes=1)
_ZONE_WITHOUT_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")
_MOST_POINTS = 120
_FEWEST_POINTS = 12
_MOST_MARKS = 50


@dataclass(frozen=True)
class Period:
    """[start, end) and the preset it came from ("" for one that was chosen freely)."""

    start: datetime
    end: datetime
    preset: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def range_of(query: Mapping[str, str], presets: Presets = OF_LOOKS) -> str:
    """The preset a page is about; an unknown one means the default."""
    asked = query.get("range", "")
    return asked if asked in presets.lengths else DEFAULT_RANGE


def read_period(query: Mapping[str, str], presets: Presets = OF_LOOKS) -> Period:
    """`?from=&to=` (Unix seconds or ISO 8601), else `?range=`. Raises ValidationError by parameter."""
    if not query.get("from") and not query.get("to"):
        return _preset(query.get("range", "") or DEFAULT_RANGE, presets)
    end = read_moment("to", query["to"]) if query.get("to") else clock.now()
    start = read_moment("from", query["from"]) if query.get("from") else end - presets.lengths[DEFAULT_RANGE]
    if end - start > presets.longest:
        raise ValidationError({"from": [_("At most %(days)s days at a time.") % {"days": presets.longest.days}]})
    if end - start < _SHORTEST:
        raise ValidationError({"to": [_("The end must lie at least a minute after the beginning.")]})
    return Period(start, end)


def _preset(name: str, presets: Presets) -> Period:
    if name not in presets.lengths:
        known = ", ".join(presets.lengths)
        raise ValidationError({"range": [_("There is no such period; known are %(known)s.") % {"known": known}]})
    end = clock.now()
    return Period(end - presets.lengths[name], end, name)


def read_moment(name: str, text: str) -> datetime:
    """Unix seconds or ISO 8601, without a zone UTC. Raises ValidationError on the parameter `name`."""
    try:
        moment = _from_text(text)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None or not 2000 <= moment.year <= 2100:
        raise ValidationError({name: [_("Enter a moment, such as 2026-11-21T14:00:00Z.")]})
    return moment


def _from_text(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        # A plus that was not escaped in an address comes as a space.
        parsed = datetime.fromisoformat(_ZONE_WITHOUT_PLUS.sub(r"\1+\2", text.strip()))
        return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def latency_document(checks: Sequence[Check], target_id: UUID, period: Period) -> dict[str, Any]:
    """The chart of some checks of one target, all looks together, but for those that do not time it. Three queries."""
    untimed = history.untimed_kinds()
    checks = [check for check in checks if check.kind not in untimed]
    points = history.get_latency([check.pk for check in checks], period.start, period.end, _points(checks, period))
    all_failed = any(point.failed for point in points) and not any(point.p50 is not None for point in points)
    return {
        "unit": "ms",
        "from": period.start.timestamp(),
        "to": period.end.timestamp(),
        "times": [point.at for point in points],
        "lines": [
            {"key": "p50", "label": "p50", "values": _rounded(point.p50 for point in points)},
            {"key": "p95", "label": "p95", "values": _rounded(point.p95 for point in points)},
            {"key": "p99", "label": "p99", "values": _rounded(point.p99 for point in points)},
        ],
        "bands": [
            {"label": "p50–p95", "low": "p50", "high": "p95"},
            {"label": "p95–p99", "low": "p95", "high": "p99"},
        ],
        "thresholds": _thresholds(checks),
        "spans": spans_of(target_id, period),
        "marks": marks_of(target_id, period),
        "empty": _("Every look in this period failed, so there is no response time to draw.") if all_failed else "",
    }


def _points(checks: Sequence[Check], period: Period) -> int:
    """Buckets a little wider than the shortest interval, so that an empty one is a gap and not the rhythm."""
    interval = min((check.interval_seconds for check in checks), default=60)
    fitting = int(period.length.total_seconds() / (1.25 * interval))
    return max(_FEWEST_POINTS, min(_MOST_POINTS, fitting))


def _rounded(values: Iterable[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 2) for value in values]


def _thresholds(checks: Sequence[Check]) -> list[dict[str, Any]]:
    limits = sorted({check.degraded_after_ms for check in checks if check.degraded_after_ms})
    return [{"value": limit, "label": _("slow above"), "status": Status.DEGRADED.value} for limit in limits]


def spans_of(target_id: UUID, period: Period) -> list[dict[str, Any]]:
    """When the target was not well. One query."""
    past = history.load_histories([target_id], period.start, period.end)[target_id]
    stretches = uptime.periods(past.initial, past.transitions, period.start, period.end)
    return [_span(stretch) for stretch in stretches if stretch.status in (Status.OUTAGE, Status.DEGRADED)]


def _span(stretch: uptime.Period) -> dict[str, Any]:
    return {
        "from": stretch.start.timestamp(),
        "to": stretch.end.timestamp(),
        "status": stretch.status.value,
        "label": stretch.status.label,
    }


def marks_of(target_id: UUID, period: Period) -> list[dict[str, Any]]:
    """The incidents that opened, the latest few dozen. One query."""
    rows = Incident.objects.filter(target_id=target_id, opened_at__gte=period.start, opened_at__lt=period.end)
    return [
        {
            "at": incident.opened_at.timestamp(),
            "label": sentence(incident.reason, incident.evidence),
            "url": incident.get_absolute_url(),
        }
        for incident in rows.order_by("-opened_at")[:_MOST_MARKS]
    ]
