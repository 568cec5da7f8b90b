"""Slower than usual, through recording: the third slow look in a row is what the region says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.catalog.models import TargetStatus
from apps.checks.ai import hours
from apps.checks.models import AiCheckState, Check, CheckEvidence, CheckRegion, CheckResult, StateChange
from apps.checks.services import request_run
from apps.core import clock
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import FAILED, fill, finished, look, make_ai_check, outcome
from tests.checks.looking import record

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLOW = {"ttft_ms": 1_500.0}


def a_check_with_a_week_behind_it(kind: str = "ai_stream", days: int = 7) -> Check:
    """First tokens around 400 ms and whole looks around 800 ms, at this hour of each of the last days."""
    check = make_ai_check(kind=kind)
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    for back in range(1, days + 1):
        # A look now may lie in the next hour before the story is over.
        fill(check, hour - back * DAY, hour - back * DAY + 2 * HOUR)
    hours.catch_up(clock.now())
    look(check, measurements={"ttft_ms": 400.0} if kind == "ai_stream" else {})
    return check


def verdict_of(check: Check) -> tuple[str, str]:
    row = CheckRegion.objects.get(source_check=check)
    return row.verdict, row.reason


def test_the_third_slow_look_in_a_row_degrades_and_says_why() -> None:
    check = a_check_with_a_week_behind_it()
    look(check, measurements=SLOW)
    look(check, measurements=SLOW)
    assert verdict_of(check) == ("operational", "ok")
    look(check, measurements=SLOW)
    assert verdict_of(check) == ("degraded", "slower_than_usual")
    status = TargetStatus.objects.get(pk=check.target_id)
    assert (status.status, status.reason) == ("degraded", "slower_than_usual")
    change = StateChange.objects.latest("id")
    assert (change.evidence["actual"], change.evidence["times"], change.evidence["factor"]) == (1_500, 3, 3)
    assert change.evidence["expected"] == pytest.approx(400, rel=0.1)
    assert CheckEvidence.objects.filter(check_id=check.pk).count() == 1
    assert AiCheckState.objects.get(pk=check.pk).slow_streak == 3


def test_one_look_that_is_not_slow_ends_it() -> None:
    check = a_check_with_a_week_behind_it()
    for _ in range(4):
        look(check, measurements=SLOW)
    assert verdict_of(check)[0] == "degraded"
    look(check, measurements={"ttft_ms": 500.0})
    assert verdict_of(check) == ("operational", "ok")
    assert AiCheckState.objects.get(pk=check.pk).slow_streak == 0


def test_a_failure_between_slow_looks_neither_counts_nor_resets() -> None:
    check = a_check_with_a_week_behind_it()
    look(check, measurements=SLOW)
    look(check, measurements=SLOW)
    look(check, FAILED, Reason.SERVER_ERROR, duration_ms=90_000.0)
    look(check, measurements=SLOW)
    assert verdict_of(check) == ("degraded", "slower_than_usual")


def test_a_ping_is_compared_by_how_long_it_took() -> None:
    check = a_check_with_a_week_behind_it("ai_ping")
    for _ in range(3):
        look(check, duration_ms=3_000.0)
    assert verdict_of(check) == ("degraded", "slower_than_usual")


def test_the_list_of_models_is_never_compared() -> None:
    check = a_check_with_a_week_behind_it("ai_models")
    for _ in range(4):
        look(check, duration_ms=30_000.0)
    assert verdict_of(check) == ("operational", "ok")


def test_without_enough_history_nothing_is_slow() -> None:
    check = a_check_with_a_week_behind_it(days=2)
    for _ in range(4):
        look(check, measurements={"ttft_ms": 90_000.0})
    assert verdict_of(check) == ("operational", "ok")


def test_three_slow_looks_in_one_batch_count_in_their_order() -> None:
    check = a_check_with_a_week_behind_it()
    row = CheckRegion.objects.get(source_check=check)
    # Only one of them carries the claim; the others are dropped, and count for nothing.
    CheckRegion.objects.filter(pk=row.pk).update(generation=9, lease_until=clock.now() + HOUR)
    items = [finished(check, outcome(measurements=SLOW), generation) for generation in (7, 8, 9)]
    record(*items)
    assert AiCheckState.objects.get(pk=check.pk).slow_streak == 1


def test_a_run_of_a_paused_check_is_no_part_of_a_streak() -> None:
    check = a_check_with_a_week_behind_it()
    CheckRegion.objects.filter(source_check=check).update(enabled=False)
    Check.objects.filter(pk=check.pk).update(enabled=False)
    run = request_run(actor=None, check=Check.objects.get(pk=check.pk))
    record(finished(check, outcome(measurements=SLOW), -1, run=str(run.pk)))
    assert AiCheckState.objects.get(pk=check.pk).slow_streak == 0
    assert CheckResult.objects.filter(id=run.pk).exists()


def test_the_result_itself_says_that_it_was_slower_than_usual() -> None:
    check = a_check_with_a_week_behind_it()
    for _ in range(3):
        look(check, measurements=SLOW)
    today = datetime.now(UTC) - HOUR
    found = CheckResult.objects.filter(check_id=check.pk, at__gt=today).order_by("at")
    assert list(found.values_list("reason", flat=True)) == ["ok", "ok", "ok", "slower_than_usual"]
