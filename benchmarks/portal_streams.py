"""Streams through a whole portal: CPU of all its processes a look, and stored times against the server's log."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stack import Usage, portal_usage
from benchmarks.streamed_models import KEY, Models, Told, percentile, spread
from tests.platform.portal import PROJECT, PortalUnderTest, clean_environment, wait_until

INTERVAL = 60
PROVIDERS = 10
PASSWORD = "a-long-bench-password"

MAKE = """
from datetime import datetime, date, UTC
from decimal import Decimal
from apps.catalog.models import *
from apps.checks.models import *
from apps.checks.schedule import offset_of
from apps.core.clock import database_now
from apps.core.secrets import seal
wanted = WANTED
environment = Environment.objects.get(slug="prod"); region = Region.objects.get(slug="local"); now = database_now()
Check.objects.exclude(portal_part="").update(enabled=False)
CheckRegion.objects.update(enabled=False)
def targets(kind, names):
    made = [Target(kind=kind, name=name, environment=environment) for name in names]
    Target.objects.bulk_create(made)
    TargetStatus.objects.bulk_create([TargetStatus(target=t, since=now) for t in made])
    return made
providers = [Provider(target=t, base_url=wanted["base_url"], dialect="openai", sealed_api_key=seal(wanted["key"]),
    paid_at_once=200) for t in targets("provider", [f"bench-{n}" for n in range(wanted["providers"])])]
Provider.objects.bulk_create(providers)
Budget.objects.bulk_create([Budget(provider=p, monthly_cap=Decimal(1000)) for p in providers])
Price.objects.create(dialect="openai", model="m-*", input_per_million=1, output_per_million=4,
    valid_from=date(2026, 1, 1))
model_targets = targets("model", [f"m-{n}" for n in range(wanted["streams"])])
AIModel.objects.bulk_create([AIModel(target=t, provider=providers[n % len(providers)])
    for n, t in enumerate(model_targets)])
services = targets("service", [f"bench-{n}" for n in range(wanted["beside"])])
Service.objects.bulk_create([Service(target=t) for t in services])
def plan(kind, target, config):
    return Check(target=target, kind=kind, name=kind, config=config, interval_seconds=wanted["interval"],
        timeout_seconds=30, enabled_at=now)
checks = [plan("ai_stream", t, {}) for t in model_targets]
checks += [plan("http", t, {"url": f"http://127.0.0.1:{wanted['port']}/{n}",
    "conditions": [{"field": "status", "operator": "==", "value": 200}]}) for n, t in enumerate(services)]
