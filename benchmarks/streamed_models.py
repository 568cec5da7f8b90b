"""The model server of the benchmarks in a process of its own, and what its log says it sent."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

WORDS = 30
FIRST_SECONDS = 0.15
GAP_SECONDS = 0.02
KEY = "sk-benchmark"


@dataclass(frozen=True)
class Told:
    """What the server says of one stream: seconds from the request to the first word, and between words."""

    model: str
    received_at: float
    first: float
    gaps: list[float]


@dataclass
class Models:
    """A running server. `offset` takes its monotonic moments to Unix seconds."""

    port: int
    log: Path
    offset: float = field(default_factory=lambda: time.time() - time.monotonic())

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def told(self) -> list[Told]:
        """Every stream that was sent to its end, in order."""
        found = []
        for line in self.log.read_text().splitlines():
            asked = json.loads(line)
            words = [at for at, what in asked["sent"] if what == "text"]
            if len(words) == WORDS:
                gaps = [after - before for before, after in itertools.pairwise(words)]
                received = asked["received_at"]
                found.append(Told(asked["question"]["model"], received, words[0] - received, gaps))
        return found


@contextmanager
def model_server(folder: Path) -> Iterator[Models]:
    """It streams WORDS words, the first after FIRST_SECONDS, the others GAP_SECONDS apart."""
    log = folder / "asked.jsonl"
    command = [
        sys.executable, "-m", "tests.servers.model_server", "--log", str(log), "--words", str(WORDS),
        "--first-delay", str(FIRST_SECONDS), "--delay", str(GAP_SECONDS), "--key", KEY,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Models(json.loads(process.stdout.readline())["port"], log)
    finally:
        process.terminate()
        process.wait(10)


def spread(values: Sequence[float]) -> str:
    """Milliseconds: the middle, the 95th and 99th percentile and the largest."""
    if len(values) < 2:
        return "too few"
    cut = statistics.quantiles(values, n=100, method="inclusive")
    return f"{cut[49]:.2f} / {cut[94]:.2f} / {cut[98]:.2f} / {max(values):.2f} ms"


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest rank, as the portal measures gaps."""
    return ordered[max(-(-int(share * 100) * len(ordered) // 100) - 1, 0)]
