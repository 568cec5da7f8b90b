"""Vendors' pages as they were last read, and every change of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apps.checks.ai.last_looks import Look


def store(looks: Sequence[Look], now: datetime) -> None:
    """Keep what the looks at status pages among `looks` found, in the caller's transaction."""
