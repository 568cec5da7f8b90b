"""Reading models as they are now: one row of facts each, in a fixed number of queries whatever their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from apps.checks.ai import rungs
from apps.checks.ai.uptime import Uptime, uptime_of_looks
from apps.checks.ai.windows import HOUR, floor_hour
from apps.checks.spending.selectors import SpendOfMonth, spend_month_of
from apps.core import clock
from apps.probes.ai.classes import ErrorClass, Fault, class_of
from apps.probes.base import OutcomeState
from apps.probes.reasons import Reason


@dataclass(frozen=True)
class ModelFacts:
    """What is known of one model. Times are milliseconds, None where nothing was measured.

    `error_class`, `fault`, `reason` and `evidence` are those of the look that says most: of the latest look of each of
    its enabled checks, those that were not ok; first that of the check its status names as the cause, if it has a
    class; then one that affects the status before one that does not, one with a class before one that is only slow,
    then the newest.
    When all were ok, `error_class` and `fault` are None, and `reason` is `ok` ("" before the first look).
    """

    ttft_ms: float | None = None
    answer_ttft_ms: float | None = None
    output_tokens_per_second: float | None = None
    duration_ms: float | None = None
    error_class: ErrorClass | None = None
    fault: Fault | None = None
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    # {"requests": {"limit", "remaining", "reset_seconds"}, "tokens": …}; None when the provider never said.
    rate_limit: dict[str, Any] | None = None
    rate_limit_at: datetime | None = None
    # When the newest of the times was measured.
    measured_at: datetime | None = None
    # US dollars since the first of this month (UTC), and how many of its looks named no usage to go by.
    spend_month: Decimal = Decimal(0)
    estimated_month: int = 0
    # 0 to 1; None when no look counts. How many looks there were, those that met a rate limit among them.
    uptime_24h: float | None = None
    looks_24h: int = 0


@dataclass(frozen=True)
class _Last:
    """The last look at one enabled check, as it is kept."""

    target_id: UUID
    kind: str
    affects_status: bool
    at: datetime
    state: str
    reason: str
    measured_at: datetime | None
    duration_ms: float | None
    ttft_ms: float | None
    answer_ttft_ms: float | None
    output_tokens_per_second: float | None
    rate_limit: str | None
    rate_limit_at: datetime | None
    details: str | None
    # The status, which is not operational, is what it is because of this check.
    is_cause: bool


_LAST = """
    SELECT s.target_id, c.kind, c.affects_status, s.at, s.state, s.reason, s.measured_at, s.duration_ms, s.ttft_ms,
           s.answer_ttft_ms, s.output_tokens_per_second, s.rate_limit::text, s.rate_limit_at,
           CASE WHEN s.state <> 'ok' THEN s.details::text END, t.target_id IS NOT NULL
    FROM checks_aicheckstate s JOIN checks_check c ON c.id = s.check_id
    LEFT JOIN catalog_targetstatus t
        ON t.target_id = s.target_id AND t.cause_check = s.check_id AND t.status <> 'operational'
    WHERE s.target_id = ANY(%s::uuid[]) AND c.enabled AND c.deleted_at IS NULL
