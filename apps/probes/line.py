"""Whether the line of this machine works, judged from looks at guards: reference targets that are known to answer.

A failure says something about its target only while the line works. So it is held until a look at a guard that began
after it was seen has answered; when every guard fails instead, the line is lost and the failure says nothing.

No thread and no clock in here: every moment is an argument, in monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason
from apps.probes.runner import NotRunnable, prepare

# Guards are looked at this often while batches come, and until the last one is this old.
LOOK_SECONDS = 10.0
FOLLOWED_SECONDS = 300.0
# While failures flow, one look in this time serves all of them.
COALESCED_SECONDS = 1.0
# A look that has not come back this long after its timeout is not waited for.
GRACE_SECONDS = 1.0
# A failure that nobody could judge for this long is handed over all the same, while its look still counts.
HOLD_SECONDS = 4.5
# Failures that may wait: a few seconds of an engine whose every look fails.
MAX_HELD = 5_000
# A look began this much before its duration says, at most: outcomes are handed over a few times a second.
HAND_OVER_SECONDS = 0.5
# What is found is told when it changed, else this often: with outcomes that leave anyway, or in a report of its own.
TOLD_SECONDS = 10.0
TOLD_ALONE_SECONDS = 30.0

# A guard that could not be looked at says nothing of the line: neither that it works nor that it is lost.
_OURS = frozenset({Reason.INVALID_CONFIGURATION, Reason.INTERNAL_ERROR, Reason.WORKER_LATE, Reason.ADDRESS_DENIED})


class Found(StrEnum):
    """What one look at a guard says."""

    ANSWERS = "answers"
    FAILS = "fails"
    NOTHING = "nothing"


class LineVerdict(StrEnum):
    """What all of them say together."""

    UNKNOWN = "unknown"
    ANSWERS = "answers"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at one guard. `at` is when it began, Unix seconds."""

    guard: ProbeJob
    found: Found
    reason: Reason
    evidence: dict[str, Any]
    at: float


def says_nothing(reason: str) -> bool:
    """Whether a failed look with this reason was our own doing."""
    return reason in _OURS


def read(guard: ProbeJob, outcome: Outcome, at: float) -> Finding:
    """What an outcome says of the line. A slow answer is an answer."""
    if outcome.state in (OutcomeState.OK, OutcomeState.DEGRADED):
        found = Found.ANSWERS
    else:
        found = Found.NOTHING if says_nothing(outcome.reason) else Found.FAILS
    return Finding(guard, found, outcome.reason, outcome.evidence, at)


@dataclass(slots=True, eq=False)
class Round:
    """One look at every guard at the same time, until `ends_at`. `at` is when it began, Unix seconds."""

    guards: tuple[ProbeJob, ...]
    started_at: float
    ends_at: float
    at: float
    findings: dict[str, Finding] = field(default_factory=dict)


class _Held(NamedTuple):
    finished: Finished
    seen_at: float


