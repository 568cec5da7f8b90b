"""One job inside the engine, and how late its loop was while it ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.probes.base import PROBE_KINDS, Finished, Outcome, OutcomeState, ProbeJob
from apps.probes.runner import Prepared

# A turn of a loop that takes longer than this is late: what it then sees as a timeout may be its own.
LATE_SECONDS = 0.25
# A timeout is also ours when the loop stood still for this share of it in all.
_SPOILED_SHARE = 0.2
# How long after a late turn a timeout is still put down to it: events that piled up are handled one by one.
_AFTERMATH_SECONDS = 0.25


@dataclass(slots=True, eq=False)
class Work:
    """A job that can run, when it should start (monotonic seconds), and whether its outcome was handed over."""

    job: ProbeJob
    prepared: Prepared
    start_at: float
    over: bool = False


# What a loop hands over: made into an outcome on the delivery thread, for judging may take time.
Judge = Callable[[], Outcome]


@dataclass(frozen=True, slots=True)
class Done:
    """A look that ended; `judge` gives its outcome and raises nothing."""

    job: ProbeJob
    judge: Judge

    def finished(self) -> Finished:
        """Of a good look that nobody asked for, the evidence stays behind, unless its kind has a use for it."""
        outcome = self.judge()
        is_read = outcome.state is not OutcomeState.OK or self.job.run is not None
        if outcome.evidence and not (is_read or PROBE_KINDS.get(self.job.kind).keeps_evidence):
            outcome = outcome.amended(evidence={})
        return Finished(job=self.job, outcome=outcome)


class Lateness:
    """How much time a loop lost by standing still. Written by its loop, read by anybody."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.lost_seconds = 0.0
        self.late_turns = 0
        self._late_at = float("-inf")
        self.turned_at = clock()

    def begin(self) -> None:
        """The loop starts now: the time before was not its own."""
        self.turned_at = self._clock()

    def turn(self, waited: float = 0.0) -> None:
        """A part of a turn ends now: work (`waited` 0), or a wait that was meant to take `waited` seconds at most."""
        now = self._clock()
        overdue = now - self.turned_at - waited
        if overdue > LATE_SECONDS:
            self.lost_seconds += overdue
            self.late_turns += 1
            self._late_at = now
        self.turned_at = now

    def age(self) -> float:
        """Seconds since the last turn."""
        return self._clock() - self.turned_at

    def spoiled(self, lost_before: float, timeout_seconds: float) -> bool:
        """Whether a timeout seen now is ours: `lost_before` is what `lost_seconds` was when the look began."""
        now = self._clock()
        # What stands still may be the very turn that now sees the timeout.
        standing = now - self.turned_at
        standing = standing if standing > LATE_SECONDS else 0.0
        lost = self.lost_seconds - lost_before + standing
        just_now = standing > 0 or now - self._late_at < _AFTERMATH_SECONDS
        return lost > 0 and (just_now or lost > _SPOILED_SHARE * timeout_seconds)
