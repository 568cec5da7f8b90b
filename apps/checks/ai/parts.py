"""Looks at models, counted by parts of time: from results, or from the hours that were made of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.checks.ai import histograms, rungs
from apps.checks.ai.histograms import Histogram
from apps.checks.ai.uptime import Uptime
from apps.checks.ai.windows import Window
from apps.probes.ai.classes import ErrorClass, class_of
from apps.probes.reasons import Reason

# What a look measured, and the column its histogram is kept in.
MEASURES = {
    "durations": "duration_ms",
    "first_tokens": "ttft_ms",
    "first_answers": "answer_ttft_ms",
    "speeds": "output_tokens_per_second",
}

# Only looks that were answered well have a time worth keeping: a refusal comes fast and says nothing of the model.
# One row a check and part. Parts are counted from `origin`, `width` seconds each.
COUNTED = """
    WITH looked AS MATERIALIZED (
        SELECT r.check_id, c.target_id, c.kind, c.affects_status, r.state, r.reason, k.class,
               floor((extract(epoch FROM r.at)::float8 - %(origin)s) / %(width)s)::bigint AS part,
               CASE WHEN r.state IN ('ok', 'degraded') AND k.class IS NULL THEN r.duration_ms END AS duration_ms,
               CASE WHEN r.state IN ('ok', 'degraded') AND k.class IS NULL THEN r.measurements END AS measurements
        FROM checks_check c
        JOIN checks_checkresult r ON r.check_id = c.id
        LEFT JOIN unnest(%(reasons)s::text[], %(classes)s::text[]) AS k(reason, class) ON k.reason = r.reason
        WHERE c.kind = ANY(%(kinds)s) AND (%(everywhere)s OR c.target_id = ANY(%(targets)s::uuid[]))
          AND r.at >= %(start)s AND r.at < %(end)s AND r.state <> 'indeterminate'
    ),
    sums AS (
        SELECT check_id, part, min(target_id::text)::uuid AS target_id, min(kind) AS kind,
               bool_or(affects_status) AS affects_status, count(*) AS looks,
               count(*) FILTER (WHERE state = 'ok') AS ok, count(*) FILTER (WHERE state = 'degraded') AS degraded,
               count(*) FILTER (WHERE state = 'failed') AS failed,
               count(*) FILTER (WHERE reason = 'rate_limited') AS rate_limited
        FROM looked GROUP BY check_id, part
    ),
    errors AS (
        SELECT check_id, part, jsonb_object_agg(class, looks) AS errors FROM (
            SELECT check_id, part, class, count(*) AS looks FROM looked
            WHERE class IS NOT NULL AND state <> 'ok' GROUP BY check_id, part, class
        ) AS by_class GROUP BY check_id, part
    ),
    measured AS (
        SELECT check_id, part, measure, floor(ln(greatest(value, %(smallest)s)) / %(log_base)s)::int AS bucket
        FROM looked CROSS JOIN LATERAL (VALUES
            ('durations', duration_ms),
            ('first_tokens', (measurements ->> 'ttft_ms')::float8),
            ('first_answers', (measurements ->> 'answer_ttft_ms')::float8),
            ('speeds', (measurements ->> 'output_tokens_per_second')::float8)
        ) AS v(measure, value) WHERE value IS NOT NULL
    ),
    histograms AS (
        SELECT check_id, part, jsonb_object_agg(measure, counts) AS histograms FROM (
            SELECT check_id, part, measure, jsonb_object_agg(bucket, looks) AS counts FROM (
                SELECT check_id, part, measure, bucket, count(*) AS looks FROM measured
                GROUP BY check_id, part, measure, bucket
            ) AS by_bucket GROUP BY check_id, part, measure
        ) AS by_measure GROUP BY check_id, part
    ),
    counted AS (
        SELECT s.*, coalesce(e.errors, '{}') AS errors, coalesce(h.histograms, '{}') AS histograms
        FROM sums s LEFT JOIN errors e USING (check_id, part) LEFT JOIN histograms h USING (check_id, part)
    )
"""

_CLASSES: dict[str, str] = {reason.value: found[0].value for reason in Reason if (found := class_of(reason))}


def parameters(
    start: datetime, end: datetime, width: timedelta, origin: datetime, target_ids: Collection[UUID] | None
) -> dict[str, Any]:
    """What COUNTED takes; of all targets when `target_ids` is None."""
    return {
        "start": start,
        "end": end,
        "origin": origin.timestamp(),
        "width": width.total_seconds(),
        "everywhere": target_ids is None,
        "targets": list(target_ids or ()),
        "kinds": rungs.model_kinds(),
        "reasons": list(_CLASSES),
        "classes": list(_CLASSES.values()),
        "smallest": histograms.SMALLEST,
        "log_base": histograms.LOG_BASE,
    }


@dataclass(frozen=True, slots=True)
class Part:
    """What the looks of one kind of check in one part (its position in a window) found. `measured` holds, by name of
    MEASURES, the histograms there are: one of each hour, or one of all results."""

    target_id: UUID
    kind: str
    part: int
    affects_status: bool
    counts: Uptime
    errors: list[dict[str, int]]
    measured: dict[str, list[Histogram]]


# Constant text, put together from constant text.
_FROM_RESULTS = f"""{COUNTED}
    SELECT target_id, kind, part, affects_status, looks, failed, rate_limited, errors::text, histograms::text
    FROM counted
