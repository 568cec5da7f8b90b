"""Three regions, two of them without a database: they agree or not, one goes silent, and one has a wrong key."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.flows.conftest import PASSWORD
from tests.flows.regional import Faces, WorkerOfRegion, service_with_faces
from tests.flows.rest import RestClient, wait_for
from tests.platform.portal import PortalUnderTest
from tests.servers.listening import SpeakingServer

pytestmark = pytest.mark.platform

SILENT_SECONDS = 15
STALE_SECONDS = 30
QUEUE_LIMIT = 20


@dataclass(frozen=True)
class World:
    """A portal that looks from `local`, two workers elsewhere, and a service they all know by one name."""

    client: RestClient
    portal: PortalUnderTest
    folder: Path
    faces: Faces
    workers: dict[str, WorkerOfRegion]

    def region(self, slug: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = self.client.get("/api/v1/regions/")["results"]
        return next(row for row in rows if row["slug"] == slug)

    def is_in_state(self, slug: str, state: str) -> bool:
        return bool(self.region(slug)["state"] == state)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="portal-regions-"))
    folder.chmod(0o711)
    portal = PortalUnderTest(folder / "state")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        faces = stack.enter_context(service_with_faces("local", "seoul", "tokyo"))
        stack.callback(portal.end)
        portal.start(PORTAL_ADMIN_PASSWORD=PASSWORD, PORTAL_DNS=faces.name_servers["local"].address)
        wait_for(portal.is_whole, "the portal to be ready", 60)
        url = portal.run["url"]
        token = RestClient(url).post("/api/v1/auth/token/", {"username": "admin", "password": PASSWORD})
        workers = {
            region: WorkerOfRegion(
                folder,
                region,
                redis_url=portal.run["environment"]["REDIS_URL"],
                PORTAL_SECRET_KEY_FILE=str(portal.state.secret_key),
                PORTAL_DNS=faces.name_servers[region].address,
            )
            for region in ("seoul", "tokyo")
        }
        for worker in workers.values():
            stack.callback(worker.end)
        yield World(RestClient(url, token["access"]), portal, folder, faces, workers)


@dataclass(frozen=True)
class Shop:
    """The service's check, looked at from all three every second; two must agree."""

    world: World
    service: str
    check: str

    def status(self) -> str:
        return str(self.world.client.get(f"/api/v1/targets/{self.service}/")["status"])

    def verdicts(self) -> dict[str, str]:
        rows = self.world.client.get(f"/api/v1/checks/{self.check}/regions/")
        return {row["region"]: row["verdict"] for row in rows}

    def incidents(self) -> list[Any]:
        rows: list[Any] = self.world.client.get(f"/api/v1/incidents/?target={self.service}")["results"]
        return rows


@pytest.fixture(scope="module")
def shop(world: World) -> Shop:
    """Also the first part of the story: a region nobody serves is said at the save, and working once one is started."""
    for slug in ("seoul", "tokyo"):
        made = world.client.post("/api/v1/regions/", {"slug": slug, "name": slug.capitalize()})
        assert made["warnings"] == [
            f"No worker has been heard from {slug}. Start one with: python manage.py portal worker --region {slug}"
        ]
        assert made["state"] == "never_heard"
        world.workers[slug].start()
    for slug in ("local", "seoul", "tokyo"):
        wait_for(lambda slug=slug: world.is_in_state(slug, "working"), f"{slug} to be heard", 30)  # type: ignore[misc]
    service = world.client.post("/api/v1/services/", {"name": "Shop"})
    check = world.client.post(
        "/api/v1/checks/",
        {
            "target": service["id"],
            "kind": "http",
            "config": {"url": world.faces.url, "conditions": [{"field": "status", "operator": "==", "value": 200}]},
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "failure_threshold": 2,
            "regions": ["local", "seoul", "tokyo"],
            "quorum": 2,
        },
    )
    assert (check["regions"], check["warnings"]) == (["local", "seoul", "tokyo"], [])
    return Shop(world, service["id"], check["id"])


def wait_for_all(shop: Shop, verdict: str, what: str) -> None:
    """Wait until every region says so; when one does not, the failure tells what each of them last saw."""
    try:
        wait_for(lambda: shop.verdicts() == dict.fromkeys(("local", "seoul", "tokyo"), verdict), what, 30)
    except AssertionError as error:
        base = f"/api/v1/checks/{shop.check}"
        rows = shop.world.client.get(f"{base}/regions/")
        bad = [row for row in shop.world.client.get(f"{base}/results/")["results"] if row["state"] != "ok"]
        seen = [shop.world.client.get(f"{base}/results/{row['id']}/") for row in bad[:3]]
        raise AssertionError(f"{error}\n{rows}\n{seen}") from None


def test_two_of_three_regions_decide(shop: Shop) -> None:
    faces = shop.world.faces
    wait_for_all(shop, "operational", "the first good look of each region")

    faces.broken = {"seoul"}
    wait_for(lambda: shop.verdicts()["seoul"] == "outage", "seoul to find it broken", 30)
    assert (shop.status(), shop.incidents()) == ("operational", [])

    faces.broken = {"seoul", "tokyo"}
    wait_for(lambda: shop.status() == "outage", "two regions to agree", 30)
    assert shop.verdicts()["local"] == "operational"
    [incident] = shop.incidents()
    assert incident["reason"] == "status_mismatch"

    faces.broken = set()
    wait_for_all(shop, "operational", "the recovery")
    wait_for(lambda: shop.status() == "operational", "the recovery", 30)


