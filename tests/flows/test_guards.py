"""A region loses its own line: nobody is told of an outage, and one that is real is found once the line is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import RestClient, wait_for
from tests.flows.servers import breakable_target
from tests.servers.listening import SpeakingServer

pytestmark = pytest.mark.platform

THRESHOLD = 2


@contextmanager
def two_guards(client: RestClient) -> Iterator[list[SpeakingServer]]:
    """Two real ports, listed as the guards of the region the portal looks from; unlisted at the end."""
    with ExitStack() as stack:
        servers = [stack.enter_context(SpeakingServer()) for _ in range(2)]
        for number, server in enumerate(servers):
            guard = client.post(
                "/api/v1/guards/",
                {
                    "region": "local",
                    "name": f"Guard {number}",
                    "kind": "tcp",
                    "config": {"host": "127.0.0.1", "port": server.port},
                    "timeout_seconds": 1,
                },
            )
            assert guard["warnings"] == []
            stack.callback(client.call, "DELETE", f"/api/v1/guards/{guard['id']}/")
        yield servers


@dataclass(frozen=True)
class Watched:
    """A service with a check every second, as the API tells of it."""

    client: RestClient
    service: str
    check: str

    def status(self) -> str:
        return str(self.client.get(f"/api/v1/targets/{self.service}/")["status"])

    def incidents(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get(f"/api/v1/incidents/?target={self.service}")["results"]
        return rows

    def results(self, **wanted: str) -> list[dict[str, Any]]:
        """The newest looks that have these values, newest first."""
        rows = self.client.get(f"/api/v1/checks/{self.check}/results/?limit=100")["results"]
        return [row for row in rows if wanted.items() <= row.items()]

    def evidence(self, result: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/checks/{self.check}/results/{result['id']}/")["evidence"]
        return found


@contextmanager
def watched_service(client: RestClient, url: str) -> Iterator[Watched]:
    service = client.post("/api/v1/services/", {"name": "Behind a line"})
    config = {"url": url, "conditions": [{"field": "status", "operator": "==", "value": 200}]}
    check = client.post(
        "/api/v1/checks/",
        {
            "target": service["id"],
            "kind": "http",
            "config": config,
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "failure_threshold": THRESHOLD,
        },
    )
    try:
        yield Watched(client, service["id"], check["id"])
    finally:
        client.call("DELETE", f"/api/v1/services/{service['id']}/")


def guard_states(client: RestClient) -> set[str]:
    return {row["state"] for row in client.get("/api/v1/guards/?region=local")["results"]}


def line(client: RestClient) -> str:
    [region] = [row for row in client.get("/api/v1/regions/")["results"] if row["slug"] == "local"]
    return str(region["line"])


def test_a_lost_line_is_no_outage_and_a_real_one_is_found_once_the_line_is_back(portal: RunningPortal) -> None:
    client = portal.client
    with (
        breakable_target() as target,
        two_guards(client) as guards,
        watched_service(client, target.url) as watched,
    ):
        wait_for(lambda: watched.status() == "operational", "the first good look")
        wait_for(lambda: guard_states(client) == {"answers"}, "both guards to answer")
        assert line(client) == "answers"

        for guard in guards:
            guard.refuse()
        target.healthy = False
        enough = 2 * THRESHOLD + 1
        wait_for(lambda: len(watched.results(reason="line_lost")) >= enough, "looks without a line", 60)
        wait_for(lambda: line(client) == "lost", "the region to say so")
        assert guard_states(client) == {"fails"}
        assert {row["state"] for row in watched.results()} == {"ok", "indeterminate"}
        evidence = watched.evidence(watched.results(reason="line_lost")[0])
        assert evidence["seen"] == "status_mismatch"
        assert {guard["reason"] for guard in evidence["guards"]} == {"connect_refused"}
        assert (watched.incidents(), watched.status() == "outage") == ([], False)

        for guard in guards:
            guard.listen()
        wait_for(lambda: watched.status() == "outage", "the outage that is the target's own", 30)
        wait_for(lambda: line(client) == "answers", "the region to say that its line is back")
        [incident] = watched.incidents()
        assert incident["reason"] == "status_mismatch"
        assert len(watched.results(state="failed")) >= THRESHOLD

        target.healthy = True
        wait_for(lambda: watched.status() == "operational", "the recovery", 30)
        assert watched.incidents()[0]["resolved_at"] is not None
    assert client.get("/api/v1/guards/")["results"] == []
