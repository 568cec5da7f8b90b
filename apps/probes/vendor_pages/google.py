"""Google Cloud and Google Workspace: `/incidents.json`, the list of incidents, the newest first. Nothing is said of
what is well, so a product that no open incident names is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.reading import (
    MAX_ABOUT,
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

_OF_IMPACT = {
    "SERVICE_OUTAGE": PageStatus.OUTAGE,
    "SERVICE_DISRUPTION": PageStatus.DEGRADED,
    "SERVICE_INFORMATION": PageStatus.OPERATIONAL,
}
# The list goes back for years.
_NEWEST = 200


class Google(VendorFormat):
    name = "google"
    label = _("Google")
    paths = ("/incidents.json",)
    rank = 60

    def recognises(self, document: Any) -> bool:
        first = document[0] if isinstance(document, list) and document else None
        return isinstance(first, dict) and "begin" in first and ("external_desc" in first or "service_name" in first)

    def read(self, document: Any, now: datetime) -> PageReading:
        found = [row for row in document[:_NEWEST] if isinstance(row, dict)]
        entries = [(_incident(row), _products(row)) for row in found]
        entries = [(incident, products) for incident, products in entries if incident.id]
        opened = [(incident, products) for incident, products in entries if incident.is_open]
        products: dict[str, PageStatus] = {}
        for incident, names in opened:
            for name in names:
                products[name] = worst([incident.status, products.get(name, PageStatus.OPERATIONAL)])
        return PageReading(
            format=self.name,
            status=worst([PageStatus.OPERATIONAL, *(incident.status for incident, _names in opened)]),
            components=tuple(Component(name, status) for name, status in products.items()),
            incidents=tuple(incident for incident, _names in entries),
            updated_at=values.latest(*(incident.updated_at for incident, _names in entries)),
            lists_components=False,
        )


def _products(row: dict[str, Any]) -> list[str]:
    named = [values.text(part.get("title"), MAX_NAME) for part in values.rows(row, "affected_products")[:100]]
    return [name for name in named or [values.text(row.get("service_name"), MAX_NAME)] if name]


def _incident(row: dict[str, Any]) -> PageIncident:
    last = values.part(row, "most_recent_update")
    name = values.text(row.get("external_desc"), MAX_TITLE)
    return PageIncident(
        id=values.identifier(row.get("id")) or values.identifier(row.get("number")),
        name=name,
        status=_OF_IMPACT.get(values.word(row.get("status_impact")), PageStatus.DEGRADED),
        phase=values.text(last.get("status"), MAX_PHASE).lower(),
        started_at=values.moment(row.get("begin")),
        said_at=values.moment(row.get("created")),
        resolved_at=values.moment(row.get("end")),
        updated_at=values.first_moment(last.get("modified"), last.get("when"), row.get("modified")),
        url=values.web_link(row.get("uri")),
        about=" | ".join([name, *_products(row)])[:MAX_ABOUT],
    )


VENDOR_FORMATS.add("google", Google())
