"""The judgement as decision tables, and its laws as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.status import Status
from apps.checks import state
from apps.checks.state import (
    CheckVerdict,
    Decision,
    IncidentStep,
    Policy,
    RegionState,
    RegionVerdict,
    decide_check,
    decide_incident,
    decide_region,
    decide_target,
    is_stale,
    pending_of,
)
from apps.probes.base import OutcomeState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = {
    "o": OutcomeState.OK,
    "d": OutcomeState.DEGRADED,
    "f": OutcomeState.FAILED,
    "i": OutcomeState.INDETERMINATE,
}


def verdict_after(outcomes: str, policy: Policy | None = None) -> Status:
    return run(outcomes, policy or Policy()).verdict


def run(outcomes: str, policy: Policy, start: RegionState | None = None) -> RegionState:
    region = start or RegionState()
    for position, letter in enumerate(outcomes):
        at = NOW + timedelta(seconds=position)
        region = decide_region(region, LETTERS[letter], f"reason_{letter}", at, policy)
    return region


@pytest.mark.parametrize(
    ("outcomes", "failure", "recovery", "expected"),
    [
        ("", 2, 1, Status.UNKNOWN),
        ("o", 2, 1, Status.OPERATIONAL),  # the first good look is enough
        ("o", 2, 3, Status.OPERATIONAL),
        ("f", 2, 1, Status.UNKNOWN),  # one bad look is not
        ("ff", 2, 1, Status.OUTAGE),
        ("f", 1, 1, Status.OUTAGE),
        ("of", 2, 1, Status.OPERATIONAL),
        ("off", 2, 1, Status.OUTAGE),
        ("ofof", 2, 1, Status.OPERATIONAL),  # not consecutive
        ("offo", 2, 1, Status.OPERATIONAL),
        ("offo", 2, 2, Status.OUTAGE),
        ("offoo", 2, 2, Status.OPERATIONAL),
        ("offofoo", 2, 2, Status.OPERATIONAL),
        ("odd", 2, 1, Status.DEGRADED),
        ("od", 2, 1, Status.OPERATIONAL),
        ("odf", 2, 1, Status.DEGRADED),  # twice not well, once failed
        ("odff", 2, 1, Status.OUTAGE),
        ("offd", 2, 1, Status.DEGRADED),  # no longer failing
        ("offd", 2, 2, Status.OUTAGE),
        ("offdo", 2, 2, Status.DEGRADED),  # two not failed, but only one ok
        ("offdoo", 2, 2, Status.OPERATIONAL),
        ("oddo", 2, 1, Status.OPERATIONAL),
        ("dd", 2, 1, Status.DEGRADED),
        ("d", 2, 1, Status.UNKNOWN),
        ("offi", 2, 1, Status.OUTAGE),
        ("ofif", 2, 1, Status.OUTAGE),  # indeterminate neither counts nor resets
        ("oii", 2, 1, Status.OPERATIONAL),
        ("iii", 2, 1, Status.UNKNOWN),
    ],
)
def test_a_region_follows_its_consecutive_outcomes(
    outcomes: str, failure: int, recovery: int, expected: Status
) -> None:
    policy = Policy(failure_threshold=failure, recovery_threshold=recovery)
    assert verdict_after(outcomes, policy) is expected


def test_a_verdict_keeps_the_moment_it_began_and_the_latest_reason_for_it() -> None:
    region = run("off", Policy())
    assert region.since == NOW + timedelta(seconds=2)
    later = decide_region(region, OutcomeState.FAILED, "another", NOW + timedelta(seconds=9), Policy())
    assert (later.since, later.reason) == (region.since, "another")


def test_an_outcome_that_does_not_agree_leaves_the_reason_alone() -> None:
    region = run("off", Policy(recovery_threshold=2))
    later = decide_region(region, OutcomeState.OK, "ok", NOW + timedelta(seconds=9), Policy(recovery_threshold=2))
    assert (later.verdict, later.reason) == (Status.OUTAGE, "reason_f")


@given(st.text(alphabet="odfi", max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_an_outage_always_has_its_threshold_of_consecutive_failures_behind_it(
    outcomes: str, failure: int, recovery: int
) -> None:
    policy = Policy(failure_threshold=failure, recovery_threshold=recovery)
    region = RegionState()
    counted = ""
    for letter in outcomes:
        before = region.verdict
        region = decide_region(region, LETTERS[letter], letter, NOW, policy)
        counted += letter if letter != "i" else ""
        if region.verdict is Status.OUTAGE and before is not Status.OUTAGE:
            assert counted.endswith("f" * failure)
        if region.verdict is Status.OPERATIONAL and before in (Status.OUTAGE, Status.DEGRADED):
            assert counted.endswith("o" * recovery)
        if letter == "i":
            assert region.verdict is before


@given(st.text(alphabet="odf", max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_enough_good_looks_always_end_in_operational(outcomes: str, failure: int, recovery: int) -> None:
    policy = Policy(failure_threshold=failure, recovery_threshold=recovery)
    assert verdict_after(outcomes + "o" * recovery, policy) is Status.OPERATIONAL


@given(st.text(alphabet="odfi", max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_enough_failures_always_end_in_outage(outcomes: str, failure: int, recovery: int) -> None:
    policy = Policy(failure_threshold=failure, recovery_threshold=recovery)
    assert verdict_after(outcomes + "f" * failure, policy) is Status.OUTAGE


@pytest.mark.parametrize(
    ("seconds_ago", "steady_ago", "interval", "expected"),
    [
        (29, 9_999, 1, False),  # never before 30 s
        (31, 9_999, 1, True),
        (179, 9_999, 60, False),  # three intervals
        (181, 9_999, 60, True),
        (9_000, 10, 60, False),  # we were away ourselves: the clock restarted
        (9_000, 181, 60, True),
    ],
)
def test_staleness_counts_from_the_last_result_or_our_own_return(
    seconds_ago: int, steady_ago: int, interval: int, expected: bool
) -> None:
    measured, steady = NOW - timedelta(seconds=seconds_ago), NOW - timedelta(seconds=steady_ago)
    assert is_stale(measured, steady, NOW, interval) is expected


def votes(text: str) -> list[RegionVerdict]:
    words = {"O": Status.OPERATIONAL, "D": Status.DEGRADED, "F": Status.OUTAGE, "u": Status.UNKNOWN}
    return [
        RegionVerdict(words[letter], f"reason_{letter}", NOW + timedelta(seconds=position))
        for position, letter in enumerate(text)
    ]


BEFORE = Decision(Status.OPERATIONAL, "ok")


@pytest.mark.parametrize(
    ("regions", "quorum", "expected"),
    [
        ("O", None, Decision(Status.OPERATIONAL, "reason_O")),
        ("F", None, Decision(Status.OUTAGE, "reason_F")),
        ("FO", None, Decision(Status.OPERATIONAL, state.NO_QUORUM)),  # no majority of two: as it was
        ("FFO", None, Decision(Status.OUTAGE, "reason_F")),
        ("FOO", None, Decision(Status.OPERATIONAL, "reason_O")),
        ("FDO", None, Decision(Status.DEGRADED, "reason_D")),  # two are not well, one of them failed
        ("FuF", None, Decision(Status.OUTAGE, "reason_F")),  # unknown has no vote
        ("Fuu", None, Decision(Status.OUTAGE, "reason_F")),
        ("uuu", None, Decision(Status.UNKNOWN, state.NOT_MEASURED)),
        ("FOO", 1, Decision(Status.OUTAGE, "reason_F")),
        ("FFO", 3, Decision(Status.OPERATIONAL, state.NO_QUORUM)),
        # Too few fresh voices for an explicit quorum: nothing is known, however loud they are.
        ("FF", 3, Decision(Status.UNKNOWN, state.NOT_MEASURED)),
        ("Ou", 2, Decision(Status.UNKNOWN, state.NOT_MEASURED)),
        ("FFu", 2, Decision(Status.OUTAGE, "reason_F")),
        ("", None, Decision(Status.UNKNOWN, state.NOT_MEASURED)),
    ],
)
def test_regions_vote(regions: str, quorum: int | None, expected: Decision) -> None:
    assert decide_check(BEFORE, votes(regions), Policy(quorum=quorum)) == expected


def test_a_check_whose_every_region_went_silent_is_stale() -> None:
    silent = [RegionVerdict(Status.UNKNOWN, state.STALE), RegionVerdict(Status.UNKNOWN, state.NOT_MEASURED)]
    assert decide_check(BEFORE, silent, Policy()) == Decision(Status.UNKNOWN, state.STALE)


def test_two_of_two_cannot_stay_green_when_one_went_silent() -> None:
    regions = [RegionVerdict(Status.OUTAGE, "timeout"), RegionVerdict(Status.UNKNOWN, state.STALE)]
    assert decide_check(BEFORE, regions, Policy(quorum=2)) == Decision(Status.UNKNOWN, state.STALE)


def saying(*verdicts: Status, counts: bool = True) -> list[CheckVerdict]:
    return [
        CheckVerdict(UUID(int=position), verdict, verdict.value, counts) for position, verdict in enumerate(verdicts)
    ]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((), Status.UNKNOWN),
        ((Status.OPERATIONAL,), Status.OPERATIONAL),
        ((Status.OPERATIONAL, Status.UNKNOWN), Status.OPERATIONAL),  # unknown wins only when all are
        ((Status.UNKNOWN, Status.UNKNOWN), Status.UNKNOWN),
        ((Status.UNKNOWN, Status.DEGRADED), Status.DEGRADED),
        ((Status.OPERATIONAL, Status.DEGRADED, Status.OUTAGE), Status.OUTAGE),
    ],
)
def test_a_target_is_its_worst_check(verdicts: tuple[Status, ...], expected: Status) -> None:
    assert decide_target(saying(*verdicts)).status is expected


def test_a_target_names_the_check_that_caused_its_status() -> None:
    decision = decide_target(saying(Status.OPERATIONAL, Status.OUTAGE))
    assert (decision.cause_check, decision.reason) == (UUID(int=1), "outage")
    assert decide_target(saying(Status.OPERATIONAL)).cause_check is None


def test_a_canary_never_turns_a_target() -> None:
    failing = CheckVerdict(uuid4(), Status.OUTAGE, "failed", counts=False)
    assert decide_target([*saying(Status.OPERATIONAL), failing]).status is Status.OPERATIONAL
    assert decide_target([failing]).status is Status.UNKNOWN


def test_maintenance_comes_before_anything_measured() -> None:
    assert decide_target(saying(Status.OUTAGE), maintenance=True).status is Status.MAINTENANCE


@given(
    st.lists(st.sampled_from(list(Status)), max_size=4),
    st.lists(st.sampled_from([s for s in Status if s is not Status.MAINTENANCE]), max_size=4),
)
def test_parents_never_change_what_was_measured(parents: list[Status], verdicts: list[Status]) -> None:
    assert decide_target(saying(*verdicts), parents=parents) == decide_target(saying(*verdicts))


@pytest.mark.parametrize(
    ("severity", "unmeasured", "held", "status", "expected"),
    [
        (None, False, False, Status.OPERATIONAL, IncidentStep.NOTHING),
        (None, False, False, Status.OUTAGE, IncidentStep.OPEN),
        (None, False, False, Status.DEGRADED, IncidentStep.OPEN),
        (None, False, False, Status.UNKNOWN, IncidentStep.NOTHING),
        (None, False, False, Status.MAINTENANCE, IncidentStep.NOTHING),
        (None, False, True, Status.OUTAGE, IncidentStep.NOTHING),  # resolved by hand: held until operational
        (Status.DEGRADED, False, False, Status.OUTAGE, IncidentStep.RAISE),
        (Status.OUTAGE, False, False, Status.DEGRADED, IncidentStep.NOTHING),
        (Status.OUTAGE, False, False, Status.OPERATIONAL, IncidentStep.RESOLVE),
        (Status.OUTAGE, False, False, Status.MAINTENANCE, IncidentStep.RESOLVE),
        (Status.OUTAGE, False, False, Status.UNKNOWN, IncidentStep.NOT_MEASURED),
        (Status.OUTAGE, True, False, Status.UNKNOWN, IncidentStep.NOTHING),
        (Status.OUTAGE, True, False, Status.OUTAGE, IncidentStep.NOTHING),
    ],
)
def test_incident_steps(
    severity: Status | None, unmeasured: bool, held: bool, status: Status, expected: IncidentStep
) -> None:
    assert decide_incident(open_severity=severity, unmeasured=unmeasured, held=held, status=status) is expected


@given(st.sampled_from([None, Status.DEGRADED, Status.OUTAGE]), st.booleans(), st.booleans())
def test_unknown_never_opens_or_resolves_an_incident(severity: Status | None, unmeasured: bool, held: bool) -> None:
    step = decide_incident(open_severity=severity, unmeasured=unmeasured, held=held, status=Status.UNKNOWN)
    assert step in (IncidentStep.NOTHING, IncidentStep.NOT_MEASURED)


@pytest.mark.parametrize(
    ("outcomes", "threshold", "expected"),
    [
        ("", 2, None),
        ("o", 2, None),
        ("f", 2, (Status.OUTAGE, 1, 2)),
        ("of", 3, (Status.OUTAGE, 1, 3)),
        ("off", 3, (Status.OUTAGE, 2, 3)),
        ("offf", 3, None),  # decided
        ("od", 2, (Status.DEGRADED, 1, 2)),
        ("odf", 3, (Status.OUTAGE, 1, 3)),
        ("oddf", 2, (Status.OUTAGE, 1, 2)),  # degraded already, and on its way to an outage
        ("offo", 3, None),
        ("ffd", 2, None),  # better than the outage it still is
        ("ofi", 2, (Status.OUTAGE, 1, 2)),
        ("of", 1, None),
    ],
)
def test_what_the_threshold_has_not_decided_yet_is_counted(
    outcomes: str, threshold: int, expected: tuple[Status, int, int] | None
) -> None:
    policy = Policy(failure_threshold=threshold)
    found = pending_of(run(outcomes, policy), policy)
    assert (found and (found.towards, found.count, found.needed)) == expected
