"""How soon a change is told: from its commit, as PostgreSQL dates commits, to the first byte at the receiver."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery.arrivals import judge, percentile
from benchmarks.delivery.flapping import flapping_targets
from benchmarks.delivery.inside import run_inside
from benchmarks.delivery.running import running
from benchmarks.stack import portal_usage

INTERVAL_SECONDS = 20
# The last change of the window must have had the time to arrive.
AFTER_SECONDS = 10.0
P50_ASKED, P99_ASKED = 0.5, 2.0


@dataclass(frozen=True)
class LatencyRun:
    """`rate` alerts a second for `seconds`."""

    rate: int = 20
    seconds: int = 60
    keep: Path | None = None


def measure(run: LatencyRun) -> bool:
    """Run it and print the line. Whether it is as fast as asked."""
    with running(keep=run.keep) as here, flapping_targets() as targets:
        run_inside(here.portal, "make-checks", targets.address, run.rate * INTERVAL_SECONDS, INTERVAL_SECONDS)
        # The first round finds every target well and tells nothing.
        time.sleep(2 * INTERVAL_SECONDS)
        since, before = time.time(), portal_usage(here.portal)
        time.sleep(run.seconds)
        until, after = time.time(), portal_usage(here.portal)
        time.sleep(AFTER_SECONDS)
        here.ledger.look()
        committed = {step: moment for step, moment in here.ledger.seen.items() if since <= moment < until}
        arrivals = [arrival for arrival in here.arrivals() if arrival.step in committed]
    judgement = judge(committed, arrivals)
    cpu = sum(after[name].cpu_seconds - before[name].cpu_seconds for name in before) / run.seconds
    p50, p95, p99, longest = (percentile(judgement.waits, share) for share in (0.5, 0.95, 0.99, 1.0))
    print(
        f"\nLatency: {judgement.expected:,} changes in {run.seconds} s, {judgement.expected / run.seconds:.1f} a second"
    )
    print(
        f"  commit → first byte p50 / p95 / p99 / longest: {p50:.3f} / {p95:.3f} / {p99:.3f} / {longest:.3f} s", end=""
    )
    print(f" (asked: p50 ≤ {P50_ASKED} s, p99 ≤ {P99_ASKED} s); {cpu:.0%} of one core, looking included")
    problems = judgement.problems()
    if p50 > P50_ASKED or p99 > P99_ASKED:
        problems.append("slower than asked")
    for problem in problems:
        print(f"  MISSED: {problem}")
    return not problems
