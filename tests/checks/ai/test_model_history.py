"""The past of a model: results where they are young, hours where they are old, and both as one line."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import Target
from apps.checks.ai import days, hours
from apps.checks.ai.compare import compare_models
from apps.checks.ai.history import canary_runs, last_failure, model_history
from apps.checks.models import AiDay, CheckResult, SpendDay
from apps.core import clock
from apps.probes.ai.classes import ErrorClass, Fault
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, fill, look, make_ai_check
from tests.factories import make_model

pytestmark = pytest.mark.django_db

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return clock.now()


def present(line: list[float | None]) -> list[float]:
    return [value for value in line if value is not None]


def test_a_day_is_read_from_results_and_gaps_stay_gaps(now: datetime) -> None:
    check = make_ai_check(kind="ai_stream")
    fill(check, now - 6 * HOUR, now - 3 * HOUR, ttft=400.0)
    history = model_history(check.target_id, now - DAY, now)
    assert (len(history.times), history.width_seconds) == (145, 600)
    line = history.first_token["p50"]
    assert len(line) == len(history.times)
    assert 18 <= len(present(line)) <= 19
    assert all(315 < value < 485 for value in present(line))
    assert line[0] is None
    assert line[-1] is None
    assert sum(history.looks) == 36
    assert set(history.speed) == {"p5", "p50", "p95"}
    assert history.uptime.share == 1.0


def test_an_old_part_is_read_from_hours_after_its_results_are_gone(now: datetime) -> None:
    check = make_ai_check(kind="ai_stream")
    fill(check, now - 20 * DAY, now, every=HOUR)
    hours.catch_up(now)
    CheckResult.objects.filter(check_id=check.pk, at__lt=now - 3 * DAY).delete()
    history = model_history(check.target_id, now - 30 * DAY, now)
    assert history.width_seconds == 6 * 3_600
    assert sum(history.looks) == 20 * 24
    assert len(present(history.first_token["p95"])) >= 80


def test_months_are_read_from_days_and_say_the_same_as_their_hours(now: datetime) -> None:
    check = make_ai_check(kind="ai_stream")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    fill(check, midnight - 20 * DAY, midnight - 4 * DAY, every=HOUR)
    fill(check, midnight - 10 * DAY, midnight - 9 * DAY, every=HOUR, state=FAILED, reason=Reason.STALLED)
    hours.catch_up(now)
    before = model_history(check.target_id, now - 60 * DAY, now)
    days.catch_up(now)
    history = model_history(check.target_id, now - 90 * DAY, now)
    assert history.width_seconds == 86_400
    assert AiDay.objects.filter(check_id=check.pk).count() == 16
    assert history.uptime == before.uptime
    assert {error: sum(counts) for error, counts in history.errors.items()} == {ErrorClass.STALL: 24}
    assert sum(history.looks) == sum(before.looks) == 17 * 24
    assert len(present(history.first_token["p50"])) == 16
    assert days.catch_up(now) == 0, "made once"


def test_percentiles_of_a_day_are_those_of_its_looks_not_means_of_hours(now: datetime) -> None:
    check = make_ai_check(kind="ai_ping")
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - 60 * DAY
    with clock.frozen(start + 2 * DAY):
        for hour in range(24):
            slow = hour == 3
            fill(check, start + hour * HOUR, start + (hour + 1) * HOUR, duration=9_000.0 if slow else 500.0)
        hours.catch_up(clock.now())
    days.catch_up(now)
    history = model_history(check.target_id, start - 60 * DAY, start + 30 * DAY)
    assert history.duration_kind == "ai_ping"
    assert max(present(history.duration["p50"])) < 650
    assert max(present(history.duration["p99"])) > 7_000


def test_errors_are_stacked_by_class_and_money_is_by_day(now: datetime) -> None:
    model = make_model()
    check = make_ai_check(model.target)
    fill(check, now - 5 * HOUR, now - 4 * HOUR, state=FAILED, reason=Reason.SERVER_ERROR)
    fill(check, now - 4 * HOUR, now - 3 * HOUR, state=DEGRADED, reason=Reason.RATE_LIMITED)
    fill(check, now - 3 * HOUR, now)
    today = now.date()
    SpendDay.objects.create(day=today, target_id=model.pk, provider_id=model.provider_id, cost=Decimal("1.5"))
    history = model_history(model.pk, now - 7 * DAY, now)
    assert {error: sum(counts) for error, counts in history.errors.items()} == {
        ErrorClass.SERVER_ERROR: 12,
        ErrorClass.RATE_LIMIT: 12,
    }
    assert list(history.errors) == [ErrorClass.RATE_LIMIT, ErrorClass.SERVER_ERROR], "in the order of the classes"
    assert history.spend == [(today, Decimal("1.5"))]
    assert (history.uptime.looks, history.uptime.failed, history.uptime.rate_limited) == (60, 12, 12)
    assert history.uptime.share == pytest.approx(0.75)


def test_history_costs_a_fixed_number_of_queries(now: datetime) -> None:
    check = make_ai_check()
    for length in (DAY, 90 * DAY):
        with CaptureQueriesContext(connection) as queries:
            model_history(check.target_id, now - length, now)
        assert len(queries) <= 4


def test_models_are_compared_on_one_clock(now: datetime) -> None:
    fast, slow, silent = (make_ai_check(kind="ai_stream") for _ in range(3))
    fill(fast, now - 4 * DAY, now, every=HOUR, ttft=200.0)
    fill(slow, now - 4 * DAY, now, every=HOUR, ttft=2_000.0)
    fill(slow, now - 10 * HOUR, now, every=HOUR, state=FAILED, reason=Reason.OVERLOADED)
    hours.catch_up(now)
    targets = [Target.objects.get(pk=check.target_id) for check in (slow, fast, silent)]
    with CaptureQueriesContext(connection) as queries:
        compared = compare_models(targets, now - 7 * DAY, now)
    assert len(queries) <= 7
    assert [one.target for one in compared] == targets
    assert compared[0].times == compared[1].times == compared[2].times
    assert len(compared[0].first_token_line) == len(compared[0].times)
    assert compared[0].first_token["p50"] == pytest.approx(2_000, rel=0.2)
    assert compared[1].first_token["p50"] == pytest.approx(200, rel=0.2)
    assert compared[0].errors == {ErrorClass.OVERLOADED: 10}
    assert compared[0].uptime.share == pytest.approx(1 - 10 / 106, rel=0.02)
    assert compared[1].uptime.share == 1.0
    assert (compared[2].first_token["p50"], compared[2].uptime.share) == (None, None)
    assert present(compared[2].first_token_line) == []


def test_a_list_is_neither_an_answer_nor_the_uptime_of_a_model_that_was_asked(now: datetime) -> None:
    listed = make_ai_check(kind="ai_models")
    asked = make_ai_check(listed.target, "ai_stream")
    only_listed = make_ai_check(kind="ai_models")
    for check in (listed, only_listed):
        fill(check, now - 4 * DAY, now, every=HOUR, ttft=None)
    fill(asked, now - 3 * DAY, now, every=HOUR, state=DEGRADED, reason=Reason.RATE_LIMITED)
    hours.catch_up(now)
    refused = model_history(listed.target_id, now - 7 * DAY, now)
    assert (refused.uptime.share, refused.uptime.looks) == (None, 72)
    assert refused.duration_kind == ""
    assert set(refused.duration) == {"p50", "p75", "p95", "p99"}
    assert present(refused.duration["p50"]) == []
    assert model_history(only_listed.target_id, now - 7 * DAY, now).uptime.looks == 96
    compared = compare_models([listed.target, only_listed.target], now - 7 * DAY, now)
    assert [one.uptime.share for one in compared] == [None, 1.0]
    for one in compared:
        assert (one.duration_kind, one.duration["p50"], present(one.duration_line)) == ("", None, [])


def test_the_last_failure_is_kept_when_the_model_is_well_again() -> None:
    check = make_ai_check()
    assert last_failure(check.target_id) is None
    look(check, FAILED, Reason.SERVER_ERROR, evidence={"actual": 500})
    look(check, FAILED, Reason.OVERLOADED, evidence={"actual": 529})
    look(check)
    found = last_failure(check.target_id)
    assert found is not None
    assert (found.error_class, found.fault, found.evidence) == (ErrorClass.OVERLOADED, Fault.THEIRS, {"actual": 529})
    assert found.check_id == check.pk


def test_every_run_of_a_canary_is_kept_with_its_prompts_also_a_good_one() -> None:
    check = make_ai_check(kind="ai_canary", affects_status=False)
    good = {"prompts": [{"name": "sum", "passed": True}], "failed": 0, "count": 1}
    bad = {"prompts": [{"name": "sum", "passed": False, "expected": "4", "actual": "5"}], "failed": 1, "count": 1}
    look(check, evidence=good)
    look(check, DEGRADED, Reason.WRONG_ANSWER, evidence=bad)
    runs = canary_runs(check.target_id)
    assert [(run.state, run.failed, run.count) for run in runs] == [("degraded", 1, 1), ("ok", 0, 1)]
    assert runs[0].prompts == bad["prompts"]
    assert len(canary_runs(check.target_id, limit=1)) == 1
