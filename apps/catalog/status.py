"""What a target can be. Pure: the decisions, the pages and the models share these words."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Status(StrEnum):
    """`unknown` until measured, and again when the last measurement is too old."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    OUTAGE = "outage"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"

    @property
    def label(self) -> str:
        return str(_LABELS[self])


_LABELS: dict[Status, Any] = {
    Status.OPERATIONAL: _("Operational"),
    Status.DEGRADED: _("Degraded"),
    Status.OUTAGE: _("Outage"),
    Status.UNKNOWN: _("Unknown"),
    Status.MAINTENANCE: _("Maintenance"),
}
STATUS_CHOICES: list[tuple[str, Any]] = [(status.value, _LABELS[status]) for status in Status]
