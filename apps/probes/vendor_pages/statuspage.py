"""Statuspage (Atlassian), version 2: `/api/v2/summary.json`, and what is made to look like it.

The summary lists every component, unresolved incidents, and maintenance that is under way or to come. Rootly serves the
same without components as `/api/v1/status.json`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.reading import (
    MAX_NAME,
    MAX_PHASE,
    MAX_TITLE,
    VENDOR_FORMATS,
    Component,
    PageIncident,
    PageReading,
    PageStatus,
    VendorFormat,
    worst,
)

_OF_INDICATOR = {
    "none": PageStatus.OPERATIONAL,
    "minor": PageStatus.DEGRADED,
    # "Partial system outage": some of it works.
    "major": PageStatus.DEGRADED,
    "critical": PageStatus.OUTAGE,
    "maintenance": PageStatus.MAINTENANCE,
}
_OF_COMPONENT = {
    "operational": PageStatus.OPERATIONAL,
    "degraded_performance": PageStatus.DEGRADED,
    "partial_outage": PageStatus.DEGRADED,
    "major_outage": PageStatus.OUTAGE,
    "full_outage": PageStatus.OUTAGE,
    "under_maintenance": PageStatus.MAINTENANCE,
}
_UNDER_WAY = frozenset({"in_progress", "verifying"})
_OVER = frozenset({"resolved", "postmortem", "completed"})


class Statuspage(VendorFormat):
    name = "statuspage"
    label = _("Statuspage")
    paths = ("/api/v2/summary.json", "/api/v1/status.json")
    rank = 10

    def recognises(self, document: Any) -> bool:
        return is_summary(document) and not has_foreign_ids(document)

    def read(self, document: Any, now: datetime) -> PageReading:
        return read_summary(document, self.name)


def is_summary(document: Any) -> bool:
    """Whether it has a page and an indicator, as every summary of this shape."""
    return isinstance(values.part(document, "status").get("indicator"), str) and bool(values.part(document, "page"))


def has_foreign_ids(document: Any) -> bool:
    """Whether the page's id is one of 26 letters and digits: another maker's way of numbering."""
    return len(values.identifier(values.part(document, "page").get("id"))) == 26


def read_summary(document: Any, name: str) -> PageReading:
    """Any summary of this shape; every field but the indicator may be missing."""
    stated = values.part(document, "status")
    components = _components(values.rows(document, "components"))
    incidents = [_incident(row) for row in values.rows(document, "incidents")]
    works = [_work(row) for row in values.rows(document, "scheduled_maintenances")]
    indicator = values.word(stated.get("indicator"))
    said = _OF_INDICATOR.get(indicator, PageStatus.UNKNOWN)
    if indicator == "none" or said is PageStatus.UNKNOWN:
        # Maintenance under way leaves the indicator as it is.
        said = worst([said, *(work.status for work in works if work is not None)])
    entries = [*incidents, *(work for work in works if work is not None)]
    page = values.part(document, "page")
    return PageReading(
        format=name,
        status=said,
        description=values.text(stated.get("description"), MAX_TITLE),
        components=components,
        incidents=tuple(entry for entry in entries if entry.id),
        updated_at=values.latest(
            values.moment(page.get("updated_at")),
            *(entry.updated_at for entry in entries),
            *(values.moment(row.get("updated_at")) for row in values.rows(document, "components")),
        ),
        # A summary without components is one by a maker that leaves them out.
        lists_components=bool(components),
    )


def _components(found: list[dict[str, Any]]) -> tuple[Component, ...]:
    groups = {
        values.identifier(row.get("id")): values.text(row.get("name"), MAX_NAME) for row in found if row.get("group")
    }
    return tuple(
        Component(
            name,
            status_of(row.get("status")),
            groups.get(values.identifier(row.get("group_id")), "") or values.text(row.get("group_name"), MAX_NAME),
        )
        for row in found
        if not row.get("group") and (name := values.text(row.get("name"), MAX_NAME))
    )


def status_of(word: Any) -> PageStatus:
    """A component's status in our words."""
    return _OF_COMPONENT.get(values.word(word).lower(), PageStatus.UNKNOWN)


def _incident(row: dict[str, Any]) -> PageIncident:
    phase = values.text(row.get("status"), MAX_PHASE).lower()
    updated_at = values.moment(row.get("updated_at"))
    resolved_at = values.moment(row.get("resolved_at"))
    if phase in _OVER and resolved_at is None:
        resolved_at = updated_at or values.moment(row.get("created_at"))
    name = values.text(row.get("name"), MAX_TITLE)
    return PageIncident(
        id=values.identifier(row.get("id")),
        name=name,
        status=_OF_INDICATOR.get(values.word(row.get("impact")), PageStatus.DEGRADED),
        phase=phase,
        started_at=values.first_moment(row.get("started_at"), row.get("created_at")),
        said_at=values.moment(row.get("created_at")),
        resolved_at=resolved_at if phase in _OVER or not phase else None,
        updated_at=updated_at,
        url=values.web_link(row.get("shortlink")) or values.web_link(row.get("url")),
        about=" ".join(
            [name, *(values.text(part.get("name"), MAX_NAME) for part in values.rows(row, "components")[:50])]
        ),
    )


def _work(row: dict[str, Any]) -> PageIncident | None:
    """Maintenance that is under way; what is still to come is no state of anything."""
    phase = values.text(row.get("status"), MAX_PHASE).lower()
    if phase not in _UNDER_WAY:
        return None
    return PageIncident(
        id=values.identifier(row.get("id")),
        name=values.text(row.get("name"), MAX_TITLE),
        status=PageStatus.MAINTENANCE,
        phase=phase,
        started_at=values.first_moment(row.get("started_at"), row.get("scheduled_for"), row.get("created_at")),
        said_at=values.moment(row.get("created_at")),
        updated_at=values.moment(row.get("updated_at")),
        url=values.web_link(row.get("shortlink")) or values.web_link(row.get("url")),
    )


VENDOR_FORMATS.add("statuspage", Statuspage())
