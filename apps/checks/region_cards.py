"""What each region thinks of a check, side by side, and what follows from all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from apps.catalog.status import Status
from apps.checks import history
from apps.checks.models import Check, CheckEvidence, CheckRegion, CheckResult
from apps.checks.reasons import sentence
from apps.checks.region_words import RegionNote, region_notes
from apps.checks.state import NO_QUORUM
from apps.probes.base import OutcomeState

RECENT_OUTCOMES = 20
# Results are read for all regions together, so that ten regions cost one query; a page needs no more than these.
MOST_OUTCOMES = 240

# How an outcome looks beside statuses: the same shapes and colours.
STATUS_OF_OUTCOME = {
    OutcomeState.OK: Status.OPERATIONAL,
    OutcomeState.DEGRADED: Status.DEGRADED,
    OutcomeState.FAILED: Status.OUTAGE,
    OutcomeState.INDETERMINATE: Status.UNKNOWN,
}


@dataclass(frozen=True)
class OutcomeDot:
    """One result as a mark in a row of them."""

    status: str
    label: str
    at: datetime
    url: str


@dataclass(frozen=True)
class RegionCard:
    """One region's opinion, its counters against the thresholds in words, its latest outcomes, oldest first, and what
    is to be known of the region itself."""

    name: str
    row: CheckRegion
    why: str
    counted: str
    latest: CheckResult | None = None
    outcomes: list[OutcomeDot] = field(default_factory=list)
    sparkline: list[float | None] = field(default_factory=list)
    notes: list[RegionNote] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """The latest results of all regions, newest first, and what those that were not ok saw, by result id."""

    results: list[CheckResult]
    evidence: dict[UUID, dict[str, Any]]

    @property
    def latest_bad(self) -> CheckResult | None:
        """The latest look that was not ok and kept what it saw."""
        return next(
            (result for result in self.results if result.id in self.evidence and result.state != OutcomeState.OK), None
        )

    def latest_with(self, reason: str, region_id: UUID | None = None) -> dict[str, Any]:
        """What the latest look that ended for this reason saw (in a region, or anywhere); empty when none is known."""
        for result in self.results:
            here = region_id is None or result.region_id == region_id
            if here and result.reason == reason and result.id in self.evidence:
                return self.evidence[result.id]
        return {}


def rows_of(check: Check) -> list[CheckRegion]:
    """The check's rows in the regions that look at it. One query."""
    rows = check.regions.select_related("region").filter(region__enabled=True)
    if check.enabled and check.target.enabled:
        # A region that was taken off the check keeps its row, switched off; a paused check's rows are all off.
        rows = rows.filter(enabled=True)
    return list(rows.order_by("region__slug"))


def recent_results(check: Check, regions: int) -> Seen:
    """The latest results of a check in so many regions. Two queries."""
    wanted = min(MOST_OUTCOMES, RECENT_OUTCOMES * max(1, regions))
    results = list(CheckResult.objects.filter(check_id=check.pk).order_by("-at", "-id")[:wanted])
    return Seen(results, evidence_of(check, results))


def evidence_of(check: Check, results: Iterable[CheckResult]) -> dict[UUID, dict[str, Any]]:
    """What each of these looks saw, by result id; those that kept nothing are left out. One query."""
    found = list(results)
    if not found:
        return {}
    rows = CheckEvidence.objects.filter(
        check_id=check.pk,
        at__gte=min(result.at for result in found),
        at__lte=max(result.at for result in found),
        id__in=[result.id for result in found],
    )
    return {row.id: row.evidence for row in rows}


def cards_of(check: Check, rows: Sequence[CheckRegion], seen: Seen) -> list[RegionCard]:
    """A card a region. Lines of response times are drawn only where regions are compared."""
    notes = region_notes([row.region for row in rows])
    lines = history.get_region_sparklines(check.pk) if len(rows) > 1 else {}
    return [_card(check, row, seen, lines, notes.get(row.region_id, [])) for row in rows]


def _card(
    check: Check,
    row: CheckRegion,
    seen: Seen,
    lines: Mapping[UUID, list[float | None]],
    notes: list[RegionNote],
) -> RegionCard:
    own = [result for result in seen.results if result.region_id == row.region_id]
    return RegionCard(
        name=row.region.name,
        row=row,
        why=""
        if row.verdict == Status.OPERATIONAL
        else sentence(row.reason, seen.latest_with(row.reason, row.region_id)),
        counted=counted(check, row),
        latest=own[0] if own else None,
        outcomes=[_dot(check, result) for result in reversed(own[:RECENT_OUTCOMES])],
        sparkline=lines.get(row.region_id, []),
        notes=notes,
    )


def _dot(check: Check, result: CheckResult) -> OutcomeDot:
    state = OutcomeState(result.state)
    return OutcomeDot(STATUS_OF_OUTCOME[state].value, str(state.label), result.at, result_url(check, result.id))


