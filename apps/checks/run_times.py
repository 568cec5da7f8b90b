"""Run times of a heartbeat as the chart component reads them: a point a run, silences marked, outages shaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from apps.catalog.status import Status
from apps.checks.charts import Period, spans_of
from apps.checks.models import Check, CheckResult
from apps.checks.region_cards import result_url
from apps.probes.base import Reason

# Runs closer together than this part of the period are one point: the longest of them.
POINTS = 240
MOST_MARKS = 30
# More than these written beside each other cannot be read; the lines stay.
MOST_LABELS = 8

_RUNS = """
    SELECT extract(epoch FROM max(at))::float8,
           max(coalesce(run_ms, said_ms)) FILTER (WHERE kind = 'success' AND coalesce(exit_status, 0) = 0),
           max(coalesce(run_ms, said_ms)) FILTER (WHERE kind = 'fail' OR exit_status > 0),
           count(*)
    FROM checks_ping
    WHERE check_id = %(check)s AND at >= %(start)s AND at < %(end)s AND kind IN ('success', 'fail')
    GROUP BY floor(extract(epoch FROM at - %(start)s) / %(width)s)
    ORDER BY 1
"""


@dataclass(frozen=True)
class RunPoint:
    """The longest good and the longest failed run (ms) that ended around `at` (Unix seconds); None: none told."""

    at: float
    good: float | None
    failed: float | None


def get_runs(check_id: UUID, period: Period) -> list[RunPoint]:
    """Points in order, at most POINTS of them. One query."""
    width = period.length.total_seconds() / POINTS
    with connection.cursor() as cursor:
        cursor.execute(_RUNS, {"check": check_id, "start": period.start, "end": period.end, "width": width})
        return [RunPoint(at, good, failed) for at, good, failed, _count in cursor.fetchall()]


def run_time_document(check: Check, period: Period) -> dict[str, Any]:
    """The chart of one heartbeat. Four queries."""
    points = get_runs(check.pk, period)
    return {
        "unit": "ms",
        "from": period.start.timestamp(),
        "to": period.end.timestamp(),
        "times": [point.at for point in points],
        "lines": [
            {"key": "good", "label": _("Ended well"), "style": "points", "values": [_rounded(p.good) for p in points]},
            {
                "key": "failed",
                "label": _("Failed"),
                "style": "points",
                "status": Status.OUTAGE.value,
                "values": [_rounded(p.failed) for p in points],
            },
        ],
        "bands": [],
        "thresholds": [],
        "spans": spans_of(check.target_id, period),
        "marks": _marks(check, period),
        "empty": _("No run told when it started, so there is no run time to draw.") if points else "",
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _marks(check: Check, period: Period) -> list[dict[str, Any]]:
    labels = {Reason.HEARTBEAT_MISSED: _("missed"), Reason.HEARTBEAT_UNFINISHED: _("not finished")}
    rows = CheckResult.objects.filter(
        check_id=check.pk, reason__in=list(labels), at__gte=period.start, at__lt=period.end
    )
    found = list(rows.order_by("-at", "-id")[:MOST_MARKS])
    return [
        {
            "at": result.at.timestamp(),
            "label": labels[Reason(result.reason)] if len(found) <= MOST_LABELS else "",
            "url": result_url(check, result.id),
        }
        for result in found
    ]
