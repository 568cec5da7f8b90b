"""incident.io: the summary it serves for those who knew Statuspage, and the widget's own `/api/v1/summary`.

The first has the same shape with ids of 26 characters and fewer fields. The second lists only what is going on: no
components but the affected ones, so one that is not named is well.
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
from apps.probes.vendor_pages.statuspage import has_foreign_ids, is_summary, read_summary, status_of


class IncidentIo(VendorFormat):
    name = "incident_io"
    label = _("incident.io")
    # Its other summary lies where Statuspage's does.
    paths = ("/api/v1/summary",)
    rank = 40

    def recognises(self, document: Any) -> bool:
        return _is_widget(document) or (is_summary(document) and has_foreign_ids(document))

    def read(self, document: Any, now: datetime) -> PageReading:
        return _read_widget(document) if _is_widget(document) else read_summary(document, self.name)


def _is_widget(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("ongoing_incidents"), list)


def _read_widget(document: dict[str, Any]) -> PageReading:
    incidents = [_incident(row) for row in values.rows(document, "ongoing_incidents")]
    works = [_work(row) for row in values.rows(document, "in_progress_maintenances")]
    entries = [entry for entry in (*incidents, *works) if entry.id]
    affected = {
        component.name: component
        for row in (*values.rows(document, "ongoing_incidents"), *values.rows(document, "in_progress_maintenances"))
        for component in _affected(row)
    }
    return PageReading(
        format="incident_io",
        status=worst([PageStatus.OPERATIONAL, *(entry.status for entry in entries)]),
        components=tuple(affected.values()),
        incidents=tuple(entries),
        updated_at=values.latest(*(entry.updated_at for entry in entries)),
        lists_components=False,
    )


def _affected(row: dict[str, Any]) -> list[Component]:
    return [
        Component(name, status_of(part.get("current_status")), values.text(part.get("group_name"), MAX_NAME))
        for part in values.rows(row, "affected_components")[:100]
        if (name := values.text(part.get("name"), MAX_NAME))
    ]


def _incident(row: dict[str, Any]) -> PageIncident:
    impact = status_of(row.get("current_worst_impact"))
    return PageIncident(
        id=values.identifier(row.get("id")),
        name=values.text(row.get("name"), MAX_TITLE),
        status=PageStatus.DEGRADED if impact is PageStatus.UNKNOWN else impact,
        phase=values.text(row.get("status"), MAX_PHASE).lower(),
        started_at=values.first_moment(row.get("started_at"), row.get("created_at")),
        said_at=values.moment(row.get("created_at")),
        updated_at=values.moment(row.get("last_update_at")),
        url=values.web_link(row.get("url")),
        about=_about(row),
    )


def _work(row: dict[str, Any]) -> PageIncident:
    return PageIncident(
        id=values.identifier(row.get("id")),
        name=values.text(row.get("name"), MAX_TITLE),
        status=PageStatus.MAINTENANCE,
        phase=values.text(row.get("status"), MAX_PHASE).lower(),
        started_at=values.moment(row.get("started_at")),
        updated_at=values.moment(row.get("last_update_at")),
        url=values.web_link(row.get("url")),
        about=_about(row),
    )


def _about(row: dict[str, Any]) -> str:
    names = [f"{component.group} {component.name}" for component in _affected(row)[:50]]
    return " | ".join([values.text(row.get("name"), MAX_TITLE), *names])


VENDOR_FORMATS.add("incident_io", IncidentIo())
