"""When it is tried again, given up, or left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.alerts.channels.base import Delivery, DeliveryReason
from apps.alerts.policy import (
    ATTEMPTS_ALLOWED,
    BACKOFF_CAP_SECONDS,
    BREAKER_CAP_SECONDS,
    BREAKER_THRESHOLD,
    Breaker,
    Verdict,
    backoff_seconds,
    breaker_after,
    next_step,
)

OK = Delivery(ok=True, retryable=False, reason=DeliveryReason.DELIVERED, status_code=200)
REFUSED = Delivery(ok=False, retryable=False, reason=DeliveryReason.REFUSED, status_code=400)
BROKEN = Delivery(ok=False, retryable=True, reason=DeliveryReason.RECEIVER_ERROR, status_code=500)
SLOW_DOWN = Delivery(
    ok=False, retryable=True, reason=DeliveryReason.RATE_LIMITED, status_code=429, retry_after_seconds=90
)


@pytest.mark.parametrize(
    ("delivery", "attempts", "allowed", "verdict"),
    [
        (OK, 1, 15, Verdict.SENT),
        (OK, 15, 15, Verdict.SENT),
        (REFUSED, 1, 15, Verdict.DEAD),
        (BROKEN, 1, 15, Verdict.AGAIN),
        (BROKEN, 14, 15, Verdict.AGAIN),
        (BROKEN, 15, 15, Verdict.DEAD),
        (BROKEN, 16, 15, Verdict.DEAD),
        (BROKEN, 1, 1, Verdict.DEAD),
        (BROKEN, 16, 30, Verdict.AGAIN),
        (SLOW_DOWN, 1, 15, Verdict.AGAIN),
        (SLOW_DOWN, 15, 15, Verdict.DEAD),
    ],
)
def test_an_attempt_ends_tries_again_or_gives_up(
    delivery: Delivery, attempts: int, allowed: int, verdict: Verdict
) -> None:
    assert next_step(delivery, attempts=attempts, allowed=allowed, chance=0.5).verdict is verdict


@pytest.mark.parametrize(
    ("attempt", "most"), [(1, 5), (2, 10), (3, 20), (10, 2_560), (14, BACKOFF_CAP_SECONDS), (500, BACKOFF_CAP_SECONDS)]
)
def test_the_wait_is_anything_up_to_a_bound_that_doubles(attempt: int, most: float) -> None:
    assert backoff_seconds(attempt, 0.0) == 0
    assert backoff_seconds(attempt, 0.5) == most / 2
    assert backoff_seconds(attempt, 1.0) == most


def test_the_receivers_wish_counts_when_it_is_longer_than_our_own() -> None:
    assert next_step(SLOW_DOWN, attempts=1, allowed=15, chance=1.0).wait_seconds == 90
    assert next_step(SLOW_DOWN, attempts=12, allowed=15, chance=1.0).wait_seconds > 90


def test_a_replay_begins_with_short_waits_again() -> None:
    replayed = next_step(BROKEN, attempts=16, allowed=15 + ATTEMPTS_ALLOWED, chance=1.0)
    assert replayed.wait_seconds == 5


@pytest.mark.parametrize(
    ("failures", "delivery", "breaker"),
    [
        (0, OK, Breaker(0)),
        (9, OK, Breaker(0)),
        (9, REFUSED, Breaker(0)),
        (0, BROKEN, Breaker(1)),
        (BREAKER_THRESHOLD - 2, BROKEN, Breaker(BREAKER_THRESHOLD - 1)),
        (BREAKER_THRESHOLD - 1, BROKEN, Breaker(BREAKER_THRESHOLD, 30)),
        (BREAKER_THRESHOLD, BROKEN, Breaker(BREAKER_THRESHOLD + 1, 60)),
        (BREAKER_THRESHOLD + 400, BROKEN, Breaker(BREAKER_THRESHOLD + 401, BREAKER_CAP_SECONDS)),
        (0, SLOW_DOWN, Breaker(0, 90)),
        (BREAKER_THRESHOLD, SLOW_DOWN, Breaker(BREAKER_THRESHOLD, 90)),
        (3, replace(OK, retry_after_seconds=1.5), Breaker(0, 1.5)),
    ],
)
def test_the_breaker_opens_after_failures_in_a_row_and_closes_with_any_answer(
    failures: int, delivery: Delivery, breaker: Breaker
) -> None:
    assert breaker_after(failures, delivery) == breaker


def test_what_was_in_the_air_when_the_breaker_opened_is_the_same_failure() -> None:
    assert breaker_after(BREAKER_THRESHOLD, BROKEN, is_probe=False) == Breaker(BREAKER_THRESHOLD)
    assert breaker_after(BREAKER_THRESHOLD - 1, BROKEN, is_probe=False) == Breaker(BREAKER_THRESHOLD, 30)
    assert breaker_after(BREAKER_THRESHOLD, SLOW_DOWN, is_probe=False).open_seconds == 90


def test_an_endpoint_that_only_puts_messages_off_keeps_its_breaker_closed() -> None:
    put_off = Delivery(ok=False, retryable=True, reason=DeliveryReason.DEFERRED, status_code=451, alive=True)
    assert breaker_after(BREAKER_THRESHOLD, put_off) == Breaker(0)
    assert next_step(put_off, attempts=1, allowed=15, chance=0.5).verdict is Verdict.AGAIN
