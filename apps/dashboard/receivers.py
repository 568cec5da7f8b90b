"""What the dashboard does at the tick: it keeps the last hour of looking for the charts of Settings → Health."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from apps.checks.signals import ticked
from apps.core import clock
from apps.dashboard import looking_history
from apps.dashboard.readings import get_looking

_written = -1


@receiver(ticked)
def keep_looking_history(**_: Any) -> None:
    """One point every 15 seconds: of all ticks and workers, the first in each quarter of a minute writes it."""
    global _written  # noqa: PLW0603 - most ticks need not even ask Valkey
    quarter = looking_history.quarter_of(clock.now().timestamp())
    if quarter == _written:
        return
    _written = quarter
    if not looking_history.is_written(quarter):
        looking_history.write(get_looking())
