"""How long a paid look is left alone when it cannot succeed until somebody changes a key, a plan or a budget.

Pure. The wait doubles from one failed look to the next and never exceeds an hour, so a key that works again is noticed
within one; whoever changes the key or the budget is not kept waiting at all (`schedule.release`).
"""

from __future__ import annotations

from apps.probes.ai.classes import WAITS_FOR_US
from apps.probes.base import PROBE_KINDS, Outcome, OutcomeState

LONGEST_SECONDS = 3_600
_FIRST_SECONDS = 60


def seconds(held_seconds: int, interval_seconds: int, kind: str, outcome: Outcome) -> int:
    """How long to wait after this outcome, given how long was waited before it; 0: the usual interval."""
    if outcome.state is OutcomeState.INDETERMINATE:
        return held_seconds
    if outcome.reason not in WAITS_FOR_US or kind not in PROBE_KINDS or not PROBE_KINDS.get(kind).is_paid:
        return 0
    doubled = max(2 * max(held_seconds, interval_seconds), _FIRST_SECONDS)
    asked = outcome.evidence.get("retry_after_seconds")
    wanted = max(int(asked), interval_seconds) if isinstance(asked, int | float) and asked > 0 else doubled
    return min(wanted, max(LONGEST_SECONDS, interval_seconds)) if interval_seconds < LONGEST_SECONDS else 0
