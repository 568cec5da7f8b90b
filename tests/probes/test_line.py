"""Judging the line of a region: what each order of failures and looks at guards means. No thread, no clock."""

from __future__ import annotations

from itertools import count

import pytest

from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason
from apps.probes.line import (
    COALESCED_SECONDS,
    FOLLOWED_SECONDS,
    GRACE_SECONDS,
    HOLD_SECONDS,
    LOOK_SECONDS,
    MAX_HELD,
    TOLD_ALONE_SECONDS,
    TOLD_SECONDS,
    Finding,
    Found,
    LineVerdict,
    LineWatch,
    Round,
    read,
)

_numbers = count(1)
START = 1_000.0


def a_guard(name: str, timeout_seconds: float = 3.0) -> ProbeJob:
    config = {"host": f"{name}.example", "port": 53}
    return ProbeJob(
        check=name, region="seoul", generation=0, kind="tcp", config=config, timeout_seconds=timeout_seconds
    )


GATEWAY, RESOLVER = a_guard("gateway"), a_guard("resolver", timeout_seconds=1.0)


def a_failure(duration_ms: float = 5.0) -> Finished:
    job = ProbeJob(
        check=f"check-{next(_numbers)}", region="seoul", generation=1, kind="http", config={}, timeout_seconds=5
    )
    outcome = Outcome(
        state=OutcomeState.FAILED,
        reason=Reason.CONNECT_TIMEOUT,
        duration_ms=duration_ms,
        evidence={"host": "shop.example"},
    )
    return Finished(job=job, outcome=outcome)


def a_finding(guard: ProbeJob, found: Found, at: float = 0.0) -> Finding:
    reasons = {Found.ANSWERS: Reason.OK, Found.FAILS: Reason.UNREACHABLE, Found.NOTHING: Reason.ADDRESS_DENIED}
    return Finding(guard, found, reasons[found], {}, at)


def watching(*guards: ProbeJob) -> LineWatch:
    watch = LineWatch()
    watch.follow(guards or (GATEWAY, RESOLVER), START)
    return watch


def begun(watch: LineWatch, now: float) -> Round:
    look = watch.begin(now, now)
    assert look is not None
    return look


def next_moment(watch: LineWatch) -> float | None:
    moments = [moment for moment in (watch.next_moment(), watch.next_telling()) if moment is not None]
    return min(moments, default=None)


def judge(watch: LineWatch, now: float, *found: Found) -> list[Finished]:
    """One look at every guard, all back at once."""
    look = begun(watch, now)
    decided = []
    for guard, what in zip(look.guards, found, strict=True):
        decided += watch.found(look, a_finding(guard, what, now), now)
    return decided


ANSWERS, FAILS, NOTHING = Found.ANSWERS, Found.FAILS, Found.NOTHING


@pytest.mark.parametrize(
    ("gateway", "resolver", "verdict", "reason"),
    [
        (ANSWERS, ANSWERS, LineVerdict.ANSWERS, Reason.CONNECT_TIMEOUT),
        (ANSWERS, FAILS, LineVerdict.ANSWERS, Reason.CONNECT_TIMEOUT),
        (FAILS, ANSWERS, LineVerdict.ANSWERS, Reason.CONNECT_TIMEOUT),
        (NOTHING, ANSWERS, LineVerdict.ANSWERS, Reason.CONNECT_TIMEOUT),
        (FAILS, FAILS, LineVerdict.LOST, Reason.LINE_LOST),
        (NOTHING, FAILS, LineVerdict.LOST, Reason.LINE_LOST),
        (NOTHING, NOTHING, LineVerdict.UNKNOWN, Reason.CONNECT_TIMEOUT),
    ],
)
def test_one_guard_that_answers_is_enough_and_only_all_of_them_lose_the_line(
    gateway: Found, resolver: Found, verdict: LineVerdict, reason: Reason
) -> None:
    watch = watching()
    failure = a_failure()
    watch.hold([failure], START)
    [decided] = judge(watch, START + 1, gateway, resolver)
    assert watch.verdict is verdict
    assert decided.outcome.reason is reason
    assert decided.job == failure.job
    assert watch.held == 0


