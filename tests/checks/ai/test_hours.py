"""Hours of models: made from results, the same however often, and only as far as there is something to make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.checks.ai import histograms, hours
from apps.checks.models import AiHour
from apps.core import clock
from apps.probes.base import Reason
from tests.checks import looking
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, fill, make_ai_check

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def this_hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0)


def test_an_hour_counts_looks_errors_and_times() -> None:
    check = make_ai_check(kind="ai_stream")
    start = this_hour() - 3 * HOUR
    fill(check, start, start + 50 * MINUTE, every=5 * MINUTE, ttft=400.0)
    fill(check, start + 50 * MINUTE, start + 54 * MINUTE, every=MINUTE, state=FAILED, reason=Reason.SERVER_ERROR)
    fill(check, start + 54 * MINUTE, start + 57 * MINUTE, every=MINUTE, state=DEGRADED, reason=Reason.RATE_LIMITED)
    fill(check, start + 57 * MINUTE, start + 59 * MINUTE, every=MINUTE, state=DEGRADED, reason=Reason.SLOW)
    hours.make_hours(start, start + HOUR)
    row = AiHour.objects.get(check_id=check.pk)
    assert (row.hour, row.target_id, row.kind) == (start, check.target_id, "ai_stream")
    assert (row.looks, row.ok, row.degraded, row.failed, row.rate_limited) == (19, 10, 5, 4, 3)
    assert row.errors == {"server_error": 4, "rate_limit": 3}
    first_tokens = {int(bucket): count for bucket, count in row.first_tokens.items()}
    assert histograms.total_of(first_tokens) == 12, "only looks that were answered have a time"
    assert histograms.median(first_tokens) == pytest.approx(400, rel=0.22)
    assert sum(row.durations.values()) == sum(row.speeds.values()) == sum(row.first_answers.values()) == 12


def test_the_buckets_of_the_database_are_those_of_the_reader() -> None:
    check = make_ai_check()
    start = this_hour() - 3 * HOUR
    fill(check, start, start + HOUR, every=timedelta(seconds=20), duration=3_000.0)
    hours.make_hours(start, start + HOUR)
    with connection.cursor() as cursor:
        cursor.execute("SELECT duration_ms FROM checks_checkresult WHERE check_id = %s", [check.pk])
        durations = [row[0] for row in cursor.fetchall()]
    stored = {int(bucket): count for bucket, count in AiHour.objects.get(check_id=check.pk).durations.items()}
    assert stored == histograms.histogram_of(durations)


def test_an_hour_made_twice_is_the_same_and_one_that_grew_is_made_anew() -> None:
    check = make_ai_check()
    start = this_hour() - 3 * HOUR
    fill(check, start, start + 30 * MINUTE)
    assert hours.make_hours(start, start + HOUR) == 1
    assert hours.make_hours(start, start + HOUR) == 0
    fill(check, start + 30 * MINUTE, start + HOUR)
    assert hours.make_hours(start, start + HOUR) == 1
    assert AiHour.objects.get(check_id=check.pk).looks == 12


def test_other_checks_have_no_hours_and_looks_that_say_nothing_are_none() -> None:
    other, check = looking.make_check(), make_ai_check()
    start = this_hour() - 3 * HOUR
    fill(other, start, start + HOUR)
    fill(check, start, start + HOUR, state=looking.INDETERMINATE, reason=Reason.WORKER_LATE)
    assert hours.make_hours(start, start + HOUR) == 0


def test_after_a_long_stop_all_that_was_missed_is_made() -> None:
    check = make_ai_check()
    # In the middle of an hour, so that the hour under way has looks whenever this runs.
    now = (clock.now() - HOUR).replace(minute=35)
    fill(check, now - 4 * DAY, now, every=10 * MINUTE)
    assert hours.catch_up(now) == 4 * 24 + 1
    assert hours.catch_up(now) == 0
    fill(check, now, now + 30 * MINUTE, every=MINUTE)
    later = now + 30 * MINUTE
    assert hours.catch_up(later) in (1, 2), "only the newest ones are looked at again"


def test_results_that_are_gone_take_no_hour_with_them() -> None:
    check = make_ai_check()
    long_ago = datetime(2026, 1, 1, 12, tzinfo=UTC)
    AiHour.objects.create(check_id=check.pk, target_id=check.target_id, kind="ai_ping", hour=long_ago, looks=7)
    hours.catch_up(clock.now())
    assert AiHour.objects.get(check_id=check.pk).looks == 7
