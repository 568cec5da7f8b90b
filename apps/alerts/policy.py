"""When to try again, when to give up, and when to leave an endpoint alone. Pure: numbers in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from apps.alerts.channels.base import Delivery

# Fifteen tries with full jitter reach over about seven hours on average, fourteen at most.
ATTEMPTS_ALLOWED = 15
BACKOFF_BASE_SECONDS = 5.0
BACKOFF_CAP_SECONDS = 4 * 3_600.0
# How long a claim holds: longer than any send may take, so that only a lost process lets it run out.
LEASE_SECONDS = 45
# While a half-open channel is tried, how long the others wait for the answer.
HALF_OPEN_SECONDS = 20

BREAKER_THRESHOLD = 5
BREAKER_BASE_SECONDS = 30.0
BREAKER_CAP_SECONDS = 600.0


class Verdict(StrEnum):
    """What becomes of a notification after an attempt; the values are its states."""

    SENT = "sent"
    AGAIN = "pending"
    DEAD = "dead"


@dataclass(frozen=True)
class NextStep:
    """`wait_seconds` counts only for AGAIN."""

    verdict: Verdict
    wait_seconds: float = 0.0


def next_step(delivery: Delivery, *, attempts: int, allowed: int, chance: float) -> NextStep:
    """What follows from one attempt, the `attempts`-th of `allowed`. `chance` is a random number from 0 to 1.

    A replay raises `allowed` by a whole round, and the back-off starts anew with it.
    """
    if delivery.ok:
        return NextStep(Verdict.SENT)
    if not delivery.retryable or attempts >= allowed:
        return NextStep(Verdict.DEAD)
    before_this_round = max(0, allowed - ATTEMPTS_ALLOWED)
    wait = backoff_seconds(attempts - before_this_round, chance)
    return NextStep(Verdict.AGAIN, max(wait, delivery.retry_after_seconds or 0.0))


def backoff_seconds(attempt: int, chance: float) -> float:
    """Full jitter: anything from nothing to a bound that doubles with each attempt (the first is 1)."""
    exponent = min(max(attempt - 1, 0), 32)
    return chance * min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0**exponent)


@dataclass(frozen=True)
class Breaker:
    """`failures` in a row, and for how many seconds from now nothing is to be tried (None: closed)."""

    failures: int
    open_seconds: float | None = None


def breaker_after(failures: int, delivery: Delivery, *, is_probe: bool = True) -> Breaker:
    """The endpoint's breaker after one attempt. An endpoint that answers, even with a refusal, is alive.

    When the receiver itself says how long to wait, the whole channel waits: a second message would meet the same wall.
    What was in the air when the breaker opened and fails as well (no `is_probe`) is the same failure, not one more.
    """
    if delivery.ok:
        return Breaker(0, delivery.retry_after_seconds or None)
    if not delivery.retryable or delivery.alive:
        return Breaker(0)
    if delivery.retry_after_seconds:
        return Breaker(failures, delivery.retry_after_seconds)
    if failures >= BREAKER_THRESHOLD and not is_probe:
        return Breaker(failures)
    failures += 1
    if failures < BREAKER_THRESHOLD:
        return Breaker(failures)
    exponent = min(failures - BREAKER_THRESHOLD, 32)
    return Breaker(failures, min(BREAKER_CAP_SECONDS, BREAKER_BASE_SECONDS * 2.0**exponent))
