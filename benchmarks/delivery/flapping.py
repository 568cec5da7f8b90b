"""Targets that keep changing: each answers well, then slowly, then with an error, one look after the other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from benchmarks.delivery.small_server import Answer, Request, serving

SLOW_SECONDS = 0.45
# A look that takes longer counts as degraded.
DEGRADED_AFTER_MS = 300

_CYCLE = (
    Answer(),
    Answer(after_seconds=SLOW_SECONDS),
    Answer(status=HTTPStatus.SERVICE_UNAVAILABLE),
)


class FlappingTargets:
    """One HTTP server for all of them; the path tells which. Every look finds another state than the one before:
    an incident opens, becomes worse, and is over. `settle` makes all of them well for good."""

    def __init__(self) -> None:
        self.address = ""
        self._looks: Counter[str] = Counter()
        self._settled = threading.Event()

    def settle(self) -> None:
        self._settled.set()

    def behave(self, request: Request) -> Answer:
        if self._settled.is_set():
            return _CYCLE[0]
        look = self._looks[request.path]
        self._looks[request.path] += 1
        return _CYCLE[look % len(_CYCLE)]


@contextmanager
def flapping_targets() -> Iterator[FlappingTargets]:
    targets = FlappingTargets()
    with serving(targets.behave) as port:
        targets.address = f"http://127.0.0.1:{port}"
        yield targets
