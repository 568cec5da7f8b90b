"""Slower than usual: the rule as a table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.checks.ai.comparison import Usual, compare, hours_before, usual_of
from apps.checks.ai.histograms import histogram_of
from apps.probes.base import Outcome, OutcomeState, Reason

OK, DEGRADED, FAILED = OutcomeState.OK, OutcomeState.DEGRADED, OutcomeState.FAILED
USUAL = Usual(median_ms=400, looks=84, days=7)


def seen(
    ttft: float | None = None, duration: float = 500, state: OutcomeState = OK, reason: Reason = Reason.OK
) -> Outcome:
    measured = {} if ttft is None else {"ttft_ms": ttft}
    return Outcome(state=state, reason=reason, duration_ms=duration, measurements=measured)


@pytest.mark.parametrize(
    ("before", "outcome", "usual", "streak", "state"),
    [
        # A stream by its first token, whatever it took altogether.
        (0, seen(ttft=400), USUAL, 0, OK),
        (0, seen(ttft=1_200), USUAL, 0, OK),  # three times is not more than three times
        (0, seen(ttft=1_201), USUAL, 1, OK),
        (1, seen(ttft=1_201), USUAL, 2, OK),
        (2, seen(ttft=1_201), USUAL, 3, DEGRADED),
        (3, seen(ttft=1_201), USUAL, 4, DEGRADED),
        (5, seen(ttft=900), USUAL, 0, OK),
        (2, seen(ttft=400, duration=60_000), USUAL, 0, OK),
        # Without a first token, by its whole time.
        (2, seen(duration=1_300), USUAL, 3, DEGRADED),
        (2, seen(duration=1_100), USUAL, 0, OK),
        # Only good looks are compared; a bad one neither counts nor resets.
        (2, seen(duration=9_000, state=FAILED, reason=Reason.SERVER_ERROR), USUAL, 2, FAILED),
        (2, seen(duration=9_000, state=FAILED, reason=Reason.TIMEOUT), USUAL, 2, FAILED),
        (2, seen(duration=5, state=DEGRADED, reason=Reason.RATE_LIMITED), USUAL, 2, DEGRADED),
        (2, seen(duration=5, state=OutcomeState.INDETERMINATE, reason=Reason.WORKER_LATE), USUAL, 2, None),
        # One that is slow by its own limit stays that, and counts.
        (2, seen(duration=9_000, state=DEGRADED, reason=Reason.SLOW), USUAL, 3, DEGRADED),
        # Off until there is enough history.
        (2, seen(duration=9_000), Usual(None, 0, 0), 0, OK),
        (2, seen(duration=9_000), Usual(400, 84, 2), 0, OK),
        (2, seen(duration=9_000), Usual(400, 5, 5), 0, OK),
        (2, seen(duration=9_000), Usual(400, 6, 3), 3, DEGRADED),
    ],
)
def test_the_rule(before: int, outcome: Outcome, usual: Usual, streak: int, state: OutcomeState | None) -> None:
    found = compare(outcome, usual, before)
    assert found.streak == streak
    assert found.outcome.state is (state or outcome.state)


def test_it_says_how_slow_how_often_and_against_what() -> None:
    found = compare(seen(ttft=2_345.6), USUAL, 2).outcome
    assert found.reason is Reason.SLOWER_THAN_USUAL
    assert found.sentence == ("2346 ms, 3 in a row above 3 times its usual 400 ms at this hour of the last 7 days.")


def test_one_that_is_slow_by_its_own_limit_keeps_its_own_reason() -> None:
    found = compare(seen(duration=9_000, state=DEGRADED, reason=Reason.SLOW), USUAL, 8).outcome
    assert found.reason is Reason.SLOW


def test_it_is_compared_with_the_same_hour_of_the_seven_days_before() -> None:
    hours = hours_before(datetime(2026, 3, 3, 14, 59, 59, tzinfo=UTC))
    assert hours[0] == datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert hours[-1] == datetime(2026, 2, 24, 14, tzinfo=UTC)
    assert len(hours) == 7


def test_the_usual_is_the_median_of_all_these_hours_together() -> None:
    usual = usual_of([histogram_of([100, 100]), {}, histogram_of([400] * 5), histogram_of([900])])
    assert usual.median_ms == pytest.approx(400, rel=0.011)
    assert (usual.looks, usual.days) == (8, 3)
