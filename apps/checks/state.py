"""The judgement: from outcomes to the verdict of a region, of a check, of a target, and to the life of an incident.

Pure: no database, no settings, no clock. Everything arrives as arguments, so every rule is a line in a table of
tests. The three steps run in this order whenever something was measured, edited or has grown too old:

    decide_region   counters of one check in one region
    decide_check    quorum over the regions with a fresh verdict
    decide_target   the worst of a target's checks
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from apps.catalog.status import Status
from apps.probes.base import OutcomeState

# Reasons of ours: no probe found them, the decision itself did.
NOT_MEASURED = "not_measured"
STALE = "stale"
NO_QUORUM = "no_quorum"
MAINTENANCE = "maintenance"
BUDGET_SPENT = "budget_spent"
OK = "ok"

# Counters only ever matter up to a threshold, whose limit is 20.
COUNTER_LIMIT = 1_000
STALE_INTERVALS = 3
STALE_AT_LEAST = timedelta(seconds=30)

_STATUS_OF_OUTCOME = {
    OutcomeState.OK: Status.OPERATIONAL,
    OutcomeState.DEGRADED: Status.DEGRADED,
    OutcomeState.FAILED: Status.OUTAGE,
}
_SEVERITY = {Status.OPERATIONAL: 0, Status.DEGRADED: 1, Status.OUTAGE: 2}


@dataclass(frozen=True)
class Policy:
    """How a check turns outcomes into verdicts. Thresholds count consecutive outcomes in one region."""

    failure_threshold: int = 2
    recovery_threshold: int = 1
    quorum: int | None = None


@dataclass(frozen=True)
class RegionState:
    """What one region thinks of one check. The counters are runs of consecutive outcomes."""

    verdict: Status = Status.UNKNOWN
    since: datetime | None = None
    reason: str = NOT_MEASURED
    failures: int = 0  # failed
    degradations: int = 0  # degraded or failed
    successes: int = 0  # ok
    recoveries: int = 0  # ok or degraded


def decide_region(state: RegionState, outcome: OutcomeState, reason: str, at: datetime, policy: Policy) -> RegionState:
    """The region's state after one more outcome. `indeterminate` says nothing: it neither counts nor resets."""
    if outcome is OutcomeState.INDETERMINATE:
        return state
    counted = _count(state, outcome)
    verdict = _region_verdict(counted, _STATUS_OF_OUTCOME[outcome], policy)
    if verdict is state.verdict:
        # The verdict stands; its reason follows the latest outcome that agrees with it.
        agrees = _STATUS_OF_OUTCOME[outcome] is verdict
        return replace(counted, reason=reason if agrees else state.reason)
    return replace(counted, verdict=verdict, since=at, reason=reason)


def _count(state: RegionState, outcome: OutcomeState) -> RegionState:
    def run(length: int, goes_on: bool) -> int:
        return min(length + 1, COUNTER_LIMIT) if goes_on else 0

    return replace(
        state,
        failures=run(state.failures, outcome is OutcomeState.FAILED),
        degradations=run(state.degradations, outcome is not OutcomeState.OK),
        successes=run(state.successes, outcome is OutcomeState.OK),
        recoveries=run(state.recoveries, outcome is not OutcomeState.FAILED),
    )


def _region_verdict(counted: RegionState, seen: Status, policy: Policy) -> Status:
    present = counted.verdict
    if present is Status.UNKNOWN and seen is Status.OPERATIONAL:
        return Status.OPERATIONAL  # the first good look is enough; bad ones still need the threshold
    severity = _SEVERITY.get(present, -1)
    if counted.failures >= policy.failure_threshold:
        return Status.OUTAGE
    if severity < 1 and counted.degradations >= policy.failure_threshold:
        return Status.DEGRADED
    if severity > 0 and counted.successes >= policy.recovery_threshold:
        return Status.OPERATIONAL
    if severity > 1 and counted.recoveries >= policy.recovery_threshold:
        return Status.DEGRADED
    return present


def is_in_doubt(state: RegionState, outcome: OutcomeState) -> bool:
    """Whether this look says another thing than the verdict does: one more look soon tells which is true."""
    return outcome is not OutcomeState.INDETERMINATE and _STATUS_OF_OUTCOME[outcome] is not state.verdict


@dataclass(frozen=True)
class Pending:
    """What the latest looks say and the threshold has not decided yet: `count` of `needed` looks said `towards`."""

    towards: Status
    count: int
    needed: int


def pending_of(state: RegionState, policy: Policy) -> Pending | None:
    """None while the looks and the verdict agree, and when it is getting better: good news needs no warning."""
    severity = _SEVERITY.get(state.verdict, -1)
    needed = policy.failure_threshold
    if severity < _SEVERITY[Status.OUTAGE] and 0 < state.failures < needed:
        return Pending(Status.OUTAGE, state.failures, needed)
    if severity < _SEVERITY[Status.DEGRADED] and 0 < state.degradations < needed:
        return Pending(Status.DEGRADED, state.degradations, needed)
    return None


