"""A worker killed in the middle of a batch: every check is looked at again, and no look is kept twice."""

from __future__ import annotations

import os
import signal

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target

pytestmark = pytest.mark.platform


def test_a_check_whose_worker_was_killed_is_looked_at_again_after_its_lease(portal: RunningPortal) -> None:
    with slow_target(seconds=2) as target:
        service = portal.client.post("/api/v1/services/", {"name": "Slow but steady"})
        check = portal.client.post(
            "/api/v1/checks/",
            {
                "target": service["id"],
                "kind": "http",
                "config": {"url": target.url},
                "interval_seconds": 3_600,
                "timeout_seconds": 4,
            },
        )
        wait_for(lambda: target.started, "the first look to begin")
        os.kill(portal.processes.pids["worker"], signal.SIGKILL)

        results = f"/api/v1/checks/{check['id']}/results/"
        wait_for(lambda: portal.client.get(results)["results"], "a result after the lease ran out", 90)
        assert target.started >= 2, "the look was taken again"
        rows = portal.client.get(results)["results"]
        assert len(rows) == len({row["id"] for row in rows}) == 1
        assert rows[0]["state"] == "ok", "a worker of ours that died is nothing the target did"
        assert portal.client.get(f"/api/v1/targets/{service['id']}/")["status"] == "operational"
        portal.client.call("DELETE", f"/api/v1/services/{service['id']}/")
