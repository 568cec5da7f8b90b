"""The spine's numbers: starting, idle memory, counts at 1,000 models, cache hits under polling, news to an open page.

    .venv/bin/python -m benchmarks.bench_spine

Starts a portal of its own, prints one table, and leaves nothing behind. Times on a shared machine are upper bounds.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import websockets

from tests.flows.rest import RestClient, wait_for
from tests.flows.servers import breakable_target
from tests.platform.portal import PortalUnderTest, manage

PASSWORD = "a-long-bench-password"
MODELS = 1_000
MAKE_MODELS = """
from apps.catalog.models import *
from apps.catalog.services import create_provider
from apps.core import clock
provider = create_provider(actor=None, name="Bench", base_url="http://127.0.0.1:9/v1")
targets = [Target(kind="model", name=f"model-{n}", namespace_id=provider.pk, environment=provider.target.environment)
           for n in range(%d)]
Target.objects.bulk_create(targets)
TargetStatus.objects.bulk_create([TargetStatus(target=t, since=clock.now()) for t in targets])
AIModel.objects.bulk_create([AIModel(target=t, provider=provider) for t in targets])
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        Path(folder).chmod(0o755)
        portal = PortalUnderTest(Path(folder) / "state")
        try:
            measure(portal)
        finally:
            portal.end()


def measure(portal: PortalUnderTest) -> None:
    say("first start, schema and static files included", seconds(lambda: start(portal)), "≤ 90 s (with the install)")
    portal.end()
    say("warm start", seconds(lambda: start(portal)), "≤ 7 s")
    url: str = portal.run["url"]
    client = RestClient(url, RestClient(url).post("/api/v1/auth/token/", credentials())["access"])
    wait_for(lambda: RestClient(url).call("GET", "/readyz").status == 200, "ready", 60)
    say("idle memory of the whole stack (proportional)", memory(portal), "≤ 450 MB")
    manage("shell", "-c", MAKE_MODELS % MODELS, state=portal.state.path)
    cold, warm = request_times(client, "/api/monitoring/realtime-stats")
    say(f"realtime-stats at {MODELS} models, p95, nothing cached", f"{cold:.0f} ms", "< 300 ms")
    say(f"realtime-stats at {MODELS} models, p95", f"{warm:.0f} ms", "< 300 ms")
    say("cache hits of an overview polling each second for 30 s", hit_rate(url, client), "> 80 %")
    asyncio.run(news_delay(url, client))


def start(portal: PortalUnderTest) -> None:
    portal.start(PORTAL_ADMIN_PASSWORD=PASSWORD, PORTAL_CHANNEL_ALLOW="127.0.0.0/8")
    assert portal.answers()


def credentials() -> dict[str, str]:
    return {"username": "admin", "password": PASSWORD}


def seconds(work: Callable[[], None]) -> str:
    began = time.monotonic()
    work()
    return f"{time.monotonic() - began:.1f} s"


def memory(portal: PortalUnderTest) -> str:
    printed = manage("portal", "status", state=portal.state.path).stdout
    line = next(line for line in printed.splitlines() if line.strip().startswith("all "))
    return " ".join(line.split()[1:3])


def request_times(client: RestClient, path: str) -> tuple[float, float]:
    """The 95th percentile in ms: with the cache emptied before every call, then as it comes."""
    cold = [timed(client, path, empty_cache=True) for _ in range(40)]
    warm = [timed(client, path, empty_cache=False) for _ in range(200)]
    return percentile(cold), percentile(warm)


def timed(client: RestClient, path: str, *, empty_cache: bool) -> float:
    if empty_cache:
        # Any change of the catalog makes every cached count stale.
        client.post("/api/v1/services/", {"name": f"Bench {time.time_ns()}"})
    began = time.perf_counter()
    client.get(path)
    return (time.perf_counter() - began) * 1_000


def percentile(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


PANELS = ("verdict", "counts", "wrong", "providers", "services", "incidents", "changes")


def hit_rate(url: str, client: RestClient) -> str:
    """An open overview whose socket failed, with a poll a second instead of one each 30 s."""

    def counted() -> tuple[float, float]:
        lines = client.call("GET", "/metrics").body.splitlines()
        found = [line for line in lines if line.startswith("portal_cache_requests_total{")]
        hits = sum(float(line.rsplit(" ", 1)[1]) for line in found if 'result="hit"' in line)
        return hits, sum(float(line.rsplit(" ", 1)[1]) for line in found)

    browser = signed_in(url)
    before = counted()
    for _ in range(30):
        for panel in PANELS:
            browser.open(f"{url}/fragments/{panel}/").read()
        time.sleep(1)
    after = counted()
    total = after[1] - before[1]
    return f"{100 * (after[0] - before[0]) / total:.0f} %" if total else "not counted"


async def news_delay(url: str, client: RestClient) -> None:
    """From the end of the look that changes a status to the event on an open socket."""
    with breakable_target() as target:
        service = client.post("/api/v1/services/", {"name": "Breakable"})
        check = {
            "target": service["id"],
            "kind": "http",
            "config": {"url": target.url, "conditions": [{"field": "status", "operator": "==", "value": 200}]},
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "failure_threshold": 1,
        }
        cookie = session_cookie(url)
        headers = {"Cookie": cookie, "Origin": url}
        delays: list[float] = []
        address = url.replace("http", "ws") + "/ws/live/"
        async with websockets.connect(address, additional_headers=headers) as socket:
            check_id = client.post("/api/v1/checks/", check)["id"]
            await heard(socket, service["id"])
            for _ in range(10):
                target.healthy = not target.healthy
                at = await heard(socket, service["id"])
                newest = client.get(f"/api/v1/checks/{check_id}/results/?limit=1")["results"][0]
                finished = _unix(newest["at"]) + newest["duration_ms"] / 1_000
                delays.append(at - finished)
        say("a finished probe to an open page, slowest of 10", f"{max(delays):.2f} s", "≤ 1.5 s")


async def heard(socket: Any, target: str) -> float:
    async with asyncio.timeout(20):
        while True:
            told = json.loads(await socket.recv())
            for event in told if isinstance(told, list) else [told]:
                if event["type"] == "target.status" and target in event["ids"]:
                    return time.time()


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def signed_in(url: str, jar: http.cookiejar.CookieJar | None = None) -> urllib.request.OpenerDirector:
    """Sign in as a browser does; the cookies stay in the opener (and in `jar`)."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar() if jar is None else jar)
    )
    page = opener.open(f"{url}/login/").read().decode()
    token = page.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
    form = urllib.parse.urlencode({**credentials(), "csrfmiddlewaretoken": token, "next": "/healthz"}).encode()
    opener.open(f"{url}/login/", form)
    return opener


def session_cookie(url: str) -> str:
    jar = http.cookiejar.CookieJar()
    signed_in(url, jar)
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def say(what: str, measured: str, asked: str) -> None:
    print(f"{what:<62}{measured:>12}   asked: {asked}", flush=True)


if __name__ == "__main__":
    main()
