"""From the outbox of checks, and of alerts, to notifications: one transaction a batch, one process at a time.

Rows are claimed, and marked in the transaction that writes what follows from them, so nothing is told twice and
nothing is forgotten, whatever dies when. See docs/alerting.md for the picture.
"""

from __future__ import annotations

from apps.alerts.pipeline.enrolment import enrol_events
from apps.alerts.pipeline.flushing import flush_due
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.pipeline.taking import pass_over_state_changes, take_incident_events
from apps.core import clock

BATCH = 500
# A flood of alerts must end in one card and not in one a batch.
GROUPS = 10_000


def route_all() -> int:
    """Route until nothing new is left. Returns how many rows of the outbox of checks were taken.

    What is due again by then waits for the next tick: where looking at thousands that are held takes longer than until
    their next look, it would never end, and what was made would never be sent.
    """
    total = 0
    while True:
        taken, enrolled = route_pending(BATCH)
        total += taken
        if not taken and not enrolled:
            return total


def route_pending(limit: int = BATCH) -> tuple[int, int]:
    """One batch of each step: take what checks say, enrol alerts in groups, tell the groups that are due.

    Returns how many rows of the outbox of checks were taken, and how many steps of alerts were enrolled.
    """
    with pipeline_lock():
        now = clock.database_moment()
        taken = take_incident_events(limit)
        enrolled = enrol_events(limit, now)
        flush_due(GROUPS, now)
        return taken + pass_over_state_changes(limit), enrolled