class LineWatch:
    """The guards of one region as one process sees them, and the failures that wait for them. For one thread."""

    def __init__(self) -> None:
        self.verdict = LineVerdict.UNKNOWN
        self._guards: tuple[ProbeJob, ...] = ()
        self._followed_at = float("-inf")
        self._rounds: list[Round] = []
        self._round_at = float("-inf")
        self._judged_at = float("-inf")
        self._back_at = float("-inf")
        self._held: list[_Held] = []
        self._latest: dict[str, tuple[float, Finding]] = {}
        self._told: dict[str, tuple[Finding, float]] = {}

    @property
    def is_guarded(self) -> bool:
        return bool(self._guards)

    @property
    def held(self) -> int:
        """Failures that wait."""
        return len(self._held)

    def follow(self, guards: Sequence[ProbeJob], now: float) -> list[Finished]:
        """A batch came with these guards. Returns what waited for guards when there are none any more."""
        self._followed_at = now
        if tuple(guards) == self._guards:
            return []
        # What others said, or these with another config, says nothing of the line by the new ones.
        self._guards = tuple(guards)
        self._rounds, self._latest, self._told = [], {}, {}
        self.verdict, self._round_at, self._judged_at = LineVerdict.UNKNOWN, float("-inf"), float("-inf")
        return [] if self._guards else [one.finished for one in self._take(now)]

    def hold(self, failures: Sequence[Finished], now: float) -> list[Finished]:
        """Failures that were just seen. Returns those there is no room for, as saying nothing."""
        room = max(MAX_HELD - len(self._held), 0)
        self._held += [_Held(one, now) for one in failures[:room]]
        return [_silent(one, Reason.WORKER_LATE) for one in failures[room:]]

    def begin(self, now: float, at: float) -> Round | None:
        """The look that is due now, if one is: the caller looks at each of its guards and says what was `found`.

        `at` is now in Unix seconds.
        """
        due_at = self._due_at()
        if due_at is None or now < due_at:
            return None
        ends_at = now + max(guard.timeout_seconds for guard in self._guards) + GRACE_SECONDS
        begun = Round(self._guards, now, ends_at, at)
        self._rounds.append(begun)
        self._round_at = now
        return begun

    def found(self, of: Round, finding: Finding, now: float) -> list[Finished]:
        """One guard was looked at. Returns the failures this decides."""
        if of not in self._rounds:
            return []
        of.findings[finding.guard.check] = finding
        if of.started_at >= self._latest.get(finding.guard.check, (of.started_at,))[0]:
            self._latest[finding.guard.check] = (of.started_at, finding)
        if finding.found is Found.ANSWERS:
            return self._answered(of)
        return self._ended(of, now) if len(of.findings) == len(of.guards) else []

    def expire(self, now: float) -> list[Finished]:
        """Looks that never came back count as failed. Returns the failures this decides.

        So does waiting too long: while no guard has answered for that time, nothing is known of what failed.
        """
        decided: list[Finished] = []
        for late in [one for one in self._rounds if one.ends_at <= now]:
            for guard in late.guards:
                if guard.check not in late.findings:
                    evidence = {"timeout_seconds": guard.timeout_seconds}
                    decided += self.found(late, Finding(guard, Found.FAILS, Reason.TIMEOUT, evidence, late.at), now)
        return decided + [_silent(one.finished, Reason.LINE_LOST) for one in self._take(now - HOLD_SECONDS)]

    def next_moment(self) -> float | None:
        """When there is something to look at or to decide, unless something happens before; None while there is not."""
        moments = [one.ends_at for one in self._rounds]
        if self._held:
            moments.append(self._held[0].seen_at + HOLD_SECONDS)
        due_at = self._due_at()
        if due_at is not None:
            moments.append(due_at)
        return min(moments, default=None)

    def next_telling(self) -> float | None:
        """When something is to be said of the guards at the latest; None while all was said."""
        told = [(finding, self._told.get(guard)) for guard, (_started_at, finding) in self._latest.items()]
        moments = [
            before[1] + TOLD_ALONE_SECONDS if before else float("-inf")
            for finding, before in told
            if before is None or before[0] is not finding
        ]
        return min(moments, default=None)

    def to_tell(self, now: float, *, alone: bool) -> list[Finding]:
        """What is to be said of the guards: what changed, and what was not said for a while (longer when `alone`)."""
        seconds = TOLD_ALONE_SECONDS if alone else TOLD_SECONDS
        waiting = []
        for guard, (_started_at, finding) in self._latest.items():
            told, told_at = self._told.get(guard, (None, float("-inf")))
            if told is None or (finding is not told and (finding.found is not told.found or now - told_at >= seconds)):
                waiting.append(finding)
        return waiting

    def told(self, findings: Sequence[Finding], now: float) -> None:
        """These were said."""
        self._told |= {finding.guard.check: (finding, now) for finding in findings}

    def _due_at(self) -> float | None:
        if not self._guards:
            return None
        if self._held and self._held[-1].seen_at > self._round_at:
            return self._round_at + COALESCED_SECONDS
        due_at = self._round_at + LOOK_SECONDS
        return due_at if due_at <= self._followed_at + FOLLOWED_SECONDS else None

    def _answered(self, of: Round) -> list[Finished]:
        if len(of.findings) == len(of.guards):
            self._rounds.remove(of)
        if of.started_at > self._judged_at:
            if self.verdict is LineVerdict.LOST:
                self._back_at = of.started_at
            self.verdict, self._judged_at = LineVerdict.ANSWERS, of.started_at
        return [self._of_a_line_that_works(one) for one in self._take(of.started_at)]

    def _ended(self, of: Round, now: float) -> list[Finished]:
        """The last look of a round came back, and it was no answer.

        Once the line is known to be lost, this goes for all that failed up to now: no guard answered while it did.
        """
        self._rounds.remove(of)
        findings = list(of.findings.values())
        if any(finding.found is Found.ANSWERS for finding in findings):
            return []
        failing = [finding for finding in findings if finding.found is Found.FAILS]
        seen_until = of.started_at
        if of.started_at > self._judged_at:
            if failing and self.verdict is LineVerdict.LOST:
                seen_until = now
            self.verdict = LineVerdict.LOST if failing else LineVerdict.UNKNOWN
            self._judged_at = of.started_at
        taken = self._take(seen_until)
        if not failing or not taken:
            return [one.finished for one in taken]
        guards = [_shown(finding) for finding in failing]
        return [_silent(one.finished, Reason.LINE_LOST, guards) for one in taken]

    def _take(self, seen_until: float) -> list[_Held]:
        """The failures that were seen before a look began."""
        taken = [one for one in self._held if one.seen_at <= seen_until]
        self._held = [one for one in self._held if one.seen_at > seen_until]
        return taken

    def _of_a_line_that_works(self, held: _Held) -> Finished:
        """The failure as it is, unless its own look began while the line was still lost."""
        began_at = held.seen_at - held.finished.outcome.duration_ms / 1000 - HAND_OVER_SECONDS
        return _silent(held.finished, Reason.LINE_LOST) if began_at < self._back_at else held.finished


def _silent(finished: Finished, reason: Reason, guards: Sequence[dict[str, str]] = ()) -> Finished:
    """A failure that says nothing of its target. What was seen stays in the evidence, with the guards that failed."""
    outcome = finished.outcome
    # First, because evidence that is too long is cut at its end.
    evidence: dict[str, Any] = {"seen": outcome.reason.value}
    if guards:
        evidence["guards"] = list(guards)
    evidence |= outcome.evidence
    silent = outcome.amended(state=OutcomeState.INDETERMINATE, reason=reason, evidence=evidence)
    return Finished(job=finished.job, outcome=silent)


def _shown(finding: Finding) -> dict[str, str]:
    guard = finding.guard
    try:
        prepared = prepare(guard.kind, guard.config, guard.timeout_seconds)
        address = prepared.kind.address(prepared.config)
    except NotRunnable:
        address = ""
    return {"id": guard.check, "address": address, "reason": finding.reason.value}
