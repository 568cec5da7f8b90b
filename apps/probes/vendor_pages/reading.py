"""What every format is read into, and the shape of a format."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

import msgspec

from apps.core.registry import Registry
from apps.probes.reasons import Text


class PageStatus(StrEnum):
    """What a page says of the whole or of a component, in our own words. `unknown`: in a word we do not know."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    OUTAGE = "outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


_WORST_FIRST = (PageStatus.OUTAGE, PageStatus.DEGRADED, PageStatus.MAINTENANCE, PageStatus.OPERATIONAL)


def worst(statuses: Iterable[PageStatus]) -> PageStatus:
    """The worst of them; unknown only when nothing else is there."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), PageStatus.UNKNOWN)


MAX_NAME = 200
MAX_TITLE = 300
MAX_PHASE = 32
MAX_ABOUT = 4_000


class Component(msgspec.Struct, frozen=True, array_like=True):
    """One component of a page, and the group it stands in ("" for none)."""

    name: str
    status: PageStatus
    group: str = ""
    mapped: bool = False


class PageIncident(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An incident as the vendor tells it. `started_at` is when it began by the vendor's word (often dated back),
    `said_at` when the vendor wrote of it first. `about` is text to look for names in, and goes no further."""

    id: str
    name: str
    status: PageStatus
    phase: str = ""
    started_at: datetime | None = None
    said_at: datetime | None = None
    resolved_at: datetime | None = None
    updated_at: datetime | None = None
    url: str = ""
    about: str = ""

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


class PageReading(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it was read. `updated_at` is the vendor's last word, None where the format has none."""

    format: str
    status: PageStatus
    description: str = ""
    components: tuple[Component, ...] = ()
    incidents: tuple[PageIncident, ...] = ()
    updated_at: datetime | None = None
    # Whether every component is listed, so that one that is not there is not there.
    lists_components: bool = True


class VendorFormat:
    """One format. Formats of one `media` ask the decoded document whether it is theirs; exactly one says yes.

    `paths`: where it lies below the address of a page; `rank`: which is tried first, the most common one before others.
    """

    name: ClassVar[str]
    label: ClassVar[Text]
    media: ClassVar[Literal["json", "xml"]] = "json"
    paths: ClassVar[tuple[str, ...]] = ()
    rank: ClassVar[int] = 50

    def recognises(self, document: Any) -> bool:
        """Whether this is a document of this format. Raises nothing."""
        raise NotImplementedError

    def read(self, document: Any, now: datetime) -> PageReading:
        """The reading of a document it recognised. Raises UnreadablePage."""
        raise NotImplementedError

    def companion(self, url: str) -> str:
        """Where the components are, for a format that keeps them in another document; "" for all others."""
        return ""


VENDOR_FORMATS: Registry[VendorFormat] = Registry("format of status pages", package="apps.probes.vendor_pages")
