"""The engine alone, against a local server in a process of its own. Read the ratios, not the numbers.

    .venv/bin/python -m benchmarks.bench_engine

1. Does a burst falsify latency? The same looks one by one, in a burst as the engine starts them, and all at once.
2. What does a look cost: CPU milliseconds a look, looks a second, HTTP and TCP.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import threading
import time
from multiprocessing.connection import Connection

from django.conf import settings

from apps.core.addresses import probe_policy
from apps.probes.base import Finished, Outcome, ProbeJob
from apps.probes.engine import Engine, http_loop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
BURST = 200
MANY = 3_000


def serve(ready: Connection) -> None:
    """Answer every request at once, until the process is ended."""

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(ANSWER)  # type: ignore[attr-defined]

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=4_096)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


class Looks:
    """Runs looks on an engine of its own and waits for them."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []
        self._arrived = threading.Condition()
        self._engine = Engine(policy=probe_policy(), deliver=self._take, max_in_flight=MANY)
        self._engine.start()

    def _take(self, finished: list[Finished]) -> None:
        with self._arrived:
            self._outcomes += [item.outcome for item in finished]
            self._arrived.notify_all()

    def run(self, kind: str, config: dict[str, object], count: int) -> list[Outcome]:
        self._outcomes = []
        jobs = [
            ProbeJob(check=str(number), region="local", generation=1, kind=kind, config=config, timeout_seconds=20)
            for number in range(count)
        ]
        self._engine.submit(jobs)
        with self._arrived:
            self._arrived.wait_for(lambda: len(self._outcomes) == count, timeout=60)
        assert {outcome.state.value for outcome in self._outcomes} == {"ok"}, self._outcomes[0]
        return self._outcomes

    def stop(self) -> None:
        self._engine.stop()


def median_latency(outcomes: list[Outcome]) -> float:
    return statistics.median(outcome.duration_ms for outcome in outcomes)


def burst(looks: Looks, config: dict[str, object]) -> None:
    alone = median_latency([looks.run("http", config, 1)[0] for _number in range(10)])
    paced = median_latency(looks.run("http", config, BURST))
    usual, http_loop.NEW_PER_TURN = http_loop.NEW_PER_TURN, MANY
    at_once = median_latency(looks.run("http", config, BURST))
    http_loop.NEW_PER_TURN = usual
    print(f"burst of {BURST}: median ms alone {alone:.2f}, {usual} a turn {paced:.2f}, all at once {at_once:.2f}")
    print(f"  ratio to alone: {usual} a turn {paced / alone:.1f}, all at once {at_once / alone:.1f}")


def cost(looks: Looks, kind: str, config: dict[str, object]) -> None:
    looks.run(kind, config, 100)
    cpu, wall = time.process_time(), time.perf_counter()
    looks.run(kind, config, MANY)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{kind}: {cpu / MANY * 1000:.3f} ms CPU a look, {MANY / wall:.0f} looks a second")


def main() -> None:
    settings.configure(USE_I18N=False)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    server.start()
    port = here.recv()
    looks = Looks()
    try:
        burst(looks, {"url": f"http://127.0.0.1:{port}/"})
        cost(looks, "http", {"url": f"http://127.0.0.1:{port}/"})
        cost(looks, "tcp", {"host": "127.0.0.1", "port": port})
    finally:
        looks.stop()
        server.terminate()


if __name__ == "__main__":
    main()
