"""A vendor's page beside our own looks: each tells its own story, and the sentence says who told it first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import RestClient, wait_for
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.platform

MODELS = "/v1/models"
SUMMARY = "/api/v2/summary.json"


@dataclass(frozen=True)
class Watched:
    """A provider whose API and status page are both looked at every second."""

    client: RestClient
    vendor: HttpServer
    provider: str

    def status(self) -> str:
        return str(self.client.get(f"/api/v1/targets/{self.provider}/")["status"])

    def incidents(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.client.get(f"/api/v1/incidents/?target={self.provider}")["results"]
        return rows

    def page(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/vendor-status/{self.provider}/")
        return found

    def says(self, status: str, **wanted: Any) -> dict[str, Any]:
        """Wait until the vendor's page is read so."""

        def read() -> dict[str, Any] | None:
            page = self.page()
            return page if {"status": status, **wanted}.items() <= page.items() else None

        return wait_for(read, f"the vendor's page to say {status}")

    def publish(self, indicator: str, word: str, incidents: list[dict[str, Any]] | None = None) -> None:
        now = datetime.now(UTC).isoformat()
        document = {
            "page": {"id": "tymt9n04zgry", "name": "Example AI", "updated_at": now},
            "status": {"indicator": indicator, "description": indicator},
            "components": [
                {"id": "1", "name": "API", "status": word},
                {"id": "2", "name": "Shop", "status": "operational"},
            ],
            "incidents": incidents or [],
        }
        self.vendor.behave(SUMMARY, answer(200, document))


def watch(client: RestClient, vendor: HttpServer) -> Watched:
    vendor.behave(MODELS, answer(200, {"data": [{"id": "m"}]}))
    provider = client.post(
        "/api/v1/providers/",
        {"name": "Example AI", "base_url": vendor.url("/v1"), "status_page_url": vendor.url("/")},
    )
    identifier = provider["id"]
    client.post(
        "/api/v1/checks/",
        {
            "target": identifier,
            "kind": "ai_models",
            "name": "Models",
            "config": {"base_url": vendor.url("/v1")},
            "interval_seconds": 1,
            "timeout_seconds": 1,
        },
    )
    (check,) = client.get(f"/api/v1/checks/?target={identifier}&kind=vendor_status")["results"]
    assert check["affects_status"] is False
    client.call("PATCH", f"/api/v1/checks/{check['id']}/", {"interval_seconds": 1, "timeout_seconds": 1})
    return Watched(client, vendor, identifier)


def test_a_page_turns_bad_and_unreadable_and_our_own_verdict_stays_our_own(portal: RunningPortal) -> None:
    with HttpServer() as vendor:
        watched = watch(portal.client, vendor)
        watched.publish("none", "operational")
        watched.says("operational", readable=True)
        wait_for(lambda: watched.status() == "operational" or None, "our own look to be good")

        # The vendor cries wolf: we measured nothing of the kind, so our verdict stands and nobody is told.
        now = datetime.now(UTC).isoformat()
        told = {"id": "1", "name": "All is lost", "status": "investigating", "impact": "critical", "created_at": now}
        watched.publish("critical", "major_outage", [told])
        page = watched.says("outage")
        assert [incident["name"] for incident in page["incidents"]] == ["All is lost"]
        assert page["comparison"]["verdict"] == "not_seen"
        assert (watched.status(), watched.incidents()) == ("operational", [])

        # The page is gone, and a web page stands in its place: nothing is known, and nothing is down.
        vendor.behave(SUMMARY, answer(200, "<!DOCTYPE html><html>We have moved</html>", {"Content-Type": "text/html"}))
        assert watched.says("unknown", readable=False)["problem"] == "html"
        assert (watched.status(), watched.incidents()) == ("operational", [])

        # It is well again there, and now it breaks here: the vendor has not said so.
        watched.publish("none", "operational")
        watched.says("operational")
        vendor.behave(MODELS, answer(503))
        wait_for(lambda: watched.status() == "outage" or None, "our own look to see the outage")
        assert len(watched.incidents()) == 1
        lines = portal.client.get(f"/api/v1/vendor-status/{watched.provider}/lines/?range=1h")
        said = [point["status"] for point in lines["vendor"]]
        assert said == ["unknown", "operational", "outage", "unknown", "operational"]
        assert [point["status"] for point in lines["ours"]] == ["unknown", "operational", "outage"]
        assert [incident["id"] for incident in lines["incidents"]] == ["1"]