Check.objects.bulk_create(checks, batch_size=5000)
CheckStatus.objects.bulk_create([CheckStatus(source_check=c, since=now) for c in checks], batch_size=5000)
rows = []
for c in checks:
    offset = offset_of(c.pk, region.pk, wanted["interval"])
    moment = now.timestamp()
    due = offset + wanted["interval"] * ((moment - offset) // wanted["interval"] + 1)
    rows.append(CheckRegion(source_check=c, region=region, interval_seconds=wanted["interval"],
        timeout_seconds=c.timeout_seconds, offset_seconds=offset, verdict_since=now,
        next_due_at=datetime.fromtimestamp(due, UTC)))
CheckRegion.objects.bulk_create(rows, batch_size=5000)
"""

READ = """
import json
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute('''
        SELECT c.kind, r.reason, t.name, extract(epoch FROM r.at)::float8, r.measurements
        FROM checks_checkresult r JOIN checks_check c ON c.id = r.check_id JOIN catalog_target t ON t.id = c.target_id
        WHERE r.at >= to_timestamp(SINCE) AND r.at < to_timestamp(UNTIL) AND c.kind = 'ai_stream'
    ''')
    streams = [[*row[:4], json.loads(row[4]) if isinstance(row[4], str) else row[4]] for row in cursor.fetchall()]
    cursor.execute('''
        SELECT r.reason, count(*) FROM checks_checkresult r JOIN checks_check c ON c.id = r.check_id
        WHERE r.at >= to_timestamp(SINCE) AND r.at < to_timestamp(UNTIL) AND c.kind = 'http' AND c.portal_part = ''
        GROUP BY r.reason
    ''')
    others = dict(cursor.fetchall())
    cursor.execute("SELECT coalesce(sum(looks), 0), coalesce(sum(cost), 0)::float8 FROM checks_spendday")
    looks, cost = cursor.fetchone()
print("READ " + json.dumps({"streams": streams, "others": others, "paid": int(looks), "cost": cost}))
"""


@dataclass(frozen=True)
class Measure:
    """One run: streams and HTTP checks a minute, for so many seconds."""

    streams: int
    seconds: int
    beside: int

    def run(self, server: Models, port: int, folder: Path) -> None:
        """Print CPU a look of every process, and the errors of what was stored."""
        portal = PortalUnderTest(folder / "state")
        try:
            portal.start(PORTAL_ADMIN_PASSWORD=PASSWORD)
            wait_until(portal.is_whole, "the portal is ready", seconds=90)
            idle = self._idle(portal)
            wanted = {
                "streams": self.streams, "beside": self.beside, "interval": INTERVAL, "providers": PROVIDERS,
                "base_url": server.base_url, "key": KEY, "port": port,
            }  # fmt: skip
            shell(portal, MAKE.replace("WANTED", repr(wanted)))
            # The first looks change every status from unknown, which no later one does.
            time.sleep(2 * INTERVAL + 5)
            since, before = time.time(), portal_usage(portal)
            time.sleep(self.seconds)
            until, after = time.time(), portal_usage(portal)
            time.sleep(5)
            read = read_of(shell(portal, READ.replace("SINCE", repr(since)).replace("UNTIL", repr(until))))
            self._tell(idle, (before, after), read, server, until - since)
        finally:
            portal.end()

    def _idle(self, portal: PortalUnderTest) -> float:
        """CPU seconds a second while nothing is looked at but the portal itself."""
        before, started = portal_usage(portal), time.time()
        time.sleep(15)
        after = portal_usage(portal)
        return sum(after[name].cpu_seconds - before[name].cpu_seconds for name in before) / (time.time() - started)

    def _tell(
        self,
        idle: float,
        usage: tuple[dict[str, Usage], dict[str, Usage]],
        read: dict[str, Any],
        server: Models,
        seconds: float,
    ) -> None:
        before, after = usage
        streams, others = len(read["streams"]), sum(read["others"].values())
        spent = {name: (after[name].cpu_seconds - before[name].cpu_seconds) * 1000 for name in after if name in before}
        reasons: dict[str, int] = defaultdict(int)
        for _kind, reason, *_rest in read["streams"]:
            reasons[reason] += 1
        asked = self.streams * seconds / INTERVAL
        print(
            f"\nPortal: {self.streams:,} streams a minute", f"beside {self.beside:,} HTTP looks" if self.beside else ""
        )
        print(
            f"  {streams:,} streams in {seconds:.0f} s, {streams / asked:.1%} of those due: {dict(reasons)};", end=" "
        )
        print(f"HTTP {read['others']}; paid for {read['paid']:,} looks, {read['cost']:.2f} dollars")
        total, looks = sum(spent.values()), max(streams + others, 1)
        print(f"  CPU ms a look: {total / looks:.2f} = ", end="")
        print(", ".join(f"{name} {value / looks:.2f}" for name, value in sorted(spent.items())))
        above = (total - idle * seconds * 1000) / looks
        print(f"  of an idle portal {idle * 1000:.0f} ms a second; above it {above:.2f} ms a look")
        self._tell_errors(read["streams"], server)

    def _tell_errors(self, streams: list[list[Any]], server: Models) -> None:
        """Stored times against the server's log: the same model, the nearest moment."""
        told: dict[str, list[Told]] = defaultdict(list)
        for one in server.told():
            told[one.model].append(one)
        errors: dict[str, list[float]] = defaultdict(list)
        for _kind, _reason, model, at, measured in streams:
            near = min(told[model], key=lambda one: abs(one.received_at + server.offset - at), default=None)
            if near is None or "ttft_ms" not in measured:
                continue
            errors["ttft_ms"].append(abs(measured["ttft_ms"] - near.first * 1000))
            ordered = sorted(near.gaps)
            truth = {"p50": percentile(ordered, 0.5), "p95": percentile(ordered, 0.95), "max": ordered[-1]}
            for name, value in truth.items():
                errors[f"chunk_gap_{name}_ms"].append(abs(measured[f"chunk_gap_{name}_ms"] - value * 1000))
        for name, values in errors.items():
            print(f"  {name}: error p50/p95/p99/max {spread(values)} over {len(values):,} looks")


def shell(portal: PortalUnderTest, code: str) -> str:
    """Run Python inside the portal."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=PROJECT,
        env=clean_environment(portal.state.path),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def read_of(printed: str) -> dict[str, Any]:
    """What a piece of code printed behind READ."""
    line = next(line for line in printed.splitlines() if line.startswith("READ "))
    found: dict[str, Any] = json.loads(line.removeprefix("READ "))
    return found
