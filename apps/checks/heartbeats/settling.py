"""Settling pings: from the inbox to the history, in the transaction that decides what follows from them."""

from __future__ import annotations


def settle_pings(limit: int = 1_000) -> int:
    """Settle up to `limit` waiting pings, oldest first; returns how many there were."""
    return 0


def judge_overdue() -> int:
    """Judge heartbeats whose deadline has passed and runs that have not ended; returns how many outcomes followed."""
    return 0
