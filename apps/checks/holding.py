"""How long a paid look is left alone when it cannot succeed until somebody changes a key, a plan or a budget.

Pure. The wait doubles from one failed look to the next and never exceeds an hour, so a key that works again is noticed
within one; whoever changes the key or the budget is not kept waiting at all (`schedule.release`).
"""

from __future__ import annotations

import math
from datetime import datetime

from apps.probes.ai.classes import WAITS_FOR_US
from apps.probes.base import PROBE_KINDS, Outcome, OutcomeState

LONGEST_SECONDS = 3_600
_FIRST_SECONDS = 60
# Looks start a moment before or after they are due.
_NEARLY = 0.9


def seconds(held_seconds: int, interval_seconds: int, kind: str, outcome: Outcome) -> int:
    """How long to wait after this outcome, given how long was waited before it; 0: the usual interval."""
    if outcome.state is OutcomeState.INDETERMINATE:  # it says nothing of the key
        return held_seconds
    if outcome.reason not in WAITS_FOR_US or kind not in PROBE_KINDS or not PROBE_KINDS.get(kind).is_paid:
        return 0
    doubled = max(2 * max(held_seconds, interval_seconds), _FIRST_SECONDS)
    if interval_seconds >= LONGEST_SECONDS:
        return 0
    asked = outcome.evidence.get("retry_after_seconds")
    if isinstance(asked, int | float) and math.isfinite(asked) and asked > 0:
        return min(max(math.ceil(asked), interval_seconds), LONGEST_SECONDS)
    return min(doubled, LONGEST_SECONDS)


def held_out(held_seconds: int, last_result_at: datetime | None, at: datetime) -> int:
    """How long was really waited for a look at `at`: one that was freed before its time begins to wait anew."""
    if last_result_at is None or (at - last_result_at).total_seconds() < _NEARLY * held_seconds:
        return 0
    return held_seconds
