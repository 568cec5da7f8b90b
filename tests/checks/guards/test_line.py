"""Failures wait for a guard: the line of a worker process against real ports that open and close."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from apps.checks.guards.line import Line
from apps.checks.guards.services import LONGEST_SECONDS
from apps.checks.messages import GuardReport
from apps.core.addresses import probe_policy
from apps.probes.base import Finished, Outcome, OutcomeState, ProbeJob, Reason
from apps.probes.line import COALESCED_SECONDS, HOLD_SECONDS, LineVerdict
from tests.servers.listening import ListeningServer, SpeakingServer

_numbers = count(1)


class HandedOver:
    """What left the line, in batches. Refuses as often as it is told first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.refusals = 0
        self.refused = 0
        self.outcomes: dict[str, Outcome] = {}
        self.reports: list[GuardReport] = []

    def __call__(self, finished: list[Finished], guards: list[GuardReport]) -> None:
        with self._changed:
            if self.refused < self.refusals:
                self.refused += 1
                self._changed.notify_all()
                raise ConnectionError("the broker is away")
            for one in finished:
                assert one.job.check not in self.outcomes, "handed over twice"
                self.outcomes[one.job.check] = one.outcome
            self.reports += guards
            self._changed.notify_all()

    def wait_for(self, question: Callable[[], bool], what: str, within: float = 10.0) -> None:
        with self._changed:
            assert self._changed.wait_for(question, timeout=within), f"waited {within} s for {what}"

    def outcome(self, finished: Finished) -> Outcome:
        """Waits for it."""
        self.wait_for(lambda: finished.job.check in self.outcomes, "the outcome")
        return self.outcomes[finished.job.check]


def job(kind: str = "http", **fields: object) -> ProbeJob:
    values = {"check": f"{next(_numbers)}", "region": "local", "generation": 0, "config": {}, "timeout_seconds": 1.0}
    return ProbeJob(kind=kind, **{**values, **fields})  # type: ignore[arg-type]


def guard_at(server: ListeningServer, **fields: object) -> ProbeJob:
    return job("tcp", config={"host": "127.0.0.1", "port": server.port}, **fields)


def found(state: OutcomeState) -> Finished:
    reason = {OutcomeState.OK: Reason.OK, OutcomeState.DEGRADED: Reason.SLOW}.get(state, Reason.TIMEOUT)
    return Finished(job=job(), outcome=Outcome(state=state, reason=reason, duration_ms=1.0, started_at=time.time()))


FAILED = OutcomeState.FAILED


@pytest.fixture
def handed_over() -> HandedOver:
    return HandedOver()


@pytest.fixture
def line(handed_over: HandedOver) -> Iterator[Line]:
    line = Line(hand_over=handed_over, policy=probe_policy())
    yield line
    line.stop()


@pytest.fixture
def guard() -> Iterator[SpeakingServer]:
    with SpeakingServer() as server:
        yield server


def test_a_failure_is_handed_over_as_it_is_once_a_guard_answered(
    line: Line, handed_over: HandedOver, guard: SpeakingServer
) -> None:
    line.follow([guard_at(guard)])
    failure = found(FAILED)
    line.deliver([failure])
    assert handed_over.outcome(failure) == failure.outcome
    assert guard.connections >= 1
    assert line.verdict is LineVerdict.ANSWERS


def test_what_did_not_fail_never_waits(handed_over: HandedOver) -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(_guard: ProbeJob) -> Outcome:
        asked.set()
        release.wait(10)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)

    line = Line(hand_over=handed_over, policy=probe_policy(), look=hang)
    line.follow([job("tcp", timeout_seconds=10.0)])
    assert asked.wait(5)
    passing = [found(state) for state in (OutcomeState.OK, OutcomeState.DEGRADED, OutcomeState.INDETERMINATE)]
    failure = found(FAILED)
    line.deliver([failure, *passing])
    assert set(handed_over.outcomes) == {one.job.check for one in passing}
    release.set()
    assert handed_over.outcome(failure).state is FAILED
    line.stop()


