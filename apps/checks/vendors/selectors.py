"""Reading what a vendor says of itself, beside what we measured of the same provider and its models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.catalog.models import Target
from apps.catalog.status import Status
from apps.checks import history, uptime
from apps.checks.history import TargetHistory
from apps.checks.models import Incident, VendorChange, VendorIncident, VendorPage
from apps.checks.vendors.comparing import RECENT, Comparison, Trouble, compare
from apps.core import clock
from apps.probes.ai.classes import Fault, class_of
from apps.probes.reasons import page_problem

# A vendor is not asked to know of our keys, our money and the quality we expect; and what its own page says is no
# measurement of ours.
_NOT_THEIRS = (Fault.OURS, Fault.QUALITY)
_BAD = (Status.DEGRADED, Status.OUTAGE)
_WORST_FIRST = (Status.OUTAGE, Status.DEGRADED, Status.MAINTENANCE, Status.OPERATIONAL)
MOST_INCIDENTS = 100
MOST_OPEN = 20
# What a trouble of the last day may be compared with.
_BACK = RECENT + timedelta(days=7)


@dataclass(frozen=True)
class Component:
    """One component of a page. `mapped`: the provider stands on it, so it decides."""

    name: str
    status: Status
    group: str = ""
    mapped: bool = False


@dataclass(frozen=True)
class VendorFacts:
    """A vendor's page now: components as they were when it was last read (`page.read_at`)."""

    page: VendorPage
    components: list[Component]
    open_incidents: list[VendorIncident]
    comparison: Comparison | None

    @property
    def mapped(self) -> list[Component]:
        return [component for component in self.components if component.mapped]

    @property
    def problem(self) -> str:
        """Why the page cannot be read, the end of a sentence; empty while it is readable."""
        if self.page.readable:
            return ""
        return page_problem({**self.page.problem_values, "problem": self.page.problem})

    @property
    def sentence(self) -> str:
        """Who said it first, in the active language; empty when there is nothing to compare."""
        return self.comparison.sentence if self.comparison is not None else ""


@dataclass(frozen=True)
class VendorLines:
    """Two lines on one clock: (moment, status from then on), the first at `start`; and the vendor's incidents.

    `ours` is the worst of the provider and its models, as measured.
    """

    start: datetime
    end: datetime
    vendor: list[tuple[datetime, Status]] = field(default_factory=list)
    ours: list[tuple[datetime, Status]] = field(default_factory=list)
    incidents: list[VendorIncident] = field(default_factory=list)


def get_pages(user: Any) -> QuerySet[VendorPage]:
    """The pages of providers that are there, with provider and environment."""
    rows = VendorPage.objects.visible_to(user).filter(provider__target__deleted_at__isnull=True)
    return rows.select_related("provider__target__environment")


def vendor_page(provider_id: UUID) -> VendorFacts | None:
    """What the provider's vendor says now; None for a provider without a status page. Six queries at most."""
    page = VendorPage.objects.filter(pk=provider_id, provider__target__deleted_at__isnull=True).first()
    return facts_of([page])[page.pk] if page is not None else None


def component_names(provider_id: UUID) -> list[str]:
    """What may be entered for each component the vendor's page was last seen with, in its order. One query.

    With its group where others have the same name, as the page's reader takes them.
    """
    page = VendorPage.objects.filter(pk=provider_id).only("components").first()
    if page is None:
        return []
    found = [_component(row) for row in page.components if isinstance(row, dict)]
    number = Counter(component.name.casefold() for component in found)
    names = [
        f"{component.group} / {component.name}"
        if component.group and number[component.name.casefold()] > 1
        else component.name
        for component in found
    ]
    return list(dict.fromkeys(names))


def facts_of(pages: Sequence[VendorPage]) -> dict[UUID, VendorFacts]:
    """The facts of many pages: five queries, whatever their number."""
    now = clock.now()
    identifiers = [page.pk for page in pages]
    since = now - _BACK
    told = VendorIncident.objects.filter(provider_id__in=identifiers)
    told = told.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=since)).order_by("-started_at")
    incidents: dict[UUID, list[VendorIncident]] = {}
    for incident in told:
        incidents.setdefault(incident.provider_id, []).append(incident)
    changes = _changes(identifiers, since, now)
    ours = _our_troubles(identifiers, since)
    return {
        page.pk: VendorFacts(
            page=page,
            components=[_component(row) for row in page.components if isinstance(row, dict)],
            open_incidents=[one for one in incidents.get(page.pk, []) if one.resolved_at is None][:MOST_OPEN],
            comparison=compare(
                ours.get(page.pk, []),
                _vendor_troubles(page, incidents.get(page.pk, []), changes[page.pk], since, now),
                readable=page.readable,
                now=now,
            ),
        )
        for page in pages
    }


def _component(row: dict[str, Any]) -> Component:
    return Component(
        name=str(row.get("name", "")),
        status=Status(row.get("status", Status.UNKNOWN)),
        group=str(row.get("group", "")),
        mapped=bool(row.get("mapped")),
    )


