"""Reading what a vendor says of itself, beside what we measured of the same provider and its models."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.catalog.status import Status
from apps.checks.models import VendorIncident, VendorPage
from apps.checks.vendors.comparing import Comparison


@dataclass(frozen=True)
class Component:
    """One component of a page. `mapped`: the provider stands on it, so it decides."""

    name: str
    status: Status
    group: str = ""
    mapped: bool = False


@dataclass(frozen=True)
class VendorFacts:
    """A vendor's page now. `problem` is a sentence, empty while the page is readable."""

    page: VendorPage
    components: list[Component]
    open_incidents: list[VendorIncident]
    comparison: Comparison | None
    problem: str = ""

    @property
    def mapped(self) -> list[Component]:
        return [component for component in self.components if component.mapped]

    @property
    def sentence(self) -> str:
        """Who said it first, in the active language; empty when there is nothing to compare."""
        return self.comparison.sentence if self.comparison is not None else ""


@dataclass(frozen=True)
class VendorLines:
    """Two lines on one clock: (moment, status from then on), the first at the start; and the vendor's incidents."""

    start: datetime
    end: datetime
    vendor: list[tuple[datetime, Status]] = field(default_factory=list)
    ours: list[tuple[datetime, Status]] = field(default_factory=list)
    incidents: list[VendorIncident] = field(default_factory=list)


def vendor_page(provider_id: UUID) -> VendorFacts | None:
    """What the provider's vendor says now; None for a provider without a status page. Four queries."""
    return None


def vendor_lines(provider_id: UUID, start: datetime, end: datetime) -> VendorLines:
    """What the vendor said and what we measured in [start, end]. Six queries."""
    return VendorLines(start, end)
