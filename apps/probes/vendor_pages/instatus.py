"""Instatus: `/summary.json` says how the whole is and what is going on; `/components.json` has the components."""

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

_OF_PAGE = {
    "UP": PageStatus.OPERATIONAL,
    # How bad it is, the incidents and the components say.
    "HASISSUES": PageStatus.DEGRADED,
    "UNDERMAINTENANCE": PageStatus.MAINTENANCE,
}
_OF_COMPONENT = {
    "OPERATIONAL": PageStatus.OPERATIONAL,
    "UNDERMAINTENANCE": PageStatus.MAINTENANCE,
    "DEGRADEDPERFORMANCE": PageStatus.DEGRADED,
    "MINOROUTAGE": PageStatus.DEGRADED,
    "PARTIALOUTAGE": PageStatus.DEGRADED,
    "MAJOROUTAGE": PageStatus.OUTAGE,
}
_OVER = frozenset({"RESOLVED", "COMPLETED"})
_SUMMARY = "/summary.json"


class Instatus(VendorFormat):
    name = "instatus"
    label = _("Instatus")
    paths = (_SUMMARY,)
    rank = 20

    def recognises(self, document: Any) -> bool:
        if not isinstance(document, dict) or isinstance(values.part(document, "page").get("status"), str):
            return isinstance(document, dict)
        # The document of components alone: known by its words, which nobody else writes in capitals.
        return "page" not in document and any(
            values.word(row.get("status")) in _OF_COMPONENT for row in values.rows(document, "components")
        )

    def read(self, document: Any, now: datetime) -> PageReading:
        components = tuple(_components(values.rows(document, "components")))
        if not values.part(document, "page"):
            return PageReading(
                format=self.name, status=worst(component.status for component in components), components=components
            )
        incidents = [_incident(row) for row in values.rows(document, "activeIncidents")]
        works = [_work(row) for row in values.rows(document, "activeMaintenances") if _is_under_way(row)]
        stated = _OF_PAGE.get(_word(values.part(document, "page").get("status")), PageStatus.UNKNOWN)
        if stated is PageStatus.DEGRADED:
            stated = worst([stated, *(entry.status for entry in incidents if entry.is_open)])
        entries = [*incidents, *works]
        return PageReading(
            format=self.name,
            status=stated,
            components=components,
            incidents=tuple(entry for entry in entries if entry.id),
            updated_at=values.latest(*(entry.updated_at for entry in entries)),
            lists_components=bool(components),
        )

    def companion(self, url: str) -> str:
        path, mark, _query = url.partition("?")
        del mark
        return path.removesuffix(_SUMMARY) + "/components.json" if path.endswith(_SUMMARY) else ""


def _word(value: Any) -> str:
    return values.word(value).upper()


def _components(found: list[dict[str, Any]]) -> list[Component]:
    listed: list[Component] = []
    for row in found:
        name = values.text(row.get("name"), MAX_NAME)
        children = values.rows(row, "children")
        if children:
            listed += [Component(one.name, one.status, name) for one in _components_of_group(children)]
        elif name:
            listed.append(Component(name, _status(row), values.text(values.part(row, "group").get("name"), MAX_NAME)))
    return listed[: values.MAX_ROWS]


def _components_of_group(found: list[dict[str, Any]]) -> list[Component]:
    return [Component(name, _status(row)) for row in found[:200] if (name := values.text(row.get("name"), MAX_NAME))]


def _status(row: dict[str, Any]) -> PageStatus:
    return _OF_COMPONENT.get(_word(row.get("status")), PageStatus.UNKNOWN)


def _incident(row: dict[str, Any]) -> PageIncident:
    phase = _word(row.get("status"))
    started_at = values.first_moment(row.get("started"), row.get("createdAt"))
    updated_at = values.first_moment(row.get("updatedAt"), row.get("started"))
    impact = _OF_COMPONENT.get(_word(row.get("impact")), PageStatus.DEGRADED)
    name = values.text(row.get("name"), MAX_TITLE)
    return PageIncident(
        id=_id(row, name, started_at),
        name=name,
        status=impact,
        phase=phase.lower()[:MAX_PHASE],
        started_at=started_at,
        said_at=values.moment(row.get("createdAt")),
        resolved_at=values.first_moment(row.get("resolved")) or (updated_at if phase in _OVER else None),
        updated_at=updated_at,
        url=values.web_link(row.get("url")),
        about=name,
    )


def _is_under_way(row: dict[str, Any]) -> bool:
    return _word(row.get("status")) in ("INPROGRESS", "VERIFYING")


def _work(row: dict[str, Any]) -> PageIncident:
    name, started_at = values.text(row.get("name"), MAX_TITLE), values.moment(row.get("start"))
    return PageIncident(
        id=_id(row, name, started_at),
        name=name,
        status=PageStatus.MAINTENANCE,
        phase=_word(row.get("status")).lower()[:MAX_PHASE],
        started_at=started_at,
        updated_at=values.first_moment(row.get("updatedAt"), row.get("start")),
        url=values.web_link(row.get("url")),
        about=name,
    )


def _id(row: dict[str, Any], name: str, started_at: datetime | None) -> str:
    """Its own id; the older form has none, but an address of its own."""
    given = values.identifier(row.get("id")) or values.web_link(row.get("url"), 200)
    return given or (f"{started_at.isoformat()} {name}"[:200] if started_at is not None else name[:200])


VENDOR_FORMATS.add("instatus", Instatus())