def _our_troubles(provider_ids: Sequence[UUID], since: datetime) -> dict[UUID, list[Trouble]]:
    """Incidents of the providers and their models that a vendor could know of, by provider. One query."""
    family = Q(target__in=provider_ids) | Q(target__namespace__in=provider_ids)
    rows = Incident.objects.filter(family, target__deleted_at__isnull=True)
    rows = rows.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=since))
    found: dict[UUID, list[Trouble]] = {}
    values = rows.values_list("target_id", "target__namespace", "reason", "opened_at", "resolved_at")
    for target_id, namespace, reason, opened_at, resolved_at in values:
        if _is_theirs(reason):
            found.setdefault(namespace or target_id, []).append(Trouble(opened_at, resolved_at))
    return found


def _is_theirs(reason: str) -> bool:
    known = class_of(reason)
    return not reason.startswith("vendor_") and (known is None or known[1] not in _NOT_THEIRS)


def _vendor_troubles(
    page: VendorPage, incidents: Iterable[VendorIncident], changes: TargetHistory, since: datetime, now: datetime
) -> list[Trouble]:
    """When the vendor said that something was wrong: by what its page turned to, and by when it wrote of it.

    An incident counts from the moment of writing; where the page does not tell that, from when we first read of it.
    What a page said already when we came to read it did not begin then, but at the latest with its last change.
    """
    told = [_as_trouble(incident) for incident in incidents if incident.status in _BAD]
    troubles = list(told)
    before = Status.UNKNOWN
    for stretch in uptime.periods(changes.initial, changes.transitions, since, now):
        if stretch.status in _BAD:
            lasts = stretch.end >= now and page.status in _BAD
            began = [stretch.start]
            if lasts and before is Status.UNKNOWN:
                began += [one.start for one in told if one.end is None]
                began += [page.updated_at] if page.updated_at is not None else []
            troubles.append(Trouble(min(began), None if lasts else stretch.end))
        before = stretch.status
    return troubles


def _as_trouble(incident: VendorIncident) -> Trouble:
    said_at = incident.said_at or incident.seen_at
    if incident.resolved_at is not None and incident.resolved_at < said_at:
        said_at = incident.started_at
    return Trouble(said_at, incident.resolved_at)


def _changes(provider_ids: Sequence[UUID], start: datetime, end: datetime) -> dict[UUID, TargetHistory]:
    """What the pages said at `start` and every change until `end`. Two queries."""
    rows = VendorChange.objects.filter(provider_id__in=provider_ids)
    before = rows.filter(at__lte=start).order_by("provider_id", "-at", "-id").distinct("provider_id")
    initial = {change.provider_id: Status(change.status) for change in before}
    transitions: dict[UUID, list[uptime.Transition]] = {}
    for change in rows.filter(at__gt=start, at__lte=end).order_by("at", "id"):
        transitions.setdefault(change.provider_id, []).append(uptime.Transition(change.at, Status(change.status)))
    return {
        identifier: TargetHistory(initial.get(identifier, Status.UNKNOWN), transitions.get(identifier, []))
        for identifier in provider_ids
    }


def vendor_lines(provider_id: UUID, start: datetime, end: datetime) -> VendorLines:
    """What the vendor said and what we measured in [start, end]. Six queries."""
    family = Target.objects.present().filter(Q(pk=provider_id) | Q(namespace=provider_id))
    identifiers = list(family.values_list("pk", flat=True))
    told = VendorIncident.objects.filter(provider_id=provider_id, started_at__lt=end)
    told = told.filter(Q(resolved_at__isnull=True) | Q(resolved_at__gte=start)).order_by("-started_at")
    said = _changes([provider_id], start, end)[provider_id]
    measured = history.load_histories(identifiers, start, end)
    return VendorLines(
        start=start,
        end=end,
        vendor=_line(said.initial, said.transitions, start),
        ours=_worst_line(list(measured.values()), start),
        incidents=list(told[:MOST_INCIDENTS]),
    )


def _line(initial: Status, transitions: Iterable[uptime.Transition], start: datetime) -> list[tuple[datetime, Status]]:
    points = [(start, initial)]
    for transition in transitions:
        if transition.status is not points[-1][1]:
            points.append((transition.at, transition.status))
    return points


def _worst_line(histories: Sequence[TargetHistory], start: datetime) -> list[tuple[datetime, Status]]:
    """One line of many: the worst of them at each moment; unknown only while all are."""
    present = [entry.initial for entry in histories]
    events = sorted(
        (transition.at, position, transition.status)
        for position, entry in enumerate(histories)
        for transition in entry.transitions
    )
    changes = []
    for at, position, status in events:
        present[position] = status
        changes.append(uptime.Transition(at, _worst(present)))
    return _line(_worst([entry.initial for entry in histories]), changes, start)


def _worst(statuses: Iterable[Status]) -> Status:
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), Status.UNKNOWN)
