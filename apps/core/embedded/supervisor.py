"""Keeping children alive: whatever dies is started again, at once and then at most one second apart, for ever."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

from apps.core.embedded import processes
from apps.core.embedded.errors import LauncherError
from apps.core.embedded.logs import Logs
from apps.core.embedded.progress import Progress
from apps.core.embedded.servers import Startable

_RESTART_SECONDS = 1.0
_IDLE_SECONDS = 1.0
_ANNOUNCE_SECONDS = 10.0
_ROTATE_SECONDS = 60.0
# Everything is down five seconds after it was asked to stop.
_PROCESSES_STOP_SECONDS = 3.0
_VALKEY_STOP_SECONDS = 0.5
_POSTGRES_STOP_SECONDS = 0.8
_LAST_WORD_SECONDS = 0.2
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(BaseException):
    """A stop signal arrived."""


@dataclass
class _Child:
    startable: Startable
    process: subprocess.Popen[bytes]
    started_at: float
    restarts: int = 0
    announced_at: float = float("-inf")


class Supervisor:
    """Owns the running children, in the order they were started; they are stopped in the opposite order."""

    def __init__(self, logs: Logs, progress: Progress) -> None:
        self._logs = logs
        self._progress = progress
        self._children: dict[str, _Child] = {}
        self._next_rotation = time.monotonic() + _ROTATE_SECONDS
        self.on_change: Callable[[str], None] = lambda name: None

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {name: child.process.pid for name, child in self._children.items()}

    def adopt(self, startable: Startable, process: subprocess.Popen[bytes]) -> None:
        """Look after a process that was already started from `startable`."""
        self._children[startable.name] = _Child(startable, process, time.monotonic())

    def start(self, startable: Startable) -> subprocess.Popen[bytes]:
        """Start something and look after it."""
        with self._logs.open(startable.name) as output:
            process = startable.start(output)
        self.adopt(startable, process)
        return process

    def kill(self, name: str, why: str) -> None:
        """Kill a child that is stuck; the next round starts it again."""
        self._progress.say(f"{name} is restarted: {why}; see {self._logs.path(name)}")
        self._children[name].announced_at = time.monotonic()
        processes.signal_group(self._children[name].process, signal.SIGKILL)

    def restart_the_dead(self) -> None:
        """Start again every child that ended, if its last start is a second ago."""
        processes.reap_adopted({child.process.pid for child in self._children.values()})
        for name, child in self._children.items():
            if child.process.poll() is None or time.monotonic() < child.started_at + _RESTART_SECONDS:
                continue
            self._announce(child)
            child.restarts += 1
            child.started_at = time.monotonic()
            try:
                with self._logs.open(name) as output:
                    child.process = child.startable.start(output)
            except (OSError, LauncherError) as error:
                self._progress.say(f"{name} could not be restarted, trying again: {error}")
            self.on_change(name)

    def run(self, every_round: Callable[[], None]) -> None:
        """Keep everything alive until a stop signal arrives. `every_round` runs at least once a second."""
        with _waking_pipe() as wait:
            stop_wanted = False

            def stop(_number: int, _frame: FrameType | None) -> None:
                nonlocal stop_wanted
                stop_wanted = True

            with _handling(_STOP_SIGNALS, stop):
                while not stop_wanted:
                    self.restart_the_dead()
                    every_round()
                    self._rotate_logs()
                    if not stop_wanted:
                        wait(self._seconds_to_next_restart())

    def stop_all(self) -> None:
        """Stop everything within five seconds: the portal's processes together, then its servers."""
        with _handling(_STOP_SIGNALS, signal.SIG_IGN):
            servers = [self._children[name] for name in ("valkey", "postgresql") if name in self._children]
            others = [child for child in self._children.values() if child not in servers]
            self._stop_together(others, _PROCESSES_STOP_SECONDS)
            for server in servers:
                postgres = server.startable.name == "postgresql"
                self._stop_together([server], _POSTGRES_STOP_SECONDS if postgres else _VALKEY_STOP_SECONDS)
            processes.reap_adopted(set())

    @staticmethod
    def _stop_together(children: list[_Child], seconds: float) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(child.startable.stop_signal)
        for late in processes.wait_all([child.process for child in children], seconds=seconds):
            late.send_signal(signal.SIGQUIT)  # PostgreSQL then ends its sessions at once, sparing no work
        processes.wait_all([child.process for child in children], seconds=_LAST_WORD_SECONDS)
        for child in children:
            # The group, not only its leader: what a child started goes with it.
            processes.signal_group(child.process, signal.SIGKILL)
            child.process.wait()

    def _announce(self, child: _Child) -> None:
        if time.monotonic() - child.announced_at < _ANNOUNCE_SECONDS:
            return
        child.announced_at = time.monotonic()
        name = child.startable.name
        how = _how(child.process.returncode)
        self._progress.say(f"{name} ended ({how}) and is started again; see {self._logs.path(name)}")

    def _seconds_to_next_restart(self) -> float:
        dead = [child.started_at for child in self._children.values() if child.process.poll() is not None]
        waits = [started_at + _RESTART_SECONDS - time.monotonic() for started_at in dead]
        return max(0.0, min([_IDLE_SECONDS, *waits]))

    def _rotate_logs(self) -> None:
        if time.monotonic() >= self._next_rotation:
            self._next_rotation = time.monotonic() + _ROTATE_SECONDS
            self._logs.rotate()