"""


def model_facts(target_ids: Collection[UUID]) -> dict[UUID, ModelFacts]:
    """The facts of every one of these targets, also of those nobody measured yet. Three queries."""
    if not target_ids:
        return {}
    looks: dict[UUID, list[_Last]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [list(target_ids)])
        for row in cursor.fetchall():
            looks.setdefault(row[0], []).append(_Last(*row))
    spent = spend_month_of(target_ids)
    uptimes = uptime_of_day(target_ids)
    return {
        target_id: _facts(
            looks.get(target_id, []), spent.get(target_id, SpendOfMonth()), uptimes.get(target_id, Uptime())
        )
        for target_id in target_ids
    }


def _facts(looks: list[_Last], spent: SpendOfMonth, uptime: Uptime) -> ModelFacts:
    timed = [look for look in looks if look.measured_at is not None and not rungs.is_canary(look.kind)]
    newest = sorted(timed, key=_measured_at, reverse=True)
    streamed = next((look for look in newest if look.ttft_ms is not None), None)
    # The cheapest kind that asks the model, and of its checks the newest. A list of models is no answer of this one.
    asked = (look for look in newest if rungs.is_timed(look.kind))
    whole = min(asked, key=lambda look: rungs.duration_order(look.kind), default=None)
    limited = max((look for look in looks if look.rate_limit_at), key=_rate_limit_at, default=None)
    worst = _worst(looks)
    error = class_of(worst.reason) if worst is not None else None
    return ModelFacts(
        ttft_ms=streamed.ttft_ms if streamed else None,
        answer_ttft_ms=streamed.answer_ttft_ms if streamed else None,
        output_tokens_per_second=streamed.output_tokens_per_second if streamed else None,
        duration_ms=whole.duration_ms if whole else None,
        error_class=error[0] if error else None,
        fault=error[1] if error else None,
        reason=worst.reason if worst else (Reason.OK.value if looks else ""),
        evidence=msgspec.json.decode(worst.details) if worst and worst.details else {},
        rate_limit=msgspec.json.decode(limited.rate_limit) if limited and limited.rate_limit else None,
        rate_limit_at=limited.rate_limit_at if limited else None,
        measured_at=newest[0].measured_at if newest else None,
        spend_month=spent.cost,
        estimated_month=spent.estimated,
        uptime_24h=uptime.share,
        looks_24h=uptime.looks,
    )


def _worst(looks: list[_Last]) -> _Last | None:
    """The look that says most of those that were not ok: what the status says and whose fault it is are of one look."""
    return max((look for look in looks if look.state != OutcomeState.OK.value), key=_weight, default=None)


def _weight(look: _Last) -> tuple[bool, bool, bool, datetime]:
    """One with a class says more than one that is only slow."""
    classed = class_of(look.reason) is not None
    return look.is_cause and classed, look.affects_status, classed, look.at


# Sorts before every moment.
_NEVER = datetime.min.replace(tzinfo=UTC)


def _measured_at(look: _Last) -> datetime:
    return look.measured_at or _NEVER


def _rate_limit_at(look: _Last) -> datetime:
    return look.rate_limit_at or _NEVER


# Hours are made every few minutes, so all but the last two are whole; of these the results are read.
_UPTIME = """
    SELECT target_id, kind, sum(looks)::bigint, sum(failed)::bigint, sum(rate_limited)::bigint FROM (
        SELECT h.target_id, h.kind, h.looks, h.failed, h.rate_limited
        FROM checks_aihour h LEFT JOIN checks_check c ON c.id = h.check_id
        WHERE h.target_id = ANY(%(targets)s::uuid[]) AND h.hour >= %(start)s AND h.hour < %(cut)s
          AND coalesce(c.affects_status, h.kind = ANY(%(status_kinds)s))
        UNION ALL
        SELECT c.target_id, c.kind, count(*), count(*) FILTER (WHERE r.state = 'failed'),
               count(*) FILTER (WHERE r.reason = 'rate_limited')
        FROM checks_check c JOIN checks_checkresult r ON r.check_id = c.id
        WHERE c.target_id = ANY(%(targets)s::uuid[]) AND c.kind = ANY(%(kinds)s) AND c.affects_status
          AND r.at >= %(cut)s AND r.state <> 'indeterminate'
        GROUP BY c.target_id, c.kind
    ) AS counted GROUP BY target_id, kind
"""


def uptime_of_day(target_ids: Collection[UUID]) -> dict[UUID, Uptime]:
    """Of the last 24 hours, the first of them whole; absent: no looks. Checks that do not affect the status are left
    out, and the list of models where another look asked the model. One query."""
    this_hour = floor_hour(clock.now())
    values: dict[str, Any] = {
        "targets": list(target_ids),
        "start": this_hour - 24 * HOUR,
        "cut": this_hour - HOUR,
        "kinds": rungs.model_kinds(),
        "status_kinds": rungs.status_kinds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPTIME, values)
        rows = cursor.fetchall()
    asked: dict[UUID, Uptime] = {}
    listed: dict[UUID, Uptime] = {}
    for target_id, kind, *counts in rows:
        counted = listed if rungs.is_free(kind) else asked
        counted[target_id] = counted.get(target_id, Uptime()) + Uptime(*counts)
    return {
        target_id: uptime_of_looks(asked=asked.get(target_id, Uptime()), listed=listed.get(target_id, Uptime()))
        for target_id in asked.keys() | listed.keys()
    }
