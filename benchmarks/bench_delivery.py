"""Telling on a running portal: what survives kills, how soon a change is told, how many a second.

    make bench-delivery                                                     everything (about 15 minutes)
    python -m benchmarks.bench_delivery crash --changes 400 --kills 8       a small crash proof
    python -m benchmarks.bench_delivery latency --rate 20 --seconds 60
    python -m benchmarks.bench_delivery throughput --notifications 5000 [--hanging]

Each part starts a portal of its own and a receiver beside it that verifies every signature and writes down what it
gets. `--keep FOLDER` keeps data, logs and arrivals. Ends with 1 when a promise of docs/benchmarks.md was missed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.delivery import crash, latency, throughput
from benchmarks.delivery.crash import CrashRun
from benchmarks.delivery.latency import LatencyRun
from benchmarks.delivery.throughput import ThroughputRun


def main() -> None:
    options = _parser().parse_args()
    if options.part == "crash":
        run = CrashRun(
            options.changes, options.kills, options.targets, options.interval, options.seed, keep=options.keep
        )
        good = crash.prove(run)
    elif options.part == "latency":
        good = latency.measure(LatencyRun(options.rate, options.seconds, keep=options.keep))
    elif options.part == "throughput":
        good = throughput.measure(ThroughputRun(options.notifications, options.hanging, keep=options.keep))
    else:
        good = all(
            [
                latency.measure(LatencyRun()),
                throughput.measure(ThroughputRun()),
                throughput.measure(ThroughputRun(hanging=True)),
                crash.prove(CrashRun()),
            ]
        )
    sys.exit(0 if good else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part")
    whole = CrashRun()
    crashing = parts.add_parser("crash")
    crashing.add_argument("--changes", type=int, default=whole.changes)
    crashing.add_argument("--kills", type=int, default=whole.kills, help="of workers, beat and web")
    crashing.add_argument("--targets", type=int, default=whole.targets)
    crashing.add_argument("--interval", type=int, default=whole.interval, help="seconds between two looks")
    crashing.add_argument("--seed", type=int, default=whole.seed, help="of the order and the moments of the blows")
    soon = parts.add_parser("latency")
    soon.add_argument("--rate", type=int, default=LatencyRun().rate)
    soon.add_argument("--seconds", type=int, default=LatencyRun().seconds)
    many = parts.add_parser("throughput")
    many.add_argument("--notifications", type=int, default=ThroughputRun().notifications)
    many.add_argument("--hanging", action="store_true", help="beside a channel whose receiver never answers")
    for part in (crashing, soon, many):
        part.add_argument("--keep", type=Path, help="copy data, logs and arrivals to this folder")
    return parser


if __name__ == "__main__":
    main()