def is_stale(measured_at: datetime, steady_since: datetime, now: datetime, interval_seconds: float) -> bool:
    """True when the last word is too old. `steady_since` is when our own ticks (re)started: a gap of ours never
    ages anybody's measurement."""
    allowed = max(STALE_INTERVALS * timedelta(seconds=interval_seconds), STALE_AT_LEAST)
    return now - max(measured_at, steady_since) > allowed


@dataclass(frozen=True)
class RegionVerdict:
    """One region's vote: its verdict and why. `unknown` is no vote."""

    verdict: Status
    reason: str
    since: datetime | None = None


@dataclass(frozen=True)
class Decision:
    """A verdict and the reason for it."""

    verdict: Status
    reason: str


def decide_check(previous: Decision, regions: Sequence[RegionVerdict], policy: Policy) -> Decision:
    """What the regions with a fresh verdict agree on; the previous decision, marked `no_quorum`, when they do not.

    Fewer fresh verdicts than must agree decide nothing whatever they say, so nothing is known: what was decided
    while the others still spoke is as old as their silence.
    """
    voting = [region for region in regions if region.verdict is not Status.UNKNOWN]
    needed = policy.quorum or len(voting) // 2 + 1
    if len(voting) < needed:
        said = {region.reason for region in regions}
        return Decision(Status.UNKNOWN, next((why for why in _WHY_UNKNOWN if why in said), NOT_MEASURED))
    for verdict, agreeing in (
        (Status.OUTAGE, {Status.OUTAGE}),
        (Status.DEGRADED, {Status.OUTAGE, Status.DEGRADED}),
        (Status.OPERATIONAL, {Status.OPERATIONAL}),
    ):
        if sum(region.verdict in agreeing for region in voting) >= needed:
            return Decision(verdict, _first_reason(voting, verdict))
    return Decision(previous.verdict, NO_QUORUM)


# Why nothing is known, the most telling first.
_WHY_UNKNOWN = (BUDGET_SPENT, STALE)


def _first_reason(voting: Sequence[RegionVerdict], verdict: Status) -> str:
    """The reason of the region that has said so the longest; for a mixed majority, that of the worst."""
    same = [region for region in voting if region.verdict is verdict] or [
        region for region in voting if region.verdict is not Status.OPERATIONAL
    ]
    oldest = min(same, key=lambda region: (region.since is None, region.since))
    return oldest.reason


@dataclass(frozen=True)
class CheckVerdict:
    """What one enabled check says of its target. A canary (`counts` false) is measured and left out."""

    check: UUID
    verdict: Status
    reason: str
    counts: bool = True


@dataclass(frozen=True)
class TargetDecision:
    """A target's status, the reason, and the check that caused it (None when no check did)."""

    status: Status
    reason: str
    cause_check: UUID | None = None


_WORST_FIRST = (Status.OUTAGE, Status.DEGRADED, Status.OPERATIONAL, Status.UNKNOWN)


def decide_target(
    checks: Sequence[CheckVerdict], *, maintenance: bool = False, parents: Sequence[Status] = ()
) -> TargetDecision:
    """The worst of the checks that count. Unknown only when every one of them is: a page then says so of the rest.

    `parents` are the statuses of what the target depends on. They do not change what was measured; they are an
    input from the first day because inhibition reads the same decision.
    """
    del parents
    if maintenance:
        return TargetDecision(Status.MAINTENANCE, MAINTENANCE)
    counting = [check for check in checks if check.counts]
    if not counting:
        return TargetDecision(Status.UNKNOWN, NOT_MEASURED)
    for status in _WORST_FIRST:
        saying = [check for check in counting if check.verdict is status]
        if saying:
            cause = _cause(saying)
            return TargetDecision(status, cause.reason, None if status is Status.OPERATIONAL else cause.check)
    raise AssertionError("a check's verdict is always one of the four")


def _cause(saying: Sequence[CheckVerdict]) -> CheckVerdict:
    """A check that may not look any more, or is stale, explains an unknown target better than one that never ran."""
    telling = (check for why in _WHY_UNKNOWN for check in saying if check.reason == why)
    return next(telling, saying[0])


class IncidentStep(StrEnum):
    """What a change of status does to the target's incident."""

    NOTHING = "nothing"
    OPEN = "open"
    RAISE = "raise"
    RESOLVE = "resolve"
    NOT_MEASURED = "not_measured"


def decide_incident(*, open_severity: Status | None, unmeasured: bool, held: bool, status: Status) -> IncidentStep:
    """The step for a target that now has `status`.

    `open_severity` is the severity of its open incident (None: none is open), `unmeasured` whether that one is marked
    "not measured since", `held` whether somebody resolved the last one by hand while it still failed.
    Unknown never opens and never resolves: not knowing is no news about the target.
    """
    if status is Status.UNKNOWN:
        return IncidentStep.NOT_MEASURED if open_severity is not None and not unmeasured else IncidentStep.NOTHING
    if status in (Status.OPERATIONAL, Status.MAINTENANCE):
        return IncidentStep.NOTHING if open_severity is None else IncidentStep.RESOLVE
    if open_severity is None:
        return IncidentStep.NOTHING if held else IncidentStep.OPEN
    if _SEVERITY[status] > _SEVERITY[open_severity]:
        return IncidentStep.RAISE
    return IncidentStep.NOTHING
