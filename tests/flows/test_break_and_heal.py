"""The story the portal exists for: a real service breaks and heals, and everybody who should know knows.

One portal with all its processes, a real HTTP server, a real webhook receiver, a real browser on the overview and one
on an admin list. Nothing is reloaded by hand.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from standardwebhooks import Webhook

from tests.flows.conftest import RunningPortal
from tests.flows.rest import RestClient, wait_for
from tests.flows.servers import Receiver, breakable_target, webhook_receiver

pytestmark = pytest.mark.browser

INTERVAL_SECONDS = 1
FAILURE_THRESHOLD = 2
STATES = ("operational", "degraded", "outage", "unknown", "maintenance")


def signed_in(browser: Browser, portal: RunningPortal, path: str) -> Page:
    page = browser.new_context(base_url=portal.url, locale="en-GB").new_page()
    page.goto("/login/")
    page.locator("[name=username]").fill(portal.username)
    page.locator("[name=password]").fill(portal.password)
    page.get_by_role("button", name="Sign in").click()
    page.goto(path)
    # A reload would lose this mark: it proves that the page changed by itself.
    page.evaluate("window.neverReloaded = true")
    return page


def status_of(client: RestClient, target: str) -> str:
    return str(client.get(f"/api/v1/targets/{target}/")["status"])


def verified(receiver: Receiver, secret: str, type_: str) -> list[dict[str, Any]]:
    """The messages of one type, each with a signature that the reference library accepts."""
    return [Webhook(secret).verify(body.decode(), headers) for headers, body in receiver.of_type(type_)]


def test_a_service_breaks_and_heals_and_everybody_who_should_know_knows(
    portal: RunningPortal, chromium: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    client = portal.client
    with breakable_target() as target, webhook_receiver() as receiver:
        channel = client.post(
            "/api/v1/channels/", {"name": "Receiver", "kind": "webhook", "config": {"url": f"{receiver.url}/hook"}}
        )
        secret = channel["config"]["secret"]
        service = client.post("/api/v1/services/", {"name": "Checkout"})
        client.post(
            "/api/v1/checks/",
            {
                "target": service["id"],
                "kind": "http",
                "config": {
                    "url": target.url,
                    "conditions": [{"field": "status", "operator": "==", "value": 200}],
                },
                "interval_seconds": INTERVAL_SECONDS,
                "timeout_seconds": 1,
                "failure_threshold": FAILURE_THRESHOLD,
            },
        )
        wait_for(lambda: status_of(client, service["id"]) == "operational", "the first good look")
        overview = signed_in(chromium, portal, "/")
        admin = signed_in(chromium, portal, "/admin/catalog/target/")
        expect(overview.get_by_text("Nothing is wrong")).to_be_visible()
        expect(admin.locator("#result_list")).to_contain_text("Operational")

        target.healthy = False
        broken_at = time.monotonic()
        wait_for(lambda: status_of(client, service["id"]) == "outage", "the outage", 30)
        outage_after = time.monotonic() - broken_at
        expect(overview.locator("main")).to_contain_text("Expected status 200, got 503", timeout=10_000)
        seen_after = time.monotonic() - broken_at
        expect(admin.locator("#result_list")).to_contain_text("Outage", timeout=10_000)
        agree(portal, overview)

        [incident] = client.get(f"/api/v1/incidents/?target={service['id']}")["results"]
        assert (incident["severity"], incident["reason"]) == ("outage", "status_mismatch")
        wait_for(lambda: receiver.of_type("incident.opened"), "the webhook that says it opened")
        client.post(f"/api/v1/incidents/{incident['id']}/acknowledge/")
        wait_for(lambda: receiver.of_type("incident.acknowledged"), "the webhook that says who has it")

        target.healthy = True
        healed_at = time.monotonic()
        wait_for(lambda: status_of(client, service["id"]) == "operational", "the recovery", 30)
        recovered_after = time.monotonic() - healed_at
        expect(overview.get_by_text("Nothing is wrong")).to_be_visible(timeout=10_000)
        expect(admin.locator("#result_list")).not_to_contain_text("Outage", timeout=10_000)
        wait_for(lambda: receiver.of_type("incident.resolved"), "the webhook that says it is over")
        agree(portal, overview)

        assert overview.evaluate("window.neverReloaded") and admin.evaluate("window.neverReloaded")
        [opened] = verified(receiver, secret, "incident.opened")
        [resolved] = verified(receiver, secret, "incident.resolved")
        assert len(verified(receiver, secret, "incident.acknowledged")) == 1
        assert opened["data"]["incident"]["id"] == resolved["data"]["incident"]["id"] == incident["id"]
        assert opened["data"]["change"]["to"] == "outage"
        assert opened["data"]["target"]["name"] == "Checkout"
        assert [opened["data"]["sequence"], resolved["data"]["sequence"]] == [1, 3]
        delivered = client.get(f"/api/v1/notifications/?incident={incident['id']}")["results"]
        assert {row["state"] for row in delivered} == {"sent"}
        client.call("DELETE", f"/api/v1/services/{service['id']}/")

    allowed = FAILURE_THRESHOLD * INTERVAL_SECONDS + 2
    with capsys.disabled():
        print(  # noqa: T201 - the story's numbers
            f"\n  outage decided {outage_after:.2f} s after it broke ({allowed} s asked), on the open page "
            f"{seen_after - outage_after:.2f} s later; recovery decided after {recovered_after:.2f} s"
        )


SHOWN_COUNTS = """() => Object.fromEntries(
    [...document.querySelectorAll('.status-bar[aria-label="Targets"] .legend li')].map((item) => {
        const [number, ...word] = item.innerText.trim().split(/\\s+/);
        return [word.join(" ").toLowerCase(), Number(number)];
    }))"""


def agree(portal: RunningPortal, page: Page) -> None:
    """Page (its fragment was refetched), API and statistics show the same counts, and the five states are the total."""

    def same() -> bool:
        summary = portal.client.get("/api/v1/summary/")
        stats = portal.client.get("/api/monitoring/realtime-stats")
        counts = {state: summary["targets"][state] for state in STATES}
        models = summary["models"]
        return bool(
            page.evaluate(SHOWN_COUNTS) == counts
            and sum(counts.values()) == summary["targets"]["total"]
            and [stats[f"{state}Models"] for state in STATES] == [models[state] for state in STATES]
        )

    wait_for(same, "page, summary and statistics to agree")
