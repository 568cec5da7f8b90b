"""What the benchmarks of a whole portal share: the CPU of its process trees, a local nginx, targets that hang."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from apps.core.embedded.ports import free_port
from tests.platform.portal import PortalUnderTest, wait_until

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """CPU seconds and memory in bytes of a process tree: the proportional share where it may be read, else resident."""

    cpu_seconds: float
    memory_bytes: int


def tree_usage(pid: int) -> Usage:
    """The process, what it started and what it has reaped."""
    children = _children()
    cpu, memory, todo = 0.0, 0, [pid]
    while todo:
        present = todo.pop()
        todo += children.get(present, [])
        with suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{present}/stat").read_text().rpartition(")")[2].split()
            cpu += sum(int(field) for field in fields[11:15]) / _TICKS
            memory += _memory(present)
    return Usage(cpu, memory)


def _memory(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    # Shared pages are then counted once a process: an upper bound.
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            found.setdefault(parent, []).append(int(entry.name))
    return found


def portal_usage(portal: PortalUnderTest) -> dict[str, Usage]:
    """By process: its children by name, and the launcher itself."""
    usage = {name: tree_usage(pid) for name, pid in portal.pids.items()}
    whole = tree_usage(portal.process.pid)
    own = whole.cpu_seconds - sum(one.cpu_seconds for one in usage.values())
    memory = whole.memory_bytes - sum(one.memory_bytes for one in usage.values())
    return {**usage, "launcher": Usage(max(own, 0.0), max(memory, 0))}


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """A local nginx that answers 200 to everything; its port."""
    if shutil.which("nginx") is None:
        raise SystemExit("nginx is not installed: apt-get install nginx-light")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
        worker_rlimit_nofile 65536;
        events {{ worker_connections 16384; }}
        http {{ access_log off; server {{ listen 127.0.0.1:{port} backlog=16384; location / {{ return 200 "ok"; }} }} }}
    """)
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(configuration)])
    try:
        wait_until(lambda: _listens(port), "nginx listens")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def hanging_targets(hosts: int) -> Iterator[list[str]]:
    """Addresses that accept a connection and never answer: one each of 127.0.1.1, 127.0.1.2, …, as host:port."""
    sockets = [socket.create_server((f"127.0.1.{number + 1}", 0), backlog=16_384) for number in range(hosts)]
    held: list[socket.socket] = []

    def accept(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                held.append(server.accept()[0])
                if len(held) > 20_000:
                    held.pop(0).close()

    for server in sockets:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
    try:
        yield ["{}:{}".format(*server.getsockname()) for server in sockets]
    finally:
        for server in sockets:
            server.close()
