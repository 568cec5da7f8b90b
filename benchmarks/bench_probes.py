"""The whole stack under checks: CPU a probe of every process, start lateness, memory and table sizes.

    make bench-probes                                             the table of docs/benchmarks.md (about 20 minutes)
    python -m benchmarks.bench_probes --checks 1000 --interval 20 one line of it
    python -m benchmarks.bench_probes --checks 20000 --hanging 0.1
    python -m benchmarks.bench_probes --knee                      ever more checks until they start late
    python -m benchmarks.bench_probes --knee --workers 2          the same with a second worker beside the portal's own

Each run starts a portal of its own and makes N HTTP checks of one local nginx (which is not counted). Lateness is
read from the stored results: when a look began, minus the moment of its grid at which it was due. With Prometheus and
blackbox_exporter installed, they look at the same targets as often, beside it in the same minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.core.embedded.ports import free_port
from benchmarks.stack import Usage, hanging_targets, nginx, portal_usage, tree_usage
from tests.platform.portal import PROJECT, PortalUnderTest, clean_environment, wait_until

HANGING_HOSTS = 20
TIMEOUT_SECONDS = 10
BLACKBOX_MEASURED = 2.3  # ms a probe, Prometheus 2.42 + blackbox_exporter 0.23 at 1,000 / 20 s on such a machine

MAKE_CHECKS = """
from datetime import datetime, UTC
from django.db import connection
from apps.catalog.models import *
from apps.checks.models import *
from apps.checks.schedule import offset_of
from apps.core.clock import database_now
from apps.core.ids import uuid7
wanted = WANTED
environment = Environment.objects.get(slug="prod"); region = Region.objects.get(slug="local"); now = database_now()
Check.objects.exclude(portal_part="").update(enabled=False)
CheckRegion.objects.update(enabled=False)
count, interval = wanted["checks"], wanted["interval"]
for start in range(0, count, 5000):
    numbers = range(start, min(start + 5000, count))
    targets = [Target(kind="service", name=f"bench-{n}", environment=environment) for n in numbers]
    Target.objects.bulk_create(targets)
    TargetStatus.objects.bulk_create([TargetStatus(target=t, since=now) for t in targets])
    Service.objects.bulk_create([Service(target=t) for t in targets])
    checks = []
    for n, target in zip(numbers, targets):
        hangs = (n * 7919 %% 1000) < wanted["hanging"] * 1000
        address = wanted["hosts"][n %% len(wanted["hosts"])] if hangs else wanted["address"]
        config = {"url": f"http://{address}/{n}", "conditions": [{"field": "status", "operator": "==", "value": 200}]}
        checks.append(Check(target=target, kind="http", name="hangs" if hangs else "http", config=config,
            interval_seconds=interval, timeout_seconds=wanted["timeout"], enabled_at=now))
    Check.objects.bulk_create(checks)
    CheckStatus.objects.bulk_create([CheckStatus(source_check=c, since=now) for c in checks])
    rows = []
    for c in checks:
        offset = offset_of(c.pk, region.pk, interval)
        # The first look at its own moment of the grid, not all of them at once.
        moment = now.timestamp()
        due = offset + interval * ((moment - offset) // interval + 1)
        rows.append(CheckRegion(source_check=c, region=region, interval_seconds=interval,
            timeout_seconds=c.timeout_seconds, offset_seconds=offset, verdict_since=now,
            next_due_at=datetime.fromtimestamp(due, UTC)))
    CheckRegion.objects.bulk_create(rows)
"""

# The id of a result is a uuid7 made when it was stored: its first 48 bits are that moment in milliseconds.
READ = """
import json
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute('''
        WITH looks AS (
            SELECT c.name = 'hangs' AS hangs, r.state,
                mod((extract(epoch FROM r.at) - s.offset_seconds)::numeric, s.interval_seconds)::float8 AS late,
                ('x' || lpad(left(replace(r.id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0
                    - extract(epoch FROM r.at) - r.duration_ms / 1000 AS delay
            FROM checks_checkresult r JOIN checks_checkregion s ON s.check_id = r.check_id
            JOIN checks_check c ON c.id = r.check_id
            WHERE r.at >= to_timestamp(SINCE) AND r.at < to_timestamp(UNTIL) AND c.portal_part = ''
        )
        SELECT hangs, count(*), count(*) FILTER (WHERE state = 'ok'),
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY late) ,
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY delay)
        FROM looks GROUP BY hangs ORDER BY hangs
    ''')
    looks = [[*row[:3], [float(v) for v in row[3]], [float(v) for v in row[4]]] for row in cursor.fetchall()]
    cursor.execute("SELECT n_dead_tup, pg_total_relation_size(relid) FROM pg_stat_user_tables"
                   " WHERE relname = 'checks_checkregion'")
    dead = list(cursor.fetchone())
print("READ " + json.dumps({"looks": looks, "dead": dead}))
"""


@dataclass(frozen=True)
class Run:
    """One line of the table."""

    checks: int
    interval: int
    seconds: int
    hanging: float = 0.0
    beside: bool = False
    workers: int = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checks", type=int)
    parser.add_argument("--interval", type=int, default=60)
    parser.add_argument("--seconds", type=int, default=120, help="how long is measured, after one warm interval")
    parser.add_argument("--hanging", type=float, default=0.0, help="share of the targets that never answer")
    parser.add_argument("--beside", action="store_true", help="Prometheus and blackbox_exporter at the same time")
    parser.add_argument("--knee", action="store_true")
    parser.add_argument("--workers", type=int, default=1, help="the portal's own and PORTAL_PROBE_WORKERS")
    options = parser.parse_args()
    if options.knee:
        find_knee(options.seconds, options.workers)
    elif options.checks:
        measure(
            Run(
                options.checks,
                options.interval,
                options.seconds,
                options.hanging,
                options.beside,
                workers=options.workers,
            )
        )
    else:
        measure(Run(1_000, 20, 120, beside=True))
        measure(Run(20_000, 60, 600))
        measure(Run(20_000, 60, 180, hanging=0.1))
        find_knee(120)
        find_knee(120, workers=2)


def find_knee(seconds: int, workers: int = 1) -> None:
    for checks in (50_000, 75_000, 100_000, 125_000, 150_000):
        late = measure(Run(checks, 60, seconds, workers=workers))
        if late > 2.0:
            print(f"knee: at {checks:,} checks every 60 s the 95th percentile of lateness is {late:.1f} s")
            return


def measure(run: Run) -> float:
    """Print one run; returns the 95th percentile of start lateness in seconds."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as text:
        folder = Path(text)
        folder.chmod(0o755)
        portal = PortalUnderTest(folder / "state")
        with nginx(folder) as port, hanging_targets(HANGING_HOSTS) as hosts:
            try:
                portal.start(PORTAL_ADMIN_PASSWORD="a-long-bench-password", PORTAL_PROBE_WORKERS=str(run.workers - 1))
                wait_until(portal.is_whole, "the portal is ready", seconds=90)
                return _measured(run, portal, folder, port, hosts)
            finally:
                portal.end()


def _measured(run: Run, portal: PortalUnderTest, folder: Path, port: int, hosts: list[str]) -> float:
    idle = _window(portal, 15)
    wanted = {
        "checks": run.checks, "interval": run.interval, "hanging": run.hanging, "timeout": TIMEOUT_SECONDS,
        "address": f"127.0.0.1:{port}", "hosts": hosts,
    }  # fmt: skip
    _shell(portal, MAKE_CHECKS.replace("%%", "%").replace("WANTED", repr(wanted)))
    # The first looks change every status from unknown, which no later one does.
    time.sleep(2 * run.interval + 5)
    beside = _blackbox(folder, run, port) if run.beside else contextlib.nullcontext(None)
    with beside as others:
        since, before, others_before = time.time(), portal_usage(portal), _usage(others)
        first = _read(portal, since - 1, since)
        memory = [sum(one.memory_bytes for one in before.values())]
        for _part in range(4):
            time.sleep(run.seconds / 4)
            memory.append(sum(one.memory_bytes for one in portal_usage(portal).values()))
        until, after, others_after = time.time(), portal_usage(portal), _usage(others)
    time.sleep(TIMEOUT_SECONDS + 3)
    read = _read(portal, since, until)
    return _tell(run, idle, (before, after), (others_before, others_after), read, first, memory, until - since)


def _shell(portal: PortalUnderTest, code: str) -> str:
    """Run Python inside the portal; a hundred thousand checks take minutes to make."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=PROJECT,
        env=clean_environment(portal.state.path),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout


def _window(portal: PortalUnderTest, seconds: float) -> float:
    """CPU seconds a second of the whole stack while nothing is checked but itself."""
    before = portal_usage(portal)
    time.sleep(seconds)
    after = portal_usage(portal)
    return sum(after[name].cpu_seconds - before[name].cpu_seconds for name in before) / seconds


def _read(portal: PortalUnderTest, since: float, until: float) -> dict[str, Any]:
    printed = _shell(portal, READ.replace("SINCE", repr(since)).replace("UNTIL", repr(until)))
    line = next(line for line in printed.splitlines() if line.startswith("READ "))
    answer: dict[str, Any] = json.loads(line.removeprefix("READ "))
    return answer


def _tell(
    run: Run,
    idle: float,
    usage: tuple[dict[str, Usage], dict[str, Usage]],
    others: tuple[float, float],
    read: dict[str, Any],
    first: dict[str, Any],
    memory: list[int],
    seconds: float,
) -> float:
    before, after = usage
    looks = sum(row[1] for row in read["looks"])
    by_process = {
        name: (after[name].cpu_seconds - before[name].cpu_seconds) * 1_000 for name in after if name in before
    }
    each = {name: spent / max(looks, 1) for name, spent in sorted(by_process.items())}
    asked = run.checks * seconds / run.interval
    share = f", {run.hanging:.0%} hanging" if run.hanging else ""
    share += f", {run.workers} workers" if run.workers > 1 else ""
    print(f"\n{run.checks:,} checks / {run.interval} s{share}: {looks:,} results in {seconds:.0f} s,", end=" ")
    print(f"{looks / asked:.1%} of those due")
    print(
        f"  CPU ms a result: {sum(each.values()):.3f} = "
        + ", ".join(f"{name} {value:.3f}" for name, value in each.items())
    )
    print(f"  share of one core {sum(by_process.values()) / seconds / 10:.0f} %, idle before {idle * 100:.0f} %")
    worst = 0.0
    for hangs, count, good, late, delay in read["looks"]:
        name = "hanging" if hangs else "others"
        worst = worst if hangs else late[1]
        print(
            f"  {name}: {count:,} looks, {good:,} ok; start lateness ms p50/p95/p99 "
            + " / ".join(f"{value * 1000:.0f}" for value in late)
            + "; result delay ms "
            + " / ".join(f"{value * 1000:.0f}" for value in delay)
        )
    print("  memory MB " + " ".join(f"{value / 1e6:.0f}" for value in memory), end="")
    (dead, size), (dead_now, size_now) = first["dead"], read["dead"]
    print(f"; dead rows {dead} → {dead_now}, table kB {size // 1024} → {size_now // 1024}")
    if others[1]:
        theirs = (others[1] - others[0]) * 1_000 / asked
        ratio = sum(each.values()) / theirs
        print(f"  Prometheus + blackbox_exporter beside it: {theirs:.2f} ms a probe; ours is {ratio:.2f} of it")
    return worst


@contextlib.contextmanager
def _blackbox(folder: Path, run: Run, port: int) -> Iterator[list[int] | None]:
    """Both, looking at as many targets as often; their pids. None when they are not installed."""
    prometheus, blackbox = shutil.which("prometheus"), shutil.which("prometheus-blackbox-exporter")
    if prometheus is None or blackbox is None:
        print("(Prometheus and blackbox_exporter are not installed: no comparison)")
        yield None
        return
    exporter, own = free_port(), free_port()
    (folder / "blackbox.yml").write_text("modules: {http_2xx: {prober: http, timeout: 5s}}")
    targets = "".join(f"          - http://127.0.0.1:{port}/{number}\n" for number in range(run.checks))
    (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: {run.interval}s}}
scrape_configs:
  - job_name: bench
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    static_configs:
      - targets:
{targets}    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{exporter}"}}
""")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen(
            [blackbox, f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{exporter}"], **quiet
        ),
        subprocess.Popen(
            [
                prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{own}",
            ],
            **quiet,
        ),
    ]  # fmt: skip
    try:
        time.sleep(run.interval + 5)
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


def _usage(pids: list[int] | None) -> float:
    return sum(tree_usage(pid).cpu_seconds for pid in pids) if pids else 0.0


if __name__ == "__main__":
    main()
