"""Better Stack: `/index.json`, a JSON:API document: the page, and beside it sections, resources and reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.reading import (
    MAX_NAME,
    MAX_TITLE,
    VENDOR_FORMATS,
    Component,
    PageIncident,
    PageReading,
    PageStatus,
    VendorFormat,
)

_OF_STATE = {
    "operational": PageStatus.OPERATIONAL,
    "degraded": PageStatus.DEGRADED,
    "downtime": PageStatus.OUTAGE,
    "maintenance": PageStatus.MAINTENANCE,
}


class BetterStack(VendorFormat):
    name = "better_stack"
    label = _("Better Stack")
    paths = ("/index.json",)
    rank = 30

    def recognises(self, document: Any) -> bool:
        data = values.part(document, "data")
        return data.get("type") == "status_page" and "aggregate_state" in values.part(data, "attributes")

    def read(self, document: Any, now: datetime) -> PageReading:
        attributes = values.part(values.part(document, "data"), "attributes")
        included: dict[str, list[dict[str, Any]]] = {}
        for row in values.rows(document, "included"):
            included.setdefault(values.text(row.get("type"), 60), []).append(row)
        said_first = _first_words(included.get("status_update", []))
        incidents = [_incident(row, said_first, now) for row in included.get("status_report", [])]
        return PageReading(
            format=self.name,
            status=_state(attributes.get("aggregate_state")),
            components=_components(included),
            incidents=tuple(entry for entry in incidents if entry is not None and entry.id),
            updated_at=values.latest(
                values.moment(attributes.get("updated_at")),
                *said_first.values(),
                *(entry.updated_at for entry in incidents if entry is not None),
            ),
        )


def _state(word: Any) -> PageStatus:
    return _OF_STATE.get(values.word(word), PageStatus.UNKNOWN)


def _components(included: dict[str, list[dict[str, Any]]]) -> tuple[Component, ...]:
    sections = {
        values.identifier(row.get("id")): values.text(values.part(row, "attributes").get("name"), MAX_NAME)
        for row in included.get("status_page_section", [])
    }
    found = []
    for row in included.get("status_page_resource", []):
        attributes = values.part(row, "attributes")
        name = values.text(attributes.get("public_name"), MAX_NAME)
        section = sections.get(values.identifier(attributes.get("status_page_section_id")), "")
        if name:
            found.append(Component(name, _state(attributes.get("status")), section))
    return tuple(found)


def _first_words(updates: list[dict[str, Any]]) -> dict[str, datetime]:
    """By report, when its first update was published."""
    first: dict[str, datetime] = {}
    for row in updates:
        at = values.moment(values.part(row, "attributes").get("published_at"))
        report = _report_of(row)
        if at is not None and report:
            first[report] = min(at, first.get(report, at))
    return first


def _report_of(row: dict[str, Any]) -> str:
    linked = values.part(values.part(values.part(row, "relationships"), "status_report"), "data")
    return values.identifier(linked.get("id") or values.part(row, "attributes").get("status_report_id"))


def _incident(row: dict[str, Any], said_first: dict[str, datetime], now: datetime) -> PageIncident | None:
    attributes = values.part(row, "attributes")
    started_at, ends_at = values.moment(attributes.get("starts_at")), values.moment(attributes.get("ends_at"))
    if started_at is not None and started_at > now:
        return None  # still to come
    identifier = values.identifier(row.get("id"))
    is_work = attributes.get("report_type") == "maintenance"
    state = PageStatus.MAINTENANCE if is_work else _state(attributes.get("aggregate_state"))
    is_over = ends_at is not None and ends_at <= now
    name = values.text(attributes.get("title"), MAX_TITLE)
    return PageIncident(
        id=identifier,
        name=name or values.text(attributes.get("report_type"), 60),
        # A report that is over has the state it ended with.
        status=PageStatus.DEGRADED if state in (PageStatus.UNKNOWN, PageStatus.OPERATIONAL) else state,
        phase="resolved" if is_over else "",
        started_at=started_at,
        said_at=said_first.get(identifier),
        resolved_at=ends_at if is_over else None,
        updated_at=ends_at if is_over else started_at,
        about=name,
    )


VENDOR_FORMATS.add("better_stack", BetterStack())
