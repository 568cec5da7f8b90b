"""A provider's page: its models together, and the vendor's own word beside ours on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from apps.accounts.doors import PageRequest
from apps.catalog.models import Target
from apps.catalog.status import Status
from apps.checks.charts import RANGE_LABELS, range_of, read_period
from apps.checks.models import VendorIncident
from apps.checks.vendors.selectors import vendor_lines, vendor_page
from apps.core.panels import Panel
from apps.dashboard import targets
from apps.dashboard.ai.cards import figures_of

MARKS_SHOWN = 20


@dataclass(frozen=True)
class Stretch:
    """One status from `start` to `end`, as a history bar draws it."""

    start: datetime
    end: datetime
    status: Status


@dataclass(frozen=True)
class Mark:
    """An incident of the vendor; `x` is where it began, in per cent of the period."""

    incident: VendorIncident
    x: float

    @property
    def link(self) -> str:
        """Only what a browser opens safely."""
        return self.incident.url if self.incident.url.startswith(("http://", "https://")) else ""


def load_figures(request: PageRequest, target: Target) -> dict[str, Any]:
    return {"figures": figures_of(request.user, [target.pk])[target.pk]}


def load_vendor(request: PageRequest, target: Target) -> dict[str, Any]:
    """What the vendor says now, and both lines over the page's period; nothing without a page to read."""
    facts = vendor_page(target.pk)
    may_operate = targets.may_operate(request, target)
    if facts is None:
        return {"facts": None, "target": target, "may_operate": may_operate}
    preset = range_of(request.GET)
    period = read_period({"range": preset})
    lines = vendor_lines(target.pk, period.start, period.end)
    return {
        "facts": facts,
        "target": target,
        "may_operate": may_operate,
        "period": dict(RANGE_LABELS)[preset],
        "ours": stretches(lines.ours, lines.end),
        "vendors": stretches(lines.vendor, lines.end),
        "marks": [_mark(incident, lines.start, lines.end) for incident in lines.incidents[:MARKS_SHOWN]],
    }


def stretches(line: Sequence[tuple[datetime, Status]], end: datetime) -> list[Stretch]:
    """(moment, status from then on) as stretches up to `end`; one of no length is left out."""
    moments = [*line, (end, Status.UNKNOWN)] if line else []
    return [Stretch(start, until, status) for (start, status), (until, _next) in pairwise(moments) if start < until]


def _mark(incident: VendorIncident, start: datetime, end: datetime) -> Mark:
    share = (incident.started_at - start) / (end - start)
    return Mark(incident, round(100 * min(1.0, max(0.0, share)), 3))


FIGURES = Panel("figures", "dashboard/model/_provider_figures.html", load_figures, "target.changed", every=60)
VENDOR = Panel("vendor", "dashboard/model/_vendor.html", load_vendor, "target", every=60)
