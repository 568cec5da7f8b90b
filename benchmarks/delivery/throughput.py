"""How many a second: thousands of targets fail at once, and one receiver is told of each.

The outcomes come as an engine hands them over, so recording, routing and sending share the two cores, as they do when
a whole data centre is lost. A second channel whose receiver hangs may be added: it must cost the first one nothing.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery.arrivals import Arrival, judge
from benchmarks.delivery.inside import run_inside
from benchmarks.delivery.running import Running, running
from benchmarks.stack import portal_usage, tree_usage

# No look is taken meanwhile.
INTERVAL_SECONDS = 86_400
NOWHERE = "http://127.0.0.1:9"
PATIENCE_SECONDS = 300.0
ASKED = 200.0
THE_RECEIVER = "(receiver)"


@dataclass(frozen=True)
class ThroughputRun:
    """`hanging`: beside a channel whose receiver never answers."""

    notifications: int = 5_000
    hanging: bool = False
    keep: Path | None = None


def measure(run: ThroughputRun) -> bool:
    """Run it and print the lines. Whether it is as fast as asked."""
    with running(keep=run.keep) as here:
        run_inside(here.portal, "make-checks", NOWHERE, run.notifications, INTERVAL_SECONDS, "--never-due")
        if run.hanging:
            here.add_channel("Hanging", f"{here.receiver_url}/hang")
        before = _cpu(here)
        run_inside(here.portal, "fail-all")
        _wait_for(here, run.notifications)
        spent = {name: seconds - before[name] for name, seconds in _cpu(here).items() if name in before}
        here.ledger.look()
        ours = dict(here.ledger.seen)
        arrivals = [arrival for arrival in here.arrivals() if arrival.step is not None]
    problems = judge(ours, arrivals).problems()
    rate = _tell(run, ours, arrivals, spent)
    if rate < ASKED:
        problems.append(f"{rate:.0f} a second, {ASKED:.0f} are asked")
    for problem in problems:
        print(f"  MISSED: {problem}")
    return not problems


def _wait_for(here: Running, count: int) -> None:
    """Until as many lines are in the receiver's log, or no more come."""
    last, moved = 0, time.monotonic()
    while last < count and time.monotonic() - moved < PATIENCE_SECONDS:
        time.sleep(0.5)
        with here.log.open("rb") as log:
            lines = sum(1 for _line in log)
        if lines > last:
            last, moved = lines, time.monotonic()


def _cpu(here: Running) -> dict[str, float]:
    usage = {name: one.cpu_seconds for name, one in portal_usage(here.portal).items()}
    return {**usage, THE_RECEIVER: tree_usage(here.receiver_pid).cpu_seconds}


def _tell(
    run: ThroughputRun, committed: Mapping[tuple[str, int], float], arrivals: Sequence[Arrival], spent: dict[str, float]
) -> float:
    """Print where the time went; returns notifications a second, from the first commit to the last arrival."""
    first, last = min(committed.values()), max(arrival.moment for arrival in arrivals)
    seconds = last - first
    rate = len(arrivals) / seconds
    per_second = Counter(int(arrival.moment - first) for arrival in arrivals)
    beside = " beside a receiver that hangs" if run.hanging else ""
    print(
        f"\nThroughput: {len(arrivals):,} notifications to one receiver{beside} in {seconds:.1f} s: {rate:.0f} a second"
    )
    print(f"  changes committed within {max(committed.values()) - first:.1f} s; arrivals in each second:", end=" ")
    print(" ".join(str(per_second[second]) for second in range(int(seconds) + 1)))
    total = sum(spent.values())
    print(f"  CPU ms a notification {total * 1_000 / len(arrivals):.2f}: ", end="")
    print(", ".join(f"{name} {value * 1_000 / len(arrivals):.2f}" for name, value in sorted(spent.items())), end="")
    print(f"; {total / seconds:.2f} of {os.cpu_count()} cores busy with it")
    return rate
