"""The line of this worker's machine: failures wait here until a guard has said whether it works.

Looks at guards run on threads of their own and not in the engine, because an engine that is full, or whose outcomes
nobody takes, must not keep a guard from being asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from apps.checks.messages import GuardReport
from apps.core.addresses import AddressPolicy
from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob
from apps.probes.line import MAX_HELD, Finding, Found, LineVerdict, LineWatch, Round, read
from apps.probes.runner import run_once, surprised

logger = structlog.get_logger(__name__)

# Sends outcomes and what was found at the guards; it may block, and raise when the broker cannot be reached.
HandOver = Callable[[list[Finished], list[GuardReport]], None]

BATCH = 200
RETRY_SECONDS = 1.0
# By then every lease is over, and the outcomes would be dropped as superseded.
GIVE_UP_SECONDS = 60.0
# Looks at one guard that may be under way: one more would be one too many that never came back.
LOOKS_AT_ONCE = 12


class Line:
    """One a worker process: `follow` what a batch brings, `deliver` what the engine found.

    `look` looks once at a guard and raises nothing. `wall_clock` gives Unix seconds by the broker's clock.
    """

    def __init__(
        self,
        *,
        hand_over: HandOver,
        policy: AddressPolicy,
        wall_clock: Callable[[], float] = time.time,
        look: Callable[[ProbeJob], Outcome] | None = None,
    ) -> None:
        self._hand_over = hand_over
        self._wall_clock = wall_clock
        self._look = look or (lambda guard: run_once(guard.kind, guard.config, guard.timeout_seconds, policy))
        self._changed = threading.Condition()
        self._watch = LineWatch()
        self._said = self._watch.verdict
        self._ready: list[Finished] = []
        self._looking: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._failing_since: float | None = None
        self._not_before = 0.0

    @property
    def verdict(self) -> LineVerdict:
        """What the guards say together, as far as this process knows."""
        return self._watch.verdict

    def follow(self, guards: Sequence[ProbeJob]) -> None:
        """A batch came: these are the guards from now on; none means that nothing is held back any more."""
        with self._changed:
            self._ready += self._watch.follow(guards, time.monotonic())
            if guards and self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="probe-line", daemon=True)
                self._thread.start()
            self._changed.notify()

    def deliver(self, finished: Sequence[Finished]) -> None:
        """Hand over what needs no guard, and hold the failures until one was asked.

        Raises what `hand_over` raises, and ConnectionError while too much waits for it; nothing was taken then.
        """
        with self._changed:
            if len(self._ready) >= MAX_HELD:
                raise ConnectionError("Too many outcomes wait to be handed over.")
            holds = self._watch.is_guarded
            findings = self._watch.to_tell(time.monotonic(), alone=False)
        passing: list[Finished] = []
        failures: list[Finished] = []
        for one in finished:
            waits = holds and one.outcome.state is OutcomeState.FAILED
            (failures if waits else passing).append(one)
        if passing:
            self._hand_over(passing, _reports(findings))
        with self._changed:
            now = time.monotonic()
            if passing:
                self._watch.told(findings, now)
            if failures:
                self._ready += self._watch.hold(failures, now)
                self._changed.notify()

    def stop(self) -> None:
        """The process ends: what is still held is left to its leases."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _run(self) -> None:
        while not self._stopping:
            with self._changed:
                now = time.monotonic()
                self._ready += self._watch.expire(now)
                self._say_change()
                begun = self._watch.begin(now, self._wall_clock())
                outcomes, findings = self._to_send(now)
                if not (begun or outcomes or findings):
                    self._changed.wait(self._pause(now))
                    continue
            if begun is not None:
                self._begin(begun)
            if outcomes or findings:
                self._send(outcomes, findings)

    def _pause(self, now: float) -> float | None:
        moments = [self._watch.next_moment()]
        telling = self._watch.next_telling()
        if self._ready or telling is not None:
            moments.append(self._not_before if self._ready else max(telling or 0.0, self._not_before))
        known = [moment for moment in moments if moment is not None]
        return max(min(known) - now, 0.01) if known else None

    def _to_send(self, now: float) -> tuple[list[Finished], list[Finding]]:
        if now < self._not_before:
            return [], []
        return self._ready[:BATCH], self._watch.to_tell(now, alone=not self._ready)

    def _send(self, outcomes: list[Finished], findings: list[Finding]) -> None:
        try:
            self._hand_over(outcomes, _reports(findings))
        except Exception:
            self._failed(len(outcomes))
            return
        with self._changed:
            self._failing_since = None
            del self._ready[: len(outcomes)]
            self._watch.told(findings, time.monotonic())

    def _failed(self, outcomes: int) -> None:
        now = time.monotonic()
        with self._changed:
            self._failing_since = now if self._failing_since is None else self._failing_since
            self._not_before = now + RETRY_SECONDS
            given_up = len(self._ready) if now - self._failing_since > GIVE_UP_SECONDS else 0
            del self._ready[:given_up]
        logger.warning("outcomes_not_delivered", outcomes=outcomes, given_up=given_up, exc_info=True)

    def _begin(self, begun: Round) -> None:
        for guard in begun.guards:
            with self._changed:
                if self._looking.get(guard.check, 0) >= LOOKS_AT_ONCE:
                    continue
                self._looking[guard.check] = self._looking.get(guard.check, 0) + 1
            threading.Thread(target=self._ask, args=(begun, guard), name="probe-guard", daemon=True).start()

    def _ask(self, begun: Round, guard: ProbeJob) -> None:
        try:
            outcome = self._look(guard)
        except Exception as error:
            outcome = surprised(error)
        with self._changed:
            self._looking[guard.check] -= 1
            if not self._looking[guard.check]:
                del self._looking[guard.check]
            self._ready += self._watch.found(begun, read(guard, outcome, begun.at), time.monotonic())
            self._changed.notify()

    def _say_change(self) -> None:
        verdict, before = self._watch.verdict, self._said
        if verdict is not before:
            self._said = verdict
            log = logger.warning if LineVerdict.LOST in (before, verdict) else logger.info
            log("line_changed", line=verdict.value, before=before.value)


def _reports(findings: Sequence[Finding]) -> list[GuardReport]:
    return [
        GuardReport(
            guard=finding.guard.check,
            answers=finding.found is Found.ANSWERS,
            reason=finding.reason.value,
            at=finding.at,
            evidence=finding.evidence,
        )
        for finding in findings
    ]
