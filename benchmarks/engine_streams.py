"""Streams and HTTP looks in one engine, each at its own moment; every gap against the log of the server."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any

from django.conf import settings

from apps.core.addresses import probe_policy
from apps.probes.base import PROBE_KINDS, Exchange, Finished, Outcome, ProbeJob
from apps.probes.engine import Engine
from apps.probes.kinds.ai_stream import AiStreamKind
from benchmarks.streamed_models import KEY, Models, Told, spread

HTTP_A_SECOND = 300
SECONDS = 60
_AHEAD_SECONDS = 2.0


class Keeping(AiStreamKind):
    """Keeps every gap, of which an outcome has percentiles only."""

    def __init__(self) -> None:
        self.gaps: dict[str, list[float]] = {}

    def judge(self, config: Any, exchange: Exchange) -> Outcome:
        outcome = super().judge(config, exchange)
        heard: Any = exchange.listener
        self.gaps[config.endpoint.model] = list(heard.gaps)
        return outcome


def measure(server: Models, port: int, streams_a_minute: int) -> None:
    """Print how far measured times are from those of the server."""
    if not settings.configured:
        settings.configure(USE_I18N=False)
    PROBE_KINDS.names()
    PROBE_KINDS._entries["ai_stream"] = keeping = Keeping()
    finished: list[Finished] = []
    engine = Engine(policy=probe_policy(), deliver=finished.extend)
    engine.start()
    spent = time.process_time()
    feed(engine, jobs(server, port, streams_a_minute * SECONDS // 60, SECONDS, http_a_second=HTTP_A_SECOND))
    spent = time.process_time() - spent
    late_turns = engine.health().late_turns
    engine.stop()
    print(f"\nEngine: {streams_a_minute:,} streams a minute beside {HTTP_A_SECOND} HTTP looks a second, {SECONDS} s")
    print(f"  CPU of the process {spent:.1f} s, late turns {late_turns}")
    tell(server, finished, keeping.gaps)


def jobs(server: Models, port: int, streams: int, seconds: int, *, http_a_second: int) -> list[ProbeJob]:
    """In the order of their moments, spread evenly."""
    started = time.time() + 1
    endpoint = {"dialect": "openai", "base_url": server.base_url, "api_key": KEY}
    conditions = [{"field": "status", "operator": "==", "value": 200}]
    made = [
        _job(
            "ai_stream",
            f"m-{number}",
            started + number * seconds / streams,
            endpoint={**endpoint, "model": f"m-{number}"},
        )
        for number in range(streams)
    ]
    made += [
        _job("http", f"http-{number}", started + number / http_a_second,
             url=f"http://127.0.0.1:{port}/{number}", conditions=conditions)
        for number in range(http_a_second * seconds)
    ]  # fmt: skip
    return sorted(made, key=lambda job: job.due_at or 0.0)


def _job(kind: str, check: str, due_at: float, **config: Any) -> ProbeJob:
    return ProbeJob(
        check=check, region="local", generation=1, kind=kind, config=config, timeout_seconds=10.0, due_at=due_at
    )


def feed(engine: Engine, waiting: list[ProbeJob]) -> None:
    """A second's worth every second, some seconds ahead, as the portal does."""
    pause = threading.Event()
    while waiting:
        soon = time.time() + _AHEAD_SECONDS
        due = [job for job in waiting if (job.due_at or 0.0) < soon]
        assert engine.submit(due) == []
        waiting = waiting[len(due) :]
        pause.wait(1.0)
    while engine.in_flight():
        pause.wait(0.1)


def tell(server: Models, finished: list[Finished], gaps: dict[str, list[float]]) -> None:
    """Each stream has a model of its own, by which the two sides find each other."""
    told: dict[str, Told] = {one.model: one for one in server.told()}
    counts: dict[str, int] = defaultdict(int)
    first_errors: list[float] = []
    gap_errors: list[float] = []
    for one in finished:
        counts[f"{one.job.kind} {one.outcome.reason.value}"] += 1
        truth = told.get(one.job.check)
        # Without times: our own loop was held up meanwhile, and they were left out.
        if truth is not None and "ttft_ms" in one.outcome.measurements:
            first_errors.append(abs(one.outcome.measurements["ttft_ms"] - truth.first * 1000))
            pairs = zip(gaps[one.job.check], truth.gaps, strict=True)
            gap_errors += [abs(ours - theirs) * 1000 for ours, theirs in pairs]
    print("  " + ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    print(f"  first token, error p50/p95/p99/max: {spread(first_errors)} over {len(first_errors):,} streams")
    print(f"  gaps, error p50/p95/p99/max: {spread(gap_errors)} over {len(gap_errors):,} gaps")
