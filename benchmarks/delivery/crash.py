"""The crash proof: changes flow, everything is killed again and again, and at the end nothing may be missing.

Two workers look at targets that change with every look, record what they find, route and send it; the receiver takes
its time, so that messages are in the air when a worker dies. Blows fall at equal numbers of changes, each a moment
after some were committed. Then all targets become well, and the portal must finish by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.delivery.arrivals import Judgement, judge, percentile
from benchmarks.delivery.blows import Blows, blows, plan
from benchmarks.delivery.flapping import FlappingTargets, flapping_targets
from benchmarks.delivery.inside import run_inside
from benchmarks.delivery.running import Running, running

# How long the receiver keeps each message before it answers.
ANSWER_AFTER_SECONDS = 0.02
LOOK_EVERY_SECONDS = 0.05
# Without a single further change for this long, the portal has not come back.
STANDSTILL_SECONDS = 180.0
DRAIN_SECONDS = 300.0


@dataclass(frozen=True)
class CrashRun:
    """`changes` at least that many steps of incidents; `targets` are looked at every `interval` seconds."""

    changes: int = 4_000
    kills: int = 40
    targets: int = 400
    interval: int = 10
    seed: int = 1
    keep: Path | None = None


@dataclass
class _Result:
    judgement: Judgement
    blows: Blows
    flow_seconds: float
    drain_seconds: float
    drained: bool
    problems: list[str] = field(default_factory=list)


def prove(run: CrashRun) -> bool:
    """Run it and print the table. Whether every promise was kept."""
    with running(answer_after=ANSWER_AFTER_SECONDS, keep=run.keep) as here, flapping_targets() as targets:
        run_inside(here.portal, "make-checks", targets.address, run.targets, run.interval)
        with blows(here.portal) as striking:
            result = _flow_and_drain(run, here, targets, striking)
    _tell(run, result)
    return not result.problems


def _flow_and_drain(run: CrashRun, here: Running, targets: FlappingTargets, striking: Blows) -> _Result:
    began = time.monotonic()
    problems = _flow(run, here, striking)
    flow_seconds = time.monotonic() - began
    targets.settle()
    began = time.monotonic()
    drained = _drain(here)
    here.ledger.look()
    judgement = judge(here.ledger.seen, here.arrivals())
    if not drained:
        problems.append(
            f"it did not drain: {here.ledger.waiting(here.channel)} still wait (incidents, steps, messages)"
        )
    problems += [f"not sent: {state} {reason} × {count}" for state, reason, count in here.ledger.not_sent(here.channel)]
    problems += judgement.problems()
    return _Result(judgement, striking, flow_seconds, time.monotonic() - began, drained, problems)


def _flow(run: CrashRun, here: Running, striking: Blows) -> list[str]:
    """Strike until all blows have fallen and all changes were made; returns what went wrong."""
    chance = Random(run.seed)
    names = plan(run.kills, chance=chance)
    slot = run.changes / (len(names) + 1)
    due = [slot * (number + chance.uniform(0.5, 1.5)) for number in range(len(names))]
    moved, last = time.monotonic(), 0
    while names or last < run.changes:
        count = here.ledger.count()
        if count is not None and count > last:
            moved, last = time.monotonic(), count
        if time.monotonic() - moved > STANDSTILL_SECONDS:
            return [f"no change for {STANDSTILL_SECONDS:.0f} s after {striking.struck[-1:]}"]
        # Every name is looked at, so that it is known how long each has lived.
        ripe = {name: striking.is_ripe(name) for name in set(names)}
        if names and count is not None and count >= due[0] and ripe[names[0]]:
            here.ledger.look()
            time.sleep(chance.uniform(0.0, 0.3))
            striking.strike(names.pop(0))
            due.pop(0)
        time.sleep(LOOK_EVERY_SECONDS)
    return []


def _drain(here: Running) -> bool:
    """Wait until nothing is left to tell, twice a second apart; nobody helps."""
    ends = time.monotonic() + DRAIN_SECONDS
    quiet = 0
    while quiet < 3 and time.monotonic() < ends:
        waiting = here.ledger.waiting(here.channel)
        quiet = quiet + 1 if waiting is not None and not any(waiting) else 0
        time.sleep(1.0)
    return quiet >= 3


def _tell(run: CrashRun, result: _Result) -> None:
    judgement, struck = result.judgement, result.blows.by_process
    kills = sum(count for name, count in struck.items() if name not in ("postgresql", "valkey"))
    rows = [
        ("SIGKILLs of workers, beat and web", f"{kills}", f"≥ {run.kills}"),
        *((f"  {name}", f"{struck[name]}", "") for name in sorted(struck)),
        ("changes committed", f"{judgement.expected:,}", f"≥ {run.changes:,}"),
        ("seconds under blows", f"{result.flow_seconds:.0f}", ""),
        ("seconds until drained", f"{result.drain_seconds:.0f}" if result.drained else "never", "by itself"),
        ("messages received", f"{judgement.arrived:,}", ""),
        ("lost", f"{len(judgement.lost)}", "0"),
        (
            "told twice",
            f"{judgement.duplicates} ({judgement.duplicates / max(judgement.expected, 1):.2%})",
            "≤ 1 %",
        ),
        ("  under another webhook-id", f"{judgement.other_ids}", "0"),
        ("out of order within an incident", f"{judgement.order_violations}", "0"),
        ("out of order within a target", f"{judgement.target_violations}", ""),
        ("signatures that are not ours", f"{judgement.unverified}", "0"),
        ("told and never committed", f"{len(judgement.unexpected)}", "0"),
        ("messages of another type", f"{judgement.others}", ""),
        (
            "commit → first byte p50 / p99 / longest (s)",
            " / ".join(f"{percentile(judgement.waits, share):.2f}" for share in (0.5, 0.99, 1.0)),
            "",
        ),
    ]
    print(f"\nCrash proof: {run.targets} targets every {run.interval} s, two workers, seed {run.seed}")
    for name, value, asked in rows:
        print(f"  {name:<44} {value:>20}  {asked}")
    for problem in result.problems:
        print(f"  MISSED: {problem}")
