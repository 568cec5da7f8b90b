"""How many files and sockets a process may have open: as many as its work can need, if the machine allows it."""

from __future__ import annotations

import resource

import structlog

logger = structlog.get_logger(__name__)

# What a process needs besides: connections to the database and the broker, libraries, logs.
BESIDES = 500


def allow_sockets(wanted: int) -> int:
    """Raise the soft limit so that `wanted` sockets can be open at once; returns how many can.

    The hard limit stays: when it is lower, that is said in the log, with what would be right.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + BESIDES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, soft), hard))
    if allowed < needed:
        logger.warning("few_open_files", wanted=needed, allowed=allowed, way="raise ulimit -Hn or LimitNOFILE")
    return max(allowed - BESIDES, 1)
