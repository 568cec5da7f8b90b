"""`portal status` and `portal stop`: asking about a running portal from another terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.state import StateFolder

_STOP_SECONDS = 15.0


def print_status(state: StateFolder) -> int:
    """Print where the portal runs and what it uses; exit code 1 when it does not run."""
    run = _running(state)
    if run is None:
        print(f"The portal is not running (state in {state.path}).")
        return 1
    print(f"The portal is running at {run.get('url')} (state in {state.path}).\n")
    print(f"  {'process':<12}{'pid':>8}{'memory':>12}")
    total = 0
    pids = {"launcher": run["pid"], **{name: child["pid"] for name, child in run.get("children", {}).items()}}
    for name, pid in pids.items():
        memory = sum(_memory_kilobytes(member) for member in _with_descendants(pid, other=set(pids.values())))
        total += memory
        print(f"  {name:<12}{pid:>8}{memory / 1024:>9.0f} MB")
    print(f"  {'all':<12}{'':>8}{total / 1024:>9.0f} MB   (proportional: shared memory is counted once)")
    return 0


def stop_portal(state: StateFolder) -> int:
    """Ask the running portal to stop and wait until it has."""
    run = _running(state)
    if run is None:
        print(f"The portal is not running (state in {state.path}).")
        return 0
    try:
        os.kill(run["pid"], signal.SIGTERM)
    except PermissionError:
        raise LauncherError(f"process {run['pid']} belongs to another user; stop it as that user") from None
    deadline = time.monotonic() + _STOP_SECONDS
    while state.is_locked() and time.monotonic() < deadline:
        time.sleep(0.05)
    if state.is_locked():
        raise LauncherError(f"process {run['pid']} did not stop within {_STOP_SECONDS:.0f} s")
    print("The portal is stopped.")
    return 0


def _running(state: StateFolder) -> dict[str, Any] | None:
    if not state.is_locked():
        return None
    run = state.read_run_file()
    if "pid" not in run:
        raise LauncherError(f"the portal is only just starting, or {state.run_file} is not readable to you")
    return run


def _with_descendants(pid: int, *, other: set[int]) -> list[int]:
    """A process and everything below it, leaving out the subtrees of the other named processes."""
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            if int(child) not in other:
                found += _with_descendants(int(child), other=other)
    return found


def _memory_kilobytes(pid: int) -> int:
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return 0
