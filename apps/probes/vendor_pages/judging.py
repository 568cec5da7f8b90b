"""What a reading means for a provider: the components it stands on, else the page as a whole; and whether the page is
kept up at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage
from apps.probes.vendor_pages.reading import Component, PageIncident, PageReading, PageStatus, worst

# While something is wrong a vendor writes every few hours; after a fortnight without a word nobody tends the page.
TROUBLED_DAYS = 14
_MAX_DETAIL = 200


@dataclass(frozen=True)
class Judged:
    """A reading with what it means: `status` of what the provider stands on, `detail` in the vendor's words."""

    reading: PageReading
    status: PageStatus
    detail: str
    missing: tuple[str, ...] = ()


def judge(reading: PageReading, wanted: Sequence[str], *, quiet_days: int, now: datetime) -> Judged:
    """The meaning of `reading` for somebody who stands on the components `wanted` (none: on the page as a whole).

    Raises UnreadablePage when nobody keeps the page up, or none of the components is on it any more.
    """
    wanted = [name for name in (one.strip() for one in wanted) if name]
    judged = _by_components(reading, wanted) if wanted else _as_a_whole(reading)
    if judged.status is PageStatus.UNKNOWN:
        raise UnreadablePage(PageProblem.UNKNOWN_SHAPE, detail=reading.format)
    allowed = quiet_days if judged.status is PageStatus.OPERATIONAL else min(TROUBLED_DAYS, quiet_days)
    if reading.updated_at is not None and now - reading.updated_at > timedelta(days=allowed):
        silent = (now - reading.updated_at).days
        raise UnreadablePage(PageProblem.NOT_UPDATED, actual=silent, expected=allowed, detail=f"{silent} d")
    return judged


def _as_a_whole(reading: PageReading) -> Judged:
    status = reading.status
    if status is PageStatus.UNKNOWN:
        status = worst(component.status for component in reading.components)
    return Judged(reading, status, _detail(status, reading, reading.components))


def _by_components(reading: PageReading, wanted: Sequence[str]) -> Judged:
    names = {name.casefold() for name in wanted}
    components = tuple(
        msgspec.structs.replace(component, mapped=True) if _names(component) & names else component
        for component in reading.components
    )
    mapped = [component for component in components if component.mapped]
    found = set().union(*(_names(component) for component in mapped)) if mapped else set()
    missing = tuple(name for name in wanted if name.casefold() not in found)
    marked = msgspec.structs.replace(reading, components=components)
    if not reading.lists_components:
        concerned = [one for one in reading.incidents if one.is_open and _speaks_of(one, names)]
        status = worst([PageStatus.OPERATIONAL, *(one.status for one in concerned)])
        about = msgspec.structs.replace(marked, incidents=tuple(concerned))
        return Judged(marked, status, _detail(status, about, mapped))
    if not mapped:
        raise UnreadablePage(PageProblem.COMPONENT_MISSING, expected=", ".join(wanted)[:_MAX_DETAIL], detail="?")
    status = worst(component.status for component in mapped)
    return Judged(marked, status, _detail(status, marked, mapped), missing)


def _names(component: Component) -> set[str]:
    """What a component may be called in a mapping: its name, its group, or both with a slash between."""
    name, group = component.name.casefold(), component.group.casefold()
    return {name, group, f"{group} / {name}"} - {""} if group else {name}


def _speaks_of(incident: PageIncident, names: set[str]) -> bool:
    about = incident.about.casefold()
    return any(name in about for name in names)


def _detail(status: PageStatus, reading: PageReading, components: Sequence[Component]) -> str:
    """What is wrong in the vendor's own words: its open incidents, else the components, else its headline; "" when it
    says nothing."""
    if status is PageStatus.OPERATIONAL:
        return reading.description[:_MAX_DETAIL]
    told = [one.name for one in reading.incidents if one.is_open and one.status is not PageStatus.OPERATIONAL]
    bad = [one.name for one in components if one.status not in (PageStatus.OPERATIONAL, PageStatus.UNKNOWN)]
    words = "; ".join((told or bad or [reading.description])[:3]).rstrip(". ")
    return words[:_MAX_DETAIL]