def result_url(check: Check, identifier: UUID) -> str:
    return reverse("checks:result", args=[check.pk, identifier])


def counted(check: Check, row: CheckRegion) -> str:
    """The counters against the thresholds: why the verdict stands, or how far it is from changing."""
    words = {
        "failures": row.failures,
        "degradations": row.degradations,
        "successes": row.successes,
        "failure_threshold": check.failure_threshold,
        "recovery_threshold": check.recovery_threshold,
    }
    if row.verdict == Status.OUTAGE and row.failures:
        text = ngettext(
            "%(failures)s look in a row failed; %(failure_threshold)s make an outage.",
            "%(failures)s looks in a row failed; %(failure_threshold)s make an outage.",
            row.failures,
        )
    elif row.verdict in (Status.OUTAGE, Status.DEGRADED) and row.successes:
        text = ngettext(
            "%(successes)s look in a row was good; %(recovery_threshold)s make a recovery.",
            "%(successes)s looks in a row were good; %(recovery_threshold)s make a recovery.",
            row.successes,
        )
    elif row.degradations:
        text = ngettext(
            "%(degradations)s look in a row was not good; %(failure_threshold)s make a change.",
            "%(degradations)s looks in a row were not good; %(failure_threshold)s make a change.",
            row.degradations,
        )
    elif row.successes:
        text = ngettext(
            "%(successes)s look in a row was good; %(failure_threshold)s failures in a row make an outage.",
            "%(successes)s looks in a row were good; %(failure_threshold)s failures in a row make an outage.",
            row.successes,
        )
    else:
        return _("No look has counted yet.")
    return text % words


# --- What follows from all of them ------------------------------------------------------------------------------

# The same sets as in `state.decide_check`: an outage is at least a degradation.
_AGREEING = {
    Status.OUTAGE: {Status.OUTAGE},
    Status.DEGRADED: {Status.OUTAGE, Status.DEGRADED},
    Status.OPERATIONAL: {Status.OPERATIONAL},
}


def decision_sentences(check: Check, rows: Sequence[CheckRegion], verdict: Status, reason: str) -> list[str]:
    """How the verdict of the check follows from its regions: "2 of 3 regions say outage; 2 are needed."."""
    voting = [Status(row.verdict) for row in rows if row.verdict != Status.UNKNOWN]
    sentences = []
    if not voting:
        sentences.append(_("No region has a fresh verdict, so there is nothing to decide from."))
    elif reason == NO_QUORUM or verdict not in _AGREEING:
        sentences.append(_disagreement(voting, needed_of(check, len(voting))))
    else:
        sentences.append(_agreement(voting, verdict, needed_of(check, len(voting))))
    silent = len(rows) - len(voting)
    if voting and silent:
        text = ngettext(
            "%(number)s region has no fresh verdict and does not count.",
            "%(number)s regions have no fresh verdict and do not count.",
            silent,
        )
        sentences.append(text % {"number": silent})
    return sentences


def needed_of(check: Check, voting: int) -> int:
    """How many regions must agree: what was set, else most of those with a fresh verdict."""
    return check.quorum or voting // 2 + 1


def _agreement(voting: Sequence[Status], verdict: Status, needed: int) -> str:
    agreeing = sum(vote in _AGREEING[verdict] for vote in voting)
    if verdict == Status.DEGRADED:
        text = ngettext(
            "%(agreeing)s of %(voting)s region says degraded or worse; %(needed)s must agree.",
            "%(agreeing)s of %(voting)s regions say degraded or worse; %(needed)s must agree.",
            len(voting),
        )
    else:
        text = ngettext(
            "%(agreeing)s of %(voting)s region says %(status)s; %(needed)s must agree.",
            "%(agreeing)s of %(voting)s regions say %(status)s; %(needed)s must agree.",
            len(voting),
        )
    return text % {"agreeing": agreeing, "voting": len(voting), "needed": needed, "status": _in_sentence(verdict)}


def _disagreement(voting: Sequence[Status], needed: int) -> str:
    counts = Counter(voting)
    votes = ", ".join(
        _("%(status)s %(number)s") % {"status": status.label, "number": counts[status]}
        for status in _AGREEING
        if counts[status]
    )
    text = ngettext(
        "%(needed)s region must agree and does not (%(votes)s), so the last status stays.",
        "%(needed)s regions must agree and do not (%(votes)s), so the last status stays.",
        needed,
    )
    return text % {"needed": needed, "votes": votes}


def _in_sentence(status: Status) -> str:
    words = {
        Status.OPERATIONAL: pgettext("what regions say", "operational"),
        Status.OUTAGE: pgettext("what regions say", "outage"),
    }
    return words.get(status, str(status.label))