def test_while_no_guard_answers_failures_say_nothing_and_afterwards_they_count_again(
    line: Line, handed_over: HandedOver, guard: SpeakingServer
) -> None:
    with SpeakingServer() as other:
        guards = [guard_at(guard), guard_at(other)]
        guard.refuse()
        other.refuse()
        line.follow(guards)
        first = found(FAILED)
        line.deliver([first])
        lost = handed_over.outcome(first)
        assert (lost.state, lost.reason) == (OutcomeState.INDETERMINATE, Reason.LINE_LOST)
        assert lost.evidence["seen"] == "timeout"
        assert {one["reason"] for one in lost.evidence["guards"]} == {"connect_refused"}
        assert line.verdict.value == "lost"

        other.listen()
        ends = time.monotonic() + 10
        while lost.state is not FAILED:
            assert time.monotonic() < ends, "failures did not count again"
            failure = found(FAILED)
            line.deliver([failure])
            lost = handed_over.outcome(failure)
        assert line.verdict.value == "answers"


def test_what_is_found_at_the_guards_leaves_without_any_outcome(
    line: Line, handed_over: HandedOver, guard: SpeakingServer
) -> None:
    with SpeakingServer() as closed:
        closed.refuse()
        answering, failing = guard_at(guard), guard_at(closed)
        before = time.time()
        line.follow([answering, failing])
        handed_over.wait_for(lambda: len(handed_over.reports) == 2, "a report on both guards")
    reports = {report.guard: report for report in handed_over.reports}
    assert reports[answering.check].answers
    assert (reports[failing.check].answers, reports[failing.check].reason) == (False, "connect_refused")
    assert before <= reports[failing.check].at <= time.time()
    assert handed_over.outcomes == {}


def test_a_guard_that_cannot_be_looked_at_hides_no_failure(line: Line, handed_over: HandedOver) -> None:
    line.follow([job("tcp", config={"host": "169.254.169.254", "port": 80}), job("no-such-kind")])
    failure = found(FAILED)
    line.deliver([failure])
    assert handed_over.outcome(failure).state is FAILED
    assert line.verdict is LineVerdict.UNKNOWN


def test_a_guard_that_hangs_costs_its_timeout_and_no_more(handed_over: HandedOver) -> None:
    never = threading.Event()

    def hang(_guard: ProbeJob) -> Outcome:
        never.wait(30)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)

    line = Line(hand_over=handed_over, policy=probe_policy(), look=hang)
    line.follow([job("tcp", timeout_seconds=0.2)])
    failure = found(FAILED)
    started = time.monotonic()
    line.deliver([failure])
    assert handed_over.outcome(failure).reason is Reason.LINE_LOST
    assert time.monotonic() - started < 5
    never.set()
    line.stop()


def test_without_guards_failures_pass_and_an_empty_list_lets_go_of_what_waits(handed_over: HandedOver) -> None:
    never = threading.Event()

    def hang(_guard: ProbeJob) -> Outcome:
        never.wait(30)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)

    line = Line(hand_over=handed_over, policy=probe_policy(), look=hang)
    first, second = found(FAILED), found(FAILED)
    line.deliver([first])
    assert set(handed_over.outcomes) == {first.job.check}
    line.follow([job("tcp", timeout_seconds=10.0)])
    line.deliver([second])
    line.follow([])
    assert handed_over.outcome(second).state is FAILED
    never.set()
    line.stop()


def test_what_the_broker_refuses_is_kept_and_handed_over_once(
    line: Line, handed_over: HandedOver, guard: SpeakingServer
) -> None:
    handed_over.refusals = 2
    line.follow([guard_at(guard)])
    failure = found(FAILED)
    line.deliver([failure])
    assert handed_over.outcome(failure).state is FAILED
    assert handed_over.refused == 2


def test_the_engine_keeps_what_the_broker_refuses(line: Line, handed_over: HandedOver, guard: SpeakingServer) -> None:
    line.follow([guard_at(guard)])
    handed_over.wait_for(lambda: bool(handed_over.reports), "the first look")
    handed_over.refusals = handed_over.refused + 1
    batch = [found(OutcomeState.OK), found(FAILED)]
    with pytest.raises(ConnectionError):
        line.deliver(batch)
    line.deliver(batch)
    assert [handed_over.outcome(one).state for one in batch] == [OutcomeState.OK, FAILED]


def test_the_slowest_guard_that_may_be_listed_is_heard_while_failures_still_wait() -> None:
    assert COALESCED_SECONDS + LONGEST_SECONDS < HOLD_SECONDS
