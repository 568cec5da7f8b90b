"""Many patterns against many texts at once. Pure.

RE2 runs a set of patterns over a text in one pass, fifty times faster than one after another. A set that outgrows its
memory finds nothing and says nothing, so each holds a pattern that fits everything: where that is not found, the
patterns are asked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import re2

from apps.alerts.matching import Matcher

_AT_ONCE = 50
_MEMORY_BYTES = 8 << 20
_EVERYTHING = r"(?s).*"


def fitting(patterns: Sequence[str], texts: Sequence[str]) -> dict[str, list[int]]:
    """For each pattern the positions of the texts it fits: as a whole, without regard to case, as `Matcher` sees it."""
    found: dict[str, list[int]] = {pattern: [] for pattern in patterns}
    unique = list(found)
    for start in range(0, len(unique), _AT_ONCE):
        chosen = unique[start : start + _AT_ONCE]
        together = _together(chosen)
        for position, text in enumerate(texts):
            for pattern in _fitting_one(together, chosen, text):
                found[pattern].append(position)
    return found


def _fitting_one(together: Any, patterns: Sequence[str], text: str) -> Iterator[str]:
    matches = together.Match(text) or ()
    if 0 in matches:
        return (patterns[number - 1] for number in matches if number)
    return (pattern for pattern in patterns if Matcher("", "=~", pattern).holds({"": text}))


def _together(patterns: Sequence[str]) -> Any:
    found = re2.Set.FullMatchSet(_options())
    for pattern in (_EVERYTHING, *patterns):
        found.Add(pattern)
    found.Compile()
    return found


@cache
def _options() -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.case_sensitive = False
    return options
