"""The engine alone, against a server on this machine in a process of its own. Read the ratios, not the numbers.

    .venv/bin/python -m benchmarks.bench_engine

1. Does a burst falsify latency? The same looks one by one, in a burst as the engine starts them, and all at once.
2. What does a look cost: CPU milliseconds of this process a look, looks a second. One host, many hosts, TCP; with nginx
   installed also TLS, HTTP/2 and a kept connection.
3. Are looks on time? 1,600 a second, handed over three seconds ahead.

The best of several rounds counts: whatever else runs on the machine can only make a round slower.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import trustme
from django.conf import settings

from apps.core.addresses import probe_policy
from apps.probes.base import Finished, Outcome, ProbeJob
from apps.probes.engine import Engine, http_loop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
BURST = 200
MANY = 3_000
ROUNDS = 5
RATE = 1_600
SECONDS = 6
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_timeout 60s; keepalive_requests 1000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen {plain} backlog=4096; location / {{ default_type text/plain; return 200 ok; }} }}
  server {{ listen {tls} ssl http2 backlog=4096;
           ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
           location / {{ default_type text/plain; return 200 ok; }} }}
}}
"""


@dataclass(frozen=True)
class Target:
    """Ports of the server on every address of the loopback network; no TLS without nginx."""

    plain: int
    tls: int = 0


def serve(ready: Connection) -> None:
    """Answer every request at once, until the process is ended."""

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(ANSWER)  # type: ignore[attr-defined]

    async def run() -> None:
        # Every 127.x.y.z is this machine: that makes many hosts.
        server = await asyncio.get_running_loop().create_server(Server, "0.0.0.0", 0, backlog=4_096)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextlib.contextmanager
def own_server() -> Iterator[Target]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield Target(here.recv())
    finally:
        process.terminate()


@contextlib.contextmanager
def nginx(program: str) -> Iterator[Target]:
    target = Target(free_port(), free_port())
    with tempfile.TemporaryDirectory() as folder:
        issued = trustme.CA().issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(f"{folder}/key.pem")
        issued.cert_chain_pems[0].write_to_path(f"{folder}/chain.pem")
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(NGINX.format(folder=folder, plain=target.plain, tls=target.tls))
        process = subprocess.Popen([program, "-p", folder, "-c", str(configuration)], stderr=subprocess.DEVNULL)
        try:
            wait_for_port(target.tls)
            yield target
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("nginx did not start")


class Looks:
    """Runs looks on an engine of its own and waits for them."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []
        self._arrived = threading.Condition()
        self.engine = Engine(policy=probe_policy(), deliver=self._take, max_in_flight=20_000)
        self.engine.start()

    def _take(self, finished: list[Finished]) -> None:
        with self._arrived:
            self._outcomes += [item.outcome for item in finished]
            self._arrived.notify_all()

    def submit(self, kind: str, configs: list[dict[str, Any]], due_at: list[float] | None = None) -> None:
        moments: Sequence[float | None] = due_at or [None] * len(configs)
        jobs = [
            ProbeJob(
                check=str(number),
                region="local",
                generation=1,
                kind=kind,
                config=config,
                timeout_seconds=20,
                due_at=due,
            )
            for number, (config, due) in enumerate(zip(configs, moments, strict=True))
        ]
        assert not self.engine.submit(jobs)

    def wait(self, count: int) -> list[Outcome]:
        """The next `count` outcomes, all of them good."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._outcomes) >= count, timeout=60)
            outcomes, self._outcomes = self._outcomes, []
        bad = [outcome for outcome in outcomes if outcome.state.value != "ok"]
        assert not bad, bad[0]
        return outcomes

    def run(self, kind: str, configs: list[dict[str, Any]]) -> list[Outcome]:
        self.submit(kind, configs)
        return self.wait(len(configs))


def median_latency(outcomes: list[Outcome]) -> float:
    return statistics.median(outcome.duration_ms for outcome in outcomes)


def burst(looks: Looks, config: dict[str, Any]) -> None:
    alone, paced, at_once = [], [], []
    usual = http_loop.NEW_PER_TURN
    for _round in range(ROUNDS):
        alone.append(median_latency([looks.run("http", [config])[0] for _number in range(10)]))
        paced.append(median_latency(looks.run("http", [config] * BURST)))
        http_loop.NEW_PER_TURN = MANY
        at_once.append(median_latency(looks.run("http", [config] * BURST)))
        http_loop.NEW_PER_TURN = usual
    print(
        f"burst of {BURST}, median ms: alone {min(alone):.2f}, paced {min(paced):.2f}, all at once {min(at_once):.2f}"
    )
    print(f"  ratio to alone: paced {min(paced) / min(alone):.1f}, all at once {min(at_once) / min(alone):.1f}")


def cost(looks: Looks, name: str, kind: str, configs: list[dict[str, Any]]) -> None:
    looks.run(kind, configs[:100])
    rounds = []
    for _round in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        looks.run(kind, configs)
        rounds.append(((time.process_time() - cpu) / len(configs) * 1000, len(configs) / (time.perf_counter() - wall)))
    best, usual = min(rounds), sorted(rounds)[ROUNDS // 2]
    print(f"{name}: {best[0]:.3f} ms CPU a look (median {usual[0]:.3f}), {best[1]:.0f} looks a second")


def on_time(looks: Looks, config: dict[str, Any]) -> None:
    """A second's looks at a time, spread over their second, three seconds ahead of it."""
    cpu, begins = time.process_time(), time.time() + 3
    for second in range(SECONDS):
        time.sleep(max(begins + second - 3 - time.time(), 0))
        looks.submit("http", [config] * RATE, [begins + second + number / RATE for number in range(RATE)])
    outcomes = looks.wait(RATE * SECONDS)
    spent = time.process_time() - cpu
    late = looks.engine.health()
    lateness = f"p50 {late.start_late_ms_p50:.1f}, p95 {late.start_late_ms_p95:.1f}, p99 {late.start_late_ms_p99:.1f}"
    print(f"{RATE} a second for {SECONDS} s: late by ms {lateness}; latency {median_latency(outcomes):.2f} ms")
    print(f"  {spent / len(outcomes) * 1000:.3f} ms CPU a look")


def measure(target: Target) -> None:
    plain = {"url": f"http://127.0.0.1:{target.plain}/"}
    hosts = [{"url": f"http://127.1.{number // 250}.{number % 250 + 1}:{target.plain}/"} for number in range(MANY)]
    looks = Looks()
    try:
        on_time(looks, plain)
        burst(looks, plain)
        cost(looks, "http, one host", "http", [plain] * MANY)
        cost(looks, f"http, {MANY} hosts", "http", hosts)
        cost(looks, "tcp", "tcp", [{"host": "127.0.0.1", "port": target.plain}] * MANY)
        if target.tls:
            secure = {"url": f"https://127.0.0.1:{target.tls}/", "verify_tls": False}
            cost(looks, "https, HTTP/1.1", "http", [{**secure, "http_version": "1.1"}] * 1_000)
            cost(looks, "https, HTTP/2", "http", [secure] * 1_000)
            cost(looks, "https, HTTP/2, kept", "http", [{**secure, "reuse_connection": True}] * 1_000)
            cost(looks, "http, kept", "http", [{**plain, "reuse_connection": True}] * MANY)
    finally:
        looks.engine.stop()


def main() -> None:
    settings.configure(USE_I18N=False)
    program = shutil.which("nginx")
    print(f"against {'nginx' if program else 'a server of our own'}")
    with nginx(program) if program else own_server() as target:
        measure(target)


if __name__ == "__main__":
    main()
