"""Starting and ending child processes so that none outlives the launcher.

Children are started from the main thread only: the kernel ties the parent-death signal to the *thread* that forked.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from apps.core.embedded.identity import Identity

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOST_PARENT_EXIT_CODE = 70
_POLL_SECONDS = 0.02
_START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the command name

_libc = ctypes.CDLL(None, use_errno=True)


def spawn(
    command: Sequence[str | os.PathLike[str]],
    *,
    environment: Mapping[str, str],
    folder: Path | str = "/",
    output: IO[bytes] | None = None,
    errors: IO[bytes] | None = None,
    identity: Identity | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command`; it gets `death_signal` from the kernel the moment this process dies, however it dies.

    `output` takes what it prints; so it does for errors, unless `errors` is given.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread only (PR_SET_PDEATHSIG follows the thread)")
    who = identity or Identity()
    return subprocess.Popen(
        [*who.prefix, *command],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL if own_session else None,
        stdout=output,
        stderr=errors if errors is not None or output is None else subprocess.STDOUT,
        user=who.uid,
        group=who.gid,
        extra_groups=[] if who.uid is not None else None,
        start_new_session=own_session,
        # CPython runs this after it has changed the user, so the kernel does not clear the death signal again.
        preexec_fn=_tie_to_parent(death_signal),  # noqa: PLW1509 - the launcher starts children before any thread
    )


def _tie_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # the parent died between fork and prctl: nobody would signal us
            os._exit(_LOST_PARENT_EXIT_CODE)

    return tie


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when the one that started it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def become_subreaper() -> None:
    """Adopt grandchildren whose parent died, because process 1 of many containers never reaps."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def reap_adopted(known: set[int]) -> None:
    """Collect dead adopted processes, leaving the children in `known` to their own Popen objects."""
    for pid in _child_pids():
        if pid not in known and process_state(pid) == "Z":
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _child_pids() -> list[int]:
    own = os.getpid()
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/{own}/task/{own}/children").read_text().split()]
    return []


def process_state(pid: int) -> str:
    """The kernel's one-letter state of a process (`R`, `S`, `Z`, ...), or an empty string when there is none."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def process_started(pid: int) -> int:
    """When a process started, in kernel ticks: with its pid it names one process for ever. 0 when there is none."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_START_TIME_FIELD])
    return 0


def processes_in(folder: Path, name: str) -> list[int]:
    """The running processes called `name` whose working folder is `folder`, as far as we may look."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            named = entry.name.isdigit() and (entry / "comm").read_text().strip() == name
            if named and is_running(int(entry.name)) and (entry / "cwd").samefile(folder):
                found.append(int(entry.name))
    return found


def is_running(pid: int) -> bool:
    """Whether a process exists and is not merely a zombie nobody collected."""
    return process_state(pid) not in {"", "Z", "X"}


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a child that leads its own session, together with everything it started there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def wait_all(processes: Sequence[subprocess.Popen[bytes]], *, seconds: float) -> list[subprocess.Popen[bytes]]:
    """Wait until every process has ended or the time is up; the ones still running are returned."""
    deadline = time.monotonic() + seconds
    running = [process for process in processes if process.poll() is None]
    while running and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        running = [process for process in running if process.poll() is None]
    return running


def stop(process: subprocess.Popen[bytes], *, number: signal.Signals, seconds: float) -> None:
    """Ask one child to stop with `number`; after `seconds` its whole group is killed."""
    if process.poll() is None:
        process.send_signal(number)
    if wait_all([process], seconds=seconds):
        signal_group(process, signal.SIGKILL)
        process.wait()


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with owners and modes. `cp` does it several times faster than Python. Raises OSError."""
    finished = subprocess.run(["/bin/cp", "-a", source, target], capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise OSError(finished.stderr.strip())
