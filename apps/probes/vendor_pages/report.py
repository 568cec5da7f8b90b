"""A reading as it travels in an outcome's evidence: plain values, small, the telling part kept when not all fits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from apps.probes.vendor_pages.judging import Judged
from apps.probes.vendor_pages.reading import Component, PageIncident, PageStatus

# Evidence holds 16 kB and lists of a hundred; what else is in it needs little.
MAX_BYTES = 12_000
MAX_COMPONENTS = 90
MAX_INCIDENTS = 20
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class PageReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at a status page found, for whoever keeps it. `whole`: every open incident is in it."""

    format: str
    status: PageStatus
    description: str = ""
    updated_at: datetime | None = None
    components: list[Component] = []
    incidents: list[PageIncident] = []
    component_count: int = 0
    whole: bool = True

    def to_evidence(self) -> dict[str, Any]:
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


def report_of(judged: Judged) -> PageReport:
    """The report of a judged reading, in at most MAX_BYTES."""
    reading = judged.reading
    components = sorted(reading.components, key=_telling)[:MAX_COMPONENTS]
    told = sorted(reading.incidents, key=_newest_first)
    incidents = [msgspec.structs.replace(one, about="") for one in told[:MAX_INCIDENTS]]
    report = PageReport(
        format=reading.format,
        status=judged.status,
        description=reading.description,
        updated_at=reading.updated_at,
        components=components,
        incidents=incidents,
        component_count=len(reading.components),
        whole=not any(one.is_open for one in told[MAX_INCIDENTS:]),
    )
    while len(msgspec.json.encode(report)) > MAX_BYTES:
        components, incidents = _shorter(components, incidents)
        report = msgspec.structs.replace(report, components=components, incidents=incidents, whole=False)
    # The page's own order is how people know it.
    order = {id(component): position for position, component in enumerate(reading.components)}
    kept = sorted(report.components, key=lambda component: order[id(component)])
    return msgspec.structs.replace(report, components=kept)


def _shorter(components: list[Component], incidents: list[PageIncident]) -> tuple[list[Component], list[PageIncident]]:
    """A tenth less of whatever is longer."""
    if len(components) > len(incidents):
        return components[: len(components) * 9 // 10], incidents
    return components, incidents[: len(incidents) * 9 // 10]


def _telling(component: Component) -> tuple[bool, bool]:
    return not component.mapped, component.status is PageStatus.OPERATIONAL


def _newest_first(incident: PageIncident) -> tuple[bool, float]:
    began = incident.updated_at or incident.started_at or _LONG_AGO
    return not incident.is_open, -began.timestamp()


def report_in(evidence: Mapping[str, Any]) -> PageReport | None:
    """The report an outcome carries; None when it carries none."""
    try:
        return msgspec.convert(evidence.get("page"), PageReport)
    except msgspec.ValidationError:
        return None
