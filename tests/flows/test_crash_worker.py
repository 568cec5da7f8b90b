"""A worker that hangs, and one that comes back with old news: looks go on, and none counts twice."""

from __future__ import annotations

import signal
import time

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.looks import DAY_SECONDS, wait_until_whole, watched_looks
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target
from tests.platform.portal import is_connected_to

pytestmark = pytest.mark.platform


def test_a_worker_that_hangs_is_restarted_and_its_looks_are_taken_again(portal: RunningPortal) -> None:
    with slow_target(seconds=0.3) as target, slow_target(seconds=0) as held, watched_looks(portal, target.url) as looks:
        held.hold()
        looks.add(held.url, interval_seconds=DAY_SECONDS)
        wait_for(lambda: held.in_flight, "the look to begin")
        hung = portal.processes.kill("worker", signal.SIGSTOP)
        hung_at = time.time()
        held.release()

        wait_for(lambda: portal.processes.pids["worker"] != hung, "the launcher to restart a worker that hangs", 90)
        assert "worker is restarted: it was silent for 15 s while its queue grew" in portal.processes.output()
        looks.wait_for_looks(hung_at, "after the worker hung")
        assert held.started >= 2, "the look was taken again"
        wait_until_whole(portal)
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()


def test_what_a_worker_says_after_its_lease_is_dropped(portal: RunningPortal) -> None:
    """It comes back while the other worker is looking again: only the second claim's answer may count."""
    with (
        slow_target(seconds=0.3) as target,
        slow_target(seconds=0) as held,
        watched_looks(portal, target.url) as looks,
        portal.processes.second_worker() as second,
    ):

        def second_worker_has_it() -> bool:
            """One more check, and whether the second worker is the one that waits for its answer."""
            begun = held.started
            held.hold()
            looks.add(held.url, interval_seconds=DAY_SECONDS, timeout_seconds=12)
            wait_for(lambda: held.started > begun, "the look to begin")
            if is_connected_to(second.pid, held.port):
                return True
            held.release()
            return False

        wait_for(second_worker_has_it, "a look by the second worker", 60)
        second.send_signal(signal.SIGSTOP)
        stopped_at, begun = time.time(), held.started
        held.release()
        wait_for(lambda: not held.in_flight, "the answer that nobody reads")
        held.hold()
        wait_for(lambda: held.started > begun, "the look to be taken again after its lease", 60)

        second.send_signal(signal.SIGCONT)
        wait_for(lambda: dropped_of(portal, second.pid), "what the second worker says late to be dropped", 60)
        held.release()
        looks.wait_for_looks(stopped_at, "by the worker that looked again", of=looks.checks[-1:])
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()


def dropped_of(portal: RunningPortal, pid: int) -> list[str]:
    """The lines in which the portal's own worker says that it dropped what this one told it."""
    lines = portal.processes.log("worker").splitlines()
    return [line for line in lines if '"outcomes_dropped"' in line and f'-{pid}"' in line]
