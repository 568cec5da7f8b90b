"""PostgreSQL dies in the middle of things: what was found meanwhile is recorded late, or looked at again."""

from __future__ import annotations

import time

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.looks import DAY_SECONDS, wait_until_back, wait_until_gone, wait_until_whole, watched_looks
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target

pytestmark = pytest.mark.platform


def test_a_restarted_database_doubles_no_look_and_blames_nobody(portal: RunningPortal) -> None:
    with slow_target(seconds=0.3) as target, slow_target(seconds=0) as held, watched_looks(portal, target.url) as looks:
        held.hold()
        daily = looks.add(held.url, interval_seconds=DAY_SECONDS, timeout_seconds=4)
        wait_for(lambda: held.in_flight, "the look to begin")
        before = looks.results(looks.checks[0])
        with portal.processes.unattended():
            portal.processes.kill("postgresql")
            held.release()
            wait_until_gone(portal, "database")
            wait_for(lambda: not target.in_flight and not held.in_flight, "the looks under way to end")
            refused = portal.client.call("POST", "/api/v1/services/", {"name": "Written without a database"})
            assert refused.status == 503
            assert "database cannot be reached" in refused.body["detail"]
        wait_until_back(portal, "database")
        back_at = time.time()

        looks.wait_for_looks(back_at, "after the database came back", looks=2, of=looks.checks[:1])
        wait_for(lambda: looks.results(daily), "the look that was under way, kept or taken again", 60)
        wait_until_whole(portal)
        after = looks.results(looks.checks[0])
        assert after[-len(before) :] == before, "history is as it was"
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()
