"""Durations as Go programs write them: `1h2m3.5s`, `250ms`, `15µs`."""

from __future__ import annotations

import re

_MILLISECONDS = {
    "ns": 1e-6,
    "us": 1e-3,
    "µs": 1e-3,  # the micro sign
    "μs": 1e-3,  # the Greek letter, which Go reads as well
    "ms": 1.0,
    "s": 1e3,
    "m": 60e3,
    "h": 3_600e3,
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
_DURATION = re.compile(rf"[-+]?(?:{_PART.pattern})+")
# Go counts nanoseconds in 64 bits.
_LONGEST_MS = 2**63 / 1e6
_LONGEST_TEXT = 100


def milliseconds(text: str) -> float | None:
    """`text` in milliseconds, or None when Go would not read it. A bare 0 needs no unit."""
    if len(text) > _LONGEST_TEXT:
        return None
    if text.lstrip("+-") == "0" and len(text) <= 2:
        return 0.0
    if _DURATION.fullmatch(text) is None:
        return None
    total = sum(float(number) * _MILLISECONDS[unit] for number, unit in _PART.findall(text))
    if total >= _LONGEST_MS:
        return None
    return -total if text.startswith("-") else total