def test_a_region_that_has_lost_its_own_line_has_no_say(shop: Shop) -> None:
    world, faces = shop.world, shop.world.faces
    wait_for_all(shop, "operational", "every region to be well")
    before = shop.incidents()
    with SpeakingServer() as reference:
        guard = world.client.post(
            "/api/v1/guards/",
            {
                "region": "seoul",
                "name": "Gateway",
                "kind": "tcp",
                "config": {"host": "127.0.0.1", "port": reference.port},
                "timeout_seconds": 1,
            },
        )
        wait_for(lambda: world.region("seoul")["line"] == "answers", "the guard to be looked at", 30)
    # The guard is gone with its port, and the service breaks for two regions: that would be enough.
    faces.broken = {"seoul", "tokyo"}
    wait_for(lambda: world.region("seoul")["line"] == "lost", "the line to be known as lost", 30)
    wait_for(lambda: shop.verdicts()["tokyo"] == "outage", "tokyo to find it broken", 30)
    assert shop.verdicts()["seoul"] in {"operational", "unknown"}
    assert (shop.status(), shop.incidents()) == ("operational", before)

    # Without the guard its failures count again, and two regions agree.
    world.client.call("DELETE", f"/api/v1/guards/{guard['id']}/")
    wait_for(lambda: shop.status() == "outage", "two regions to agree", 30)
    faces.broken = set()
    wait_for_all(shop, "operational", "the recovery")
    wait_for(lambda: shop.status() == "operational", "the recovery", 30)


def test_workers_of_regions_open_no_database(shop: Shop) -> None:
    wait_for_all(shop, "operational", "looks from every region")
    addresses = shop.world.portal.run["environment"]
    broker_port = urlsplit(addresses["REDIS_URL"]).port
    with psycopg.connect(addresses["DATABASE_URL"]) as database:
        database_port = database.info.port
        clients = {row[0] for row in database.execute("SELECT client_port FROM pg_stat_activity")}
    for worker in shop.world.workers.values():
        remote, local = worker.remote_and_local_ports()
        assert broker_port in remote
        assert database_port not in remote
        assert not local & clients


def test_a_worker_that_is_killed_is_started_again_at_once(shop: Shop) -> None:
    worker = shop.world.workers["tokyo"]
    before = worker.child_pid()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: worker.child_pid() not in {None, before}, "another process", 3)
    again = wait_for(worker.child_pid, "its number")
    name = f"-{again}"

    def heard() -> bool:
        return any(one["name"].endswith(name) for one in shop.world.region("tokyo")["workers"])

    wait_for(heard, "the new one to be heard", 30)
    assert "killed by signal 9" in worker.printed


def test_a_region_that_goes_silent_is_unknown_for_its_share_and_pages_nobody(shop: Shop) -> None:
    world, worker = shop.world, shop.world.workers["seoul"]
    wait_for_all(shop, "operational", "every region to be well")
    changes = world.client.get(f"/api/v1/state-changes/?target={shop.service}")["results"]
    incidents = shop.incidents()
    worker.kill()
    killed_at = time.monotonic()

    wait_for(lambda: world.is_in_state("seoul", "silent"), "seoul to be shown as silent", SILENT_SECONDS + 10)
    assert time.monotonic() - killed_at >= SILENT_SECONDS - 4
    wait_for(lambda: shop.verdicts()["seoul"] == "unknown", "its share to be unknown", STALE_SECONDS + 15)
    [row] = [row for row in world.client.get(f"/api/v1/checks/{shop.check}/regions/") if row["region"] == "seoul"]
    assert (row["reason"], row["in_quorum"], row["state"]) == ("stale", False, "silent")
    assert shop.status() == "operational"
    assert shop.incidents() == incidents
    assert world.client.get(f"/api/v1/state-changes/?target={shop.service}")["results"] == changes
    assert world.region("seoul")["queue_length"] <= QUEUE_LIMIT

    worker.start()
    wait_for(lambda: world.is_in_state("seoul", "working"), "seoul to work again", 30)
    wait_for_all(shop, "operational", "its first look")


def test_a_worker_with_another_key_is_shown_and_takes_nothing(shop: Shop) -> None:
    world = shop.world
    world.client.post("/api/v1/regions/", {"slug": "osaka", "name": "Osaka"})
    redis_url = world.portal.run["environment"]["REDIS_URL"]
    worker = WorkerOfRegion(world.folder, "osaka", redis_url=redis_url, PORTAL_SECRET_KEY="of-another-portal" * 4)
    try:
        worker.start()
        wait_for(lambda: world.region("osaka")["key_differs"], "the page to say so", 30)
        assert not world.is_in_state("osaka", "working")
        assert worker.printed.count("sealed with another key") == 1
        assert world.portal.answers()
        wait_for_all(shop, "operational", "every other region to be well")
        assert worker.stop() == 0
    finally:
        worker.end()
        osaka = world.region("osaka")["id"]
        assert world.client.call("DELETE", f"/api/v1/regions/{osaka}/").status == 204