@pytest.mark.parametrize(
    ("state", "reason", "found"),
    [
        (OutcomeState.OK, Reason.OK, ANSWERS),
        (OutcomeState.DEGRADED, Reason.SLOW, ANSWERS),
        (OutcomeState.FAILED, Reason.CONNECT_REFUSED, FAILS),
        (OutcomeState.FAILED, Reason.UNREACHABLE, FAILS),
        (OutcomeState.FAILED, Reason.DNS_TIMEOUT, FAILS),
        (OutcomeState.FAILED, Reason.ADDRESS_DENIED, NOTHING),
        (OutcomeState.INDETERMINATE, Reason.INVALID_CONFIGURATION, NOTHING),
        (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR, NOTHING),
    ],
)
def test_a_slow_answer_is_an_answer_and_our_own_trouble_is_none(
    state: OutcomeState, reason: Reason, found: Found
) -> None:
    assert read(GATEWAY, Outcome(state=state, reason=reason), at=5.0).found is found


def test_a_lost_line_keeps_what_was_seen_and_says_which_guards_failed() -> None:
    watch = watching()
    watch.hold([a_failure()], START)
    [decided] = judge(watch, START + 1, FAILS, FAILS)
    outcome = decided.outcome
    assert outcome.state is OutcomeState.INDETERMINATE
    assert outcome.evidence["seen"] == "connect_timeout"
    assert outcome.evidence["host"] == "shop.example"
    assert outcome.evidence["guards"] == [
        {"id": "gateway", "address": "gateway.example:53", "reason": "unreachable"},
        {"id": "resolver", "address": "resolver.example:53", "reason": "unreachable"},
    ]
    assert "nothing is known" in outcome.sentence


def test_the_first_guard_that_answers_releases_at_once_while_the_other_is_still_asked() -> None:
    watch = watching()
    watch.hold([a_failure()], START)
    look = begun(watch, START + 1)
    assert watch.found(look, a_finding(GATEWAY, FAILS), START + 1.1) == []
    [decided] = watch.found(look, a_finding(RESOLVER, ANSWERS), START + 1.2)
    assert decided.outcome.state is OutcomeState.FAILED


def test_a_look_that_began_before_the_failure_decides_nothing() -> None:
    watch = watching()
    early = begun(watch, START)
    watch.hold([a_failure()], START + 0.5)
    for guard in early.guards:
        assert watch.found(early, a_finding(guard, ANSWERS), START + 0.6) == []
    assert watch.held == 1
    assert watch.begin(START + 0.7, 0) is None
    assert len(judge(watch, START + COALESCED_SECONDS, ANSWERS, ANSWERS)) == 1


def test_while_failures_flow_one_look_a_second_serves_all_of_them() -> None:
    watch = watching()
    begins = []
    for step in range(100):
        now = START + step / 20
        watch.hold([a_failure()], now)
        look = watch.begin(now, now)
        if look is not None:
            begins.append(now)
            for guard in look.guards:
                watch.found(look, a_finding(guard, ANSWERS), now)
    assert begins == [START, START + 1, START + 2, START + 3, START + 4]


def test_looks_overlap_so_a_slow_guard_delays_no_later_failure() -> None:
    watch = watching()
    slow = begun(watch, START)
    watch.hold([a_failure()], START + 0.5)
    second = begun(watch, START + 1)
    [decided] = watch.found(second, a_finding(RESOLVER, ANSWERS), START + 1.1)
    assert decided.outcome.state is OutcomeState.FAILED
    # What the older look finds afterwards changes nothing.
    for guard in slow.guards:
        assert watch.found(slow, a_finding(guard, FAILS), START + 3) == []
    assert watch.verdict is LineVerdict.ANSWERS


def test_a_look_that_never_comes_back_counts_as_failed() -> None:
    watch = watching()
    watch.hold([a_failure()], START)
    look = begun(watch, START)
    watch.found(look, a_finding(RESOLVER, FAILS), START + 1)
    ends_at = START + GATEWAY.timeout_seconds + GRACE_SECONDS
    assert watch.expire(ends_at - 0.1) == []
    [decided] = watch.expire(ends_at)
    assert decided.outcome.reason is Reason.LINE_LOST
    assert [guard["reason"] for guard in decided.outcome.evidence["guards"]] == ["unreachable", "timeout"]


def test_once_the_line_is_known_to_be_lost_failures_wait_for_no_look_of_their_own() -> None:
    watch = watching()
    judge(watch, START, FAILS, FAILS)
    under_way = begun(watch, START + LOOK_SECONDS)
    watch.hold([a_failure()], START + LOOK_SECONDS + 0.5)
    watch.found(under_way, a_finding(GATEWAY, FAILS), START + LOOK_SECONDS + 1)
    [decided] = watch.found(under_way, a_finding(RESOLVER, FAILS), START + LOOK_SECONDS + 1)
    assert decided.outcome.reason is Reason.LINE_LOST


