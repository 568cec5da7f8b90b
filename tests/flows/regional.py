"""What a story of regions needs: workers without a database, and a service that has another face in each region.

Every region asks a name server of its own, as with a name that leads to the nearest of several machines.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from tests.platform.portal import PROJECT, clean_environment
from tests.servers.dns import DnsServer

NAME = "shop.test"


@dataclass
class Faces:
    """One service, one machine a region; `broken` holds the regions where it answers 503."""

    url: str
    name_servers: dict[str, DnsServer]
    broken: set[str] = field(default_factory=set)


@contextmanager
def service_with_faces(*regions: str) -> Iterator[Faces]:
    """The same port on an address of loopback for each region."""
    faces = Faces("", {})
    with ExitStack() as stack:
        port = 0
        for number, region in enumerate(regions, start=1):
            address = f"127.0.0.{number}"
            port = stack.enter_context(_machine(address, port, region, faces))
            faces.name_servers[region] = stack.enter_context(DnsServer({NAME: [address]}))
        faces.url = f"http://{NAME}:{port}/"
        yield faces


@contextmanager
def _machine(address: str, port: int, region: str, faces: Faces) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.dumps({"region": region}).encode()
            self.send_response(503 if region in faces.broken else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class WorkerOfRegion:
    """`portal worker --region NAME` as on another machine: the broker's address and the key, and no database."""

    def __init__(self, folder: Path, region: str, *, redis_url: str, **environment: str) -> None:
        self._folder = folder / region
        self._folder.mkdir(exist_ok=True)
        self.region = region
        self._environment = clean_environment(self._folder / "state", REDIS_URL=redis_url, **environment)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def printed(self) -> str:
        return (self._folder / "output.txt").read_text()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the worker was not started"
        return self._process

    def start(self) -> None:
        assert "DATABASE_URL" not in self._environment
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "portal", "worker", "--region", self.region],
                cwd=PROJECT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def child_pid(self) -> int | None:
        """The Celery process, which takes the messages."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None

    def remote_and_local_ports(self) -> tuple[set[int], set[int]]:
        """Where these processes are connected to, and from which ports."""
        pids = [pid for pid in (self.process.pid, self.child_pid()) if pid is not None]
        own = {socket for pid in pids for socket in _sockets_of(pid)}
        connections = [connection for connection in _connections() if connection.socket in own]
        return {one.remote_port for one in connections}, {one.local_port for one in connections}

    def kill(self) -> None:
        """As when the machine loses its power."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=3)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()


class _Connection(NamedTuple):
    local_port: int
    remote_port: int
    socket: str


def _connections() -> list[_Connection]:
    """Every TCP connection of this machine, as the kernel lists them."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return [_Connection(_port(row[1]), _port(row[2]), f"socket:[{row[9]}]") for row in rows]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _sockets_of(pid: int) -> set[str]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed in between
            found.add(str(descriptor.readlink()))
    return found
