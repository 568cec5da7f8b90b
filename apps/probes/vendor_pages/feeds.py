"""What RSS and Atom feeds of incidents have in common: entries, and in their text the phase of an incident.

A feed has no status. What its open incidents say is taken for it: an entry is open while the latest phase written in it
is not an end. Makers put the newest update first, in bold (`<strong>Resolved</strong> - …`, `<b>Status: Resolved</b>`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage
from apps.probes.vendor_pages.reading import MAX_ABOUT, MAX_TITLE, PageIncident, PageReading, PageStatus, worst

MAX_ENTRIES = 100
# An entry whose end was never written: vendors write several times a day while something is wrong.
ABANDONED = timedelta(days=7)

_PHASES = (
    *("investigating", "identified", "monitoring", "update", "in progress", "in_progress", "verifying", "scheduled"),
    *("resolved", "completed", "postmortem", "cancelled", "canceled", "operational"),
)
_OVER = frozenset({"resolved", "completed", "postmortem", "cancelled", "canceled", "operational"})
_WORK = frozenset({"in progress", "in_progress", "verifying"})
_WORDS = "|".join(phase.replace(" ", "[ _]") for phase in _PHASES)
_IN_BOLD = re.compile(rf"<(?:strong|b)>\s*(?:status:\s*)?({_WORDS})\b", re.IGNORECASE)
_STATED = re.compile(rf"\bstatus:\s*({_WORDS})\b", re.IGNORECASE)
_IN_TITLE = re.compile(rf"^\s*\W?({_WORDS})\W|[\[(]({_WORDS})[\])]", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_SEVERE = re.compile(r"\b(major|full|complete|service) outage\b", re.IGNORECASE)
_MAINTENANCE = re.compile(r"\bmaintenance\b", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One entry of a feed. `body` may hold markup."""

    id: str
    title: str
    body: str
    written_at: datetime | None
    updated_at: datetime | None
    url: str


def reading_of(
    name: str, entries: Sequence[Entry], description: str, stated_at: datetime | None, now: datetime
) -> PageReading:
    """The reading of a feed. Raises UnreadablePage when it has entries and none is about an incident."""
    incidents = [found for entry in entries[:MAX_ENTRIES] if (found := _incident(entry, now)) is not None]
    if entries and not incidents:
        raise UnreadablePage(PageProblem.UNKNOWN_SHAPE, detail=name)
    return PageReading(
        format=name,
        status=worst([PageStatus.OPERATIONAL, *(one.status for one in incidents if one.is_open)]),
        description=values.text(description, MAX_TITLE),
        incidents=tuple(incidents),
        updated_at=values.latest(stated_at, *(one.updated_at for one in incidents)),
        lists_components=False,
    )


def _incident(entry: Entry, now: datetime) -> PageIncident | None:
    phase = phase_of(entry.title, entry.body)
    if not phase or not (entry.id or entry.url):
        return None
    words = values.text(html.unescape(_TAG.sub(" ", entry.body[:MAX_ABOUT])), MAX_ABOUT)
    updated_at = entry.updated_at or entry.written_at
    if phase == "scheduled":
        return None  # still to come
    is_over = phase in _OVER or (updated_at is not None and now - updated_at > ABANDONED)
    about = f"{entry.title} | {words}"[:MAX_ABOUT]
    status = PageStatus.OUTAGE if _SEVERE.search(about) else PageStatus.DEGRADED
    if phase in _WORK and (phase != "verifying" or _MAINTENANCE.search(about)):
        status = PageStatus.MAINTENANCE
    return PageIncident(
        id=values.text(entry.id or entry.url, 200),
        name=values.text(html.unescape(entry.title), MAX_TITLE),
        status=status,
        phase=phase.replace("_", " "),
        started_at=entry.written_at,
        resolved_at=(updated_at or now) if is_over else None,
        updated_at=updated_at,
        url=entry.url,
        about=about,
    )


def phase_of(title: str, body: str) -> str:
    """The latest phase an entry speaks of, in lower case; "" when it speaks of none."""
    body = body[:20_000]
    found = _IN_BOLD.search(body) or _STATED.search(body) or _IN_TITLE.search(title[:MAX_TITLE])
    return next(group for group in found.groups() if group).lower() if found else ""
