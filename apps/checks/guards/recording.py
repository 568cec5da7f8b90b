"""Writing down what workers found at the guards of their region."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.checks.messages import GuardReport


def record_guard_reports(region_id: UUID, reports: Sequence[GuardReport]) -> None:
    """Store what a worker of the region found at its guards; an older report never overwrites a newer one."""
