"""Pings through the real web stack: CPU a ping by process, pings a second, how long the answer takes, none lost.

    .venv/bin/python -m benchmarks.bench_heartbeats
    .venv/bin/python -m benchmarks.bench_heartbeats --pings 5000 --concurrency 10

Starts a portal of its own with 200 heartbeats, and sends pings from a process beside it (not counted), each on a new
connection. CPU is counted until every ping has left the inbox, less what the portal spends when nobody pings.
Every 200 is durable: synchronous_commit and fsync are on. Other people's programs on the machine raise the times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.stack import Usage, portal_usage
from tests.platform.portal import PortalUnderTest, wait_until

HEARTBEATS = 200
IDLE_SECONDS = 15
SETTLED_SECONDS = 60.0
# Measured on such a machine with the same sender's shape: CPU ms a ping, database included.
PEERS = {"Healthchecks, connections kept": 4.1, "Healthchecks, as delivered": 11.0, "Uptime Kuma": 3.4}

MAKE_HEARTBEATS = """
import json
from apps.catalog.models import *
from apps.checks.models import *
from apps.core.clock import database_now
environment = Environment.objects.get(slug="prod"); region = Region.objects.get(slug="local"); now = database_now()
config = {"period_seconds": 3600, "grace_seconds": 600}
targets = [Target(kind="service", name=f"bench-{n}", environment=environment) for n in range(COUNT)]
Target.objects.bulk_create(targets)
TargetStatus.objects.bulk_create([TargetStatus(target=t, since=now) for t in targets])
Service.objects.bulk_create([Service(target=t) for t in targets])
checks = [Check(target=t, kind="heartbeat", name="heartbeat", config=config, interval_seconds=3600, enabled_at=now)
          for t in targets]
Check.objects.bulk_create(checks)
CheckStatus.objects.bulk_create([CheckStatus(source_check=c, since=now) for c in checks])
CheckRegion.objects.bulk_create([CheckRegion(source_check=c, region=region, interval_seconds=3600, passive=True,
    timeout_seconds=c.timeout_seconds, next_due_at=now, verdict_since=now) for c in checks])
heartbeats = Heartbeat.objects.bulk_create([Heartbeat(source_check=c, slug=f"bench-{n}") for n, c in enumerate(checks)])
print("MADE " + json.dumps([str(h.ping_id) for h in heartbeats]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pings", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        portal = PortalUnderTest(folder / "state")
        try:
            portal.start(PORTAL_ADMIN_PASSWORD="a-long-bench-password")
            measure(portal, folder, options.pings, options.concurrency)
        finally:
            portal.end()


def measure(portal: PortalUnderTest, folder: Path, pings: int, concurrency: int) -> None:
    wait_until(portal.is_whole, "the portal is ready", seconds=90)
    paths = folder / "paths"
    made = asked_of(portal, MAKE_HEARTBEATS.replace("COUNT", str(HEARTBEATS)), "MADE ")
    paths.write_text("\n".join(f"/ping/{ping_id}" for ping_id in made))
    with psycopg.connect(portal.run["environment"]["DATABASE_URL"], autocommit=True) as connection:
        send(portal, paths, 500, concurrency)
        already = settled(connection)
        idle = idle_usage(portal)
        before, began = portal_usage(portal), time.monotonic()
        sent = send(portal, paths, pings, concurrency)
        stored = settled(connection) - already
        after, seconds = portal_usage(portal), time.monotonic() - began
    tell(sent, pings, stored)
    tell_cpu(before, after, {name: share * seconds for name, share in idle.items()}, pings)


def asked_of(portal: PortalUnderTest, code: str, mark: str) -> Any:
    """What a piece of code printed in `manage.py shell`, after `mark`."""
    done = portal.manage("shell", "-c", code)
    line = next((line for line in done.stdout.splitlines() if line.startswith(mark)), None)
    assert line is not None, done.stderr[-2_000:]
    return json.loads(line.removeprefix(mark))


def send(portal: PortalUnderTest, paths: Path, pings: int, concurrency: int) -> dict[str, Any]:
    port = portal.run["url"].rpartition(":")[2]
    words = [sys.executable, "-m", "benchmarks.ping_sender", "127.0.0.1", port, paths, pings, concurrency]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def settled(connection: psycopg.Connection[Any]) -> int:
    """Pings stored so far, once none of them waits in the inbox (or after a while, when nobody settles them)."""
    ends = time.monotonic() + SETTLED_SECONDS
    while True:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM checks_pinginbox), (SELECT count(*) FROM checks_ping)"
        ).fetchone()
        assert row is not None
        if not row[0] or time.monotonic() > ends:
            if row[0]:
                print(f"{row[0]:,} pings were still in the inbox after {SETTLED_SECONDS:.0f} s")
            return int(row[0] + row[1])
        time.sleep(0.5)


def idle_usage(portal: PortalUnderTest) -> dict[str, float]:
    """CPU seconds a second of each process while nobody pings."""
    before = portal_usage(portal)
    time.sleep(IDLE_SECONDS)
    after = portal_usage(portal)
    return {name: (after[name].cpu_seconds - before[name].cpu_seconds) / IDLE_SECONDS for name in before}


def tell(sent: dict[str, Any], pings: int, stored: int) -> None:
    latencies = sent["latencies"]
    errors = pings - sent["statuses"].get("200", 0)
    rate = pings / sent["seconds"]
    print(f"{pings:,} pings, {rate:,.0f}/s (asked: ≥ 1,000/s), {errors} errors {sent['statuses']}")
    print(f"  answered in {latencies[pings // 2]:.1f} ms p50, {latencies[pings * 99 // 100]:.1f} ms p99")
    print(f"  rows stored: {stored:,} ({'all of them' if stored == pings else 'NOT what was sent'})")


def tell_cpu(before: dict[str, Usage], after: dict[str, Usage], idle: dict[str, float], pings: int) -> None:
    each = {
        name: (after[name].cpu_seconds - before[name].cpu_seconds - idle[name]) * 1_000 / pings
        for name in after
        if name in idle
    }
    total = sum(each.values())
    print(
        f"  CPU ms a ping: {total:.2f} (asked: ≤ 1.5) = " + ", ".join(f"{k} {v:.3f}" for k, v in sorted(each.items()))
    )
    whole = sum(after[name].cpu_seconds - before[name].cpu_seconds for name in idle) * 1_000 / pings
    print(f"  with what the portal spends anyway: {whole:.2f}")
    for peer, theirs in PEERS.items():
        print(f"  {peer}: {theirs} ms, ours is {total / theirs:.2f} of it")


if __name__ == "__main__":
    main()
