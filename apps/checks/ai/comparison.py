"""Slower than usual: a model against itself, at the same hour of the days before. Pure.

A look that takes more than three times the median of this hour of the last seven days is slow; three slow ones in a row
are degraded, and so is every further one until a look is not slow. Only good looks are compared: how fast an error came
says nothing. Without enough history nothing is ever slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.checks.ai import histograms
from apps.probes.ai.classes import class_of
from apps.probes.base import Outcome, OutcomeState
from apps.probes.reasons import Reason

FACTOR = 3
TIMES = 3
DAYS = 7
# Enough history: good looks at this hour on at least so many of the days, and so many altogether.
ENOUGH_DAYS = 3
ENOUGH_LOOKS = 6
# A streak only matters up to here, and its column is small.
_LONGEST_STREAK = 1_000

FIRST_TOKEN = "ttft_ms"  # noqa: S105 - a name of a measurement


@dataclass(frozen=True)
class Usual:
    """What is usual at one hour: the median in ms, of how many looks on how many days."""

    median_ms: float | None
    looks: int
    days: int

    @property
    def is_enough(self) -> bool:
        return self.median_ms is not None and self.days >= ENOUGH_DAYS and self.looks >= ENOUGH_LOOKS


@dataclass(frozen=True)
class Comparison:
    """How many looks in a row were slow, this one included, and what its outcome is because of that."""

    streak: int
    outcome: Outcome


def hours_before(at: datetime) -> list[datetime]:
    """The same hour (UTC) of the days before: what a look at `at` is compared with."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return [hour - timedelta(days=days) for days in range(1, DAYS + 1)]


def usual_of(days: Sequence[Mapping[int, int]]) -> Usual:
    """From the histogram of that hour on each of the days; empty ones are days without a look."""
    together: histograms.Histogram = {}
    for day in days:
        histograms.add(together, day)
    return Usual(histograms.median(together), histograms.total_of(together), sum(1 for day in days if day))


def measured_by_first_token(outcome: Outcome) -> bool:
    """Whether looks like this one are compared by their first token; else by how long they took altogether."""
    return FIRST_TOKEN in outcome.measurements


def is_good(outcome: Outcome) -> bool:
    """Whether the model answered: only then does its time say something (a refusal comes fast)."""
    return outcome.state in (OutcomeState.OK, OutcomeState.DEGRADED) and class_of(outcome.reason) is None


def compare(outcome: Outcome, usual: Usual, streak: int) -> Comparison:
    """What a good look means after `streak` slow ones. One that is degraded already stays what it is, but counts."""
    if not is_good(outcome):
        return Comparison(streak, outcome)
    value = outcome.measurements.get(FIRST_TOKEN, outcome.duration_ms)
    if usual.median_ms is None or not usual.is_enough or value <= FACTOR * usual.median_ms:
        return Comparison(0, outcome)
    streak = min(streak + 1, _LONGEST_STREAK)
    if streak < TIMES or outcome.state is not OutcomeState.OK:
        return Comparison(streak, outcome)
    evidence = {
        **outcome.evidence,
        "actual": round(value),
        "expected": round(usual.median_ms),
        "factor": FACTOR,
        "times": streak,
    }
    return Comparison(
        streak,
        outcome.amended(state=OutcomeState.DEGRADED, reason=Reason.SLOWER_THAN_USUAL, evidence=evidence),
    )
