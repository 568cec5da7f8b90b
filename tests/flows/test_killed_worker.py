"""A worker killed in the middle of a batch: every check is looked at again, and no look is kept twice."""

from __future__ import annotations

import time

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.looks import DAY_SECONDS, wait_until_whole, watched_looks
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target

pytestmark = pytest.mark.platform


def test_checks_whose_worker_was_killed_are_looked_at_again_after_their_lease(portal: RunningPortal) -> None:
    with slow_target(seconds=0.3) as target, slow_target(seconds=0) as held, watched_looks(portal, target.url) as looks:
        held.hold()
        looks.add(held.url, interval_seconds=DAY_SECONDS)
        wait_for(lambda: held.in_flight, "the look to begin")
        portal.processes.kill("worker")
        killed_at = time.time()
        held.release()

        looks.wait_for_looks(killed_at, "after the worker was killed")
        assert held.started >= 2, "the look was taken again"
        wait_until_whole(portal)
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()