def test_a_failure_that_nobody_could_judge_says_nothing_in_time() -> None:
    watch = watching(a_guard("slow", timeout_seconds=10.0))
    watch.hold([a_failure()], START)
    begun(watch, START)
    assert watch.next_moment() == START + HOLD_SECONDS
    assert watch.expire(START + HOLD_SECONDS - 0.1) == []
    [decided] = watch.expire(START + HOLD_SECONDS)
    assert (decided.outcome.state, decided.outcome.reason) == (OutcomeState.INDETERMINATE, Reason.LINE_LOST)
    assert watch.verdict is LineVerdict.UNKNOWN


def test_a_look_that_began_while_the_line_was_lost_says_nothing_when_it_ends_after() -> None:
    watch = watching()
    judge(watch, START, FAILS, FAILS)
    judge(watch, START + LOOK_SECONDS, ANSWERS, ANSWERS)
    now = START + LOOK_SECONDS + 2
    watch.hold([a_failure(duration_ms=5_000), a_failure(duration_ms=100)], now)
    began_before, began_after = judge(watch, now + 1, ANSWERS, ANSWERS)
    assert began_before.outcome.reason is Reason.LINE_LOST
    assert began_after.outcome.reason is Reason.CONNECT_TIMEOUT


def test_guards_are_looked_at_every_ten_seconds_until_the_last_batch_is_old() -> None:
    watch = watching(GATEWAY)
    moments, now = [], START
    while (moment := next_moment(watch)) is not None:
        now = max(now, moment)
        assert now < START + 2 * FOLLOWED_SECONDS
        look = watch.begin(now, now)
        if look is not None:
            moments.append(now)
            watch.found(look, a_finding(GATEWAY, ANSWERS, now), now)
        watch.told(watch.to_tell(now, alone=True), now)
    assert moments == [START + LOOK_SECONDS * step for step in range(31)]
    watch.follow([GATEWAY], now + 50)
    assert watch.begin(now + 50, 0) is not None


def test_without_guards_nothing_waits_any_more() -> None:
    watch = watching()
    watch.hold([a_failure()], START)
    [released] = watch.follow([], START + 1)
    assert released.outcome.state is OutcomeState.FAILED
    assert not watch.is_guarded
    assert watch.next_moment() is None


def test_other_guards_are_asked_at_once_and_what_the_old_ones_say_is_forgotten() -> None:
    watch = watching(GATEWAY)
    judge(watch, START, FAILS)
    old = begun(watch, START + LOOK_SECONDS)
    watch.hold([a_failure()], START + LOOK_SECONDS + 1)
    assert watch.follow([RESOLVER], START + LOOK_SECONDS + 2) == []
    assert watch.verdict is LineVerdict.UNKNOWN
    assert watch.found(old, a_finding(GATEWAY, ANSWERS), START + LOOK_SECONDS + 2) == []
    assert len(judge(watch, START + LOOK_SECONDS + 2, ANSWERS)) == 1


def test_more_failures_than_may_wait_say_nothing_and_are_not_lost() -> None:
    watch = watching()
    assert watch.hold([a_failure() for _ in range(MAX_HELD)], START) == []
    [over] = watch.hold([a_failure()], START)
    assert (over.outcome.state, over.outcome.reason) == (OutcomeState.INDETERMINATE, Reason.WORKER_LATE)
    assert watch.held == MAX_HELD


@pytest.mark.parametrize(("alone", "seconds"), [(False, TOLD_SECONDS), (True, TOLD_ALONE_SECONDS)])
def test_what_is_found_is_told_when_it_changed_and_now_and_then_otherwise(*, alone: bool, seconds: float) -> None:
    watch = watching(GATEWAY)
    told = []
    for step in range(9):
        now = START + step * LOOK_SECONDS
        judge(watch, now, FAILS if step == 7 else ANSWERS)
        findings = watch.to_tell(now, alone=alone)
        watch.told(findings, now)
        told += [(now - START, finding.found) for finding in findings]
    every = int(seconds / LOOK_SECONDS)
    expected = [(step * LOOK_SECONDS, ANSWERS) for step in range(0, 7, every)]
    assert told == [*expected, (7 * LOOK_SECONDS, FAILS), (8 * LOOK_SECONDS, ANSWERS)]


def test_the_same_look_is_told_once() -> None:
    watch = watching(GATEWAY)
    judge(watch, START, ANSWERS)
    watch.told(watch.to_tell(START, alone=True), START)
    assert watch.to_tell(START + 10 * TOLD_ALONE_SECONDS, alone=True) == []
