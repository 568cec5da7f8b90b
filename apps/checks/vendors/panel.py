"""The part of a provider's page about its vendor: what it says, what we measured, and who said it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.doors import PageRequest
from apps.catalog.models import Target
from apps.catalog.status import Status
from apps.checks import uptime
from apps.checks.charts import RANGE_LABELS, RANGES, range_of
from apps.checks.models import VendorIncident
from apps.checks.vendors.selectors import VendorLines, vendor_lines, vendor_page
from apps.core import clock
from apps.core.panels import Panel

# Of a mark, in per cent: an incident of minutes must be seen in a week.
_NARROWEST = 0.6
INCIDENTS_SHOWN = 10


@dataclass(frozen=True)
class Mark:
    """An incident of the vendor on the clock of the lines: per cent from the left, its width, and its words."""

    x: float
    width: float
    incident: VendorIncident


def load_vendor(request: PageRequest, target: Target) -> dict[str, Any]:
    """The context of `checks/_vendor.html`; without facts the part is empty. Eleven queries at most."""
    facts = vendor_page(target.pk)
    if facts is None:
        return {"facts": None}
    preset = range_of(request.GET)
    end = clock.now()
    lines = vendor_lines(target.pk, end - RANGES[preset], end)
    period = str(dict(RANGE_LABELS)[preset])
    return {
        "facts": facts,
        "url": target.provider.status_page_url,
        "vendor_label": _("What the vendor said over %(period)s") % {"period": period},
        "our_label": _("What we measured over %(period)s") % {"period": period},
        "incident_label": _("Incidents of the vendor over %(period)s") % {"period": period},
        "vendor_periods": periods_of(lines.vendor, lines.start, lines.end),
        "our_periods": periods_of(lines.ours, lines.start, lines.end),
        "marks": marks_of(lines),
        "incidents": lines.incidents[:INCIDENTS_SHOWN],
    }


def periods_of(line: Sequence[tuple[datetime, Status]], start: datetime, end: datetime) -> list[uptime.Period]:
    """A line as stretches, for a history bar."""
    initial = line[0][1] if line else Status.UNKNOWN
    return list(uptime.periods(initial, [uptime.Transition(at, status) for at, status in line[1:]], start, end))


def marks_of(lines: VendorLines) -> list[Mark]:
    """The vendor's incidents to scale, the oldest first."""
    return list(_marks(reversed(lines.incidents), lines.start, lines.end))


def _marks(incidents: Iterable[VendorIncident], start: datetime, end: datetime) -> Iterable[Mark]:
    whole = max((end - start).total_seconds(), 1.0)
    for incident in incidents:
        began = max(incident.started_at, start)
        ended = min(incident.resolved_at or end, end)
        width = max(100 * (ended - began).total_seconds() / whole, _NARROWEST)
        left = min(100 * (began - start).total_seconds() / whole, 100 - _NARROWEST)
        yield Mark(round(left, 3), round(min(width, 100 - left), 3), incident)


VENDOR = Panel("vendor", "checks/_vendor.html", load_vendor, "target,incident,check", every=60)