def keep_alive(
    startable: Startable, *, say: Callable[[str], None], every_round: Callable[[], None], stop_seconds: float
) -> None:
    """Keep one child alive in the foreground until a stop signal arrives, then end it within `stop_seconds`.

    It writes where this process writes. What dies is started again at once, then at most a second after its last start.
    """
    stop_wanted = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stop_wanted
        stop_wanted = True

    with _waking_pipe() as wait, _handling(_STOP_SIGNALS, stop):
        started_at = time.monotonic()
        process = startable.start(None)
        while not stop_wanted:
            due = started_at + _RESTART_SECONDS - time.monotonic()
            dead = process.poll() is not None
            if dead and due <= 0:
                say(f"{startable.name} ended ({_how(process.returncode)}) and is started again")
                started_at = time.monotonic()
                process = startable.start(None)
            every_round()
            if not stop_wanted:
                wait(min(max(due, 0.0), _IDLE_SECONDS) if dead else _IDLE_SECONDS)
        processes.stop(process, number=startable.stop_signal, seconds=stop_seconds)


def _how(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


@contextlib.contextmanager
def stop_signals_raise() -> Iterator[None]:
    """While the portal starts, a stop signal unwinds whatever is being done."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StopRequested

    with _handling(_STOP_SIGNALS, stop):
        yield


@contextlib.contextmanager
def _handling(
    numbers: tuple[signal.Signals, ...], handler: Callable[[int, FrameType | None], None] | signal.Handlers
) -> Iterator[None]:
    """Handle signals inside the block. Under nohup the end of the terminal stays ignored.

    An ignored SIGINT is handled all the same: shells set that for every background job.
    """
    before = {number: signal.getsignal(number) for number in numbers}
    wanted = [number for number in numbers if not (number == signal.SIGHUP and before[number] is signal.SIG_IGN)]
    for number in wanted:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in wanted:
            signal.signal(number, before[number])


@contextlib.contextmanager
def _waking_pipe() -> Iterator[Callable[[float], None]]:
    """Gives a wait that any signal ends early: a child's death is noticed at once, and idling costs nothing."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)

    def wait(seconds: float) -> None:
        if select.select([reader], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(reader, 4096)

    waker = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    on_child = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    try:
        yield wait
    finally:
        signal.signal(signal.SIGCHLD, on_child)
        signal.set_wakeup_fd(waker)
        os.close(reader)
        os.close(writer)