"""  # noqa: S608
# As text, many to a row: decoding thousands of small values one by one costs more than reading them.
_KEPT = """
    SELECT h.target_id, h.kind, floor((extract(epoch FROM h.{moment})::float8 - %(origin)s) / %(width)s)::bigint,
           coalesce(c.affects_status, h.kind = ANY(%(status_kinds)s)),
           sum(h.looks)::bigint, sum(h.failed)::bigint, sum(h.rate_limited)::bigint,
           string_agg(h.errors::text, ',') FILTER (WHERE h.errors <> '{{}}'),
           string_agg(h.durations::text, ',') FILTER (WHERE h.durations <> '{{}}'),
           string_agg(h.first_tokens::text, ',') FILTER (WHERE h.first_tokens <> '{{}}'),
           string_agg(h.first_answers::text, ',') FILTER (WHERE h.first_answers <> '{{}}'),
           string_agg(h.speeds::text, ',') FILTER (WHERE h.speeds <> '{{}}')
    FROM {table} h LEFT JOIN checks_check c ON c.id = h.check_id
    WHERE h.target_id = ANY(%(targets)s::uuid[]) AND h.{moment} >= %(start)s AND h.{moment} < %(end)s
    GROUP BY 1, 2, 3, 4
"""
_FROM_HOURS = _KEPT.format(table="checks_aihour", moment="hour")
_FROM_DAYS = _KEPT.format(table="checks_aiday", moment="day")
_errors = msgspec.json.Decoder(dict[str, int])
_listed_errors = msgspec.json.Decoder(list[dict[str, int]])
_histograms = msgspec.json.Decoder(dict[str, dict[int, int]])
_listed_histograms = msgspec.json.Decoder(list[dict[int, int]])


def load_parts(target_ids: Collection[UUID], window: Window) -> list[Part]:
    """The parts of these targets that have looks, in no order. Three queries at most."""
    parts: list[Part] = []
    if window.day_cut > window.start:
        parts += _from_kept(_FROM_DAYS, target_ids, window, window.start, window.day_cut)
    if window.cut > window.day_cut:
        parts += _from_kept(_FROM_HOURS, target_ids, window, window.day_cut, window.cut)
    if window.cut < window.end:
        parts += _from_results(target_ids, window)
    return parts


def _from_results(target_ids: Collection[UUID], window: Window) -> list[Part]:
    values = parameters(window.cut, window.end, window.width, window.start, target_ids)
    with connection.cursor() as cursor:
        cursor.execute(_FROM_RESULTS, values)
        rows = cursor.fetchall()
    parts: list[Part] = []
    for row in rows:
        measured = {name: [histogram] for name, histogram in _histograms.decode(row[8]).items()}
        parts.append(_part(row, [_errors.decode(row[7])], measured))
    return parts


def _from_kept(
    statement: str, target_ids: Collection[UUID], window: Window, start: datetime, end: datetime
) -> list[Part]:
    values: dict[str, Any] = {
        "targets": list(target_ids),
        "start": start,
        "end": end,
        "origin": window.start.timestamp(),
        "width": window.width.total_seconds(),
        "status_kinds": rungs.status_kinds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    parts: list[Part] = []
    for row in rows:
        errors = _listed_errors.decode(f"[{row[7] or ''}]")
        measured = {
            name: _listed_histograms.decode(f"[{text}]") for name, text in zip(MEASURES, row[8:], strict=True) if text
        }
        parts.append(_part(row, errors, measured))
    return parts


def _part(row: tuple[Any, ...], errors: list[dict[str, int]], measured: dict[str, list[Histogram]]) -> Part:
    target_id, kind, position, affects_status, looks, failed, rate_limited = row[:7]
    return Part(target_id, kind, position, affects_status, Uptime(looks, failed, rate_limited), errors, measured)


def errors_of(part: Part) -> dict[ErrorClass, int]:
    """How many looks of it ended in each class of error."""
    total: dict[ErrorClass, int] = {}
    for errors in part.errors:
        for name, looks in errors.items():
            error = ErrorClass(name)
            total[error] = total.get(error, 0) + looks
    return total
