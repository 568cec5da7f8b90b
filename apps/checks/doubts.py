"""What the latest looks say while the status says another thing: too few of them yet, too few regions, or a canary.

A status needs more than one look, and more than one region, to change. Whoever reads "operational" or "unknown" while
looks fail is told so here, with how many it takes.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.catalog.status import Status
from apps.checks.reasons import sentence
from apps.checks.state import Pending, Policy, RegionState, pending_of


@dataclass(frozen=True)
class Doubt:
    """One check in one region that says worse than the status does.

    `pending` is None where the region has decided for itself and the others outvote it (`bad` of `regions` regions).
    `reason` and `evidence` are those of its latest look that was not ok, and `result_id` is that look's; "" and None
    when it is older than what is kept at hand. `counts`: whether the check decides a status.
    """

    target_id: UUID
    check_id: UUID
    check_name: str
    kind: str
    counts: bool
    verdict: Status
    pending: Pending | None
    region: str
    regions: int
    bad: int
    reason: str = ""
    result_id: UUID | None = None
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def weight(self) -> tuple[bool, bool, float]:
        """Sorts last the one that says most: it counts, it failed and is not only slow, it is nearest to deciding."""
        towards = self.pending.towards if self.pending else self.verdict
        share = self.pending.count / self.pending.needed if self.pending else 1.0
        return self.counts, towards == Status.OUTAGE, share

    def contradicts(self, verdict: Status) -> bool:
        """Whether a verdict of the check leaves the reader wondering: it says nothing of what its looks found."""
        return verdict == Status.OPERATIONAL or (verdict == Status.UNKNOWN and self.pending is not None)

    @property
    def why(self) -> str:
        """What its latest look that was not ok found, as a sentence; "" when that is not at hand."""
        return sentence(self.reason, self.evidence) if self.reason else ""

    @property
    def text(self) -> str:
        """Of the target, in the active language: how many of how many, and what the latest of them found."""
        return (self._text() % {"why": self.why}).strip()

    @property
    def short_text(self) -> str:
        """The same without what was found, for where that is said beside it."""
        return (self._text() % {"why": ""}).strip()

    @property
    def counted(self) -> str:
        """The same of the check itself, whether it decides a status or not."""
        return (self._counted() % {"why": self.why}).strip()

    def _text(self) -> str:
        """With `%(why)s` still to be filled in."""
        if self.counts:
            return self._counted()
        return _filled(_("“%(name)s” is not well, and has no say in the status. %(why)s"), name=self.check_name)

    def _counted(self) -> str:
        if self.pending is None:
            text = ngettext(
                "%(bad)s of %(number)s region sees it otherwise. %(why)s",
                "%(bad)s of %(number)s regions see it otherwise. %(why)s",
                self.regions,
            )
            return _filled(text, bad=self.bad, number=self.regions)
        failed = self.pending.towards == Status.OUTAGE
        if self.regions > 1:
            return _filled(_pending_there(self.pending.needed, failed=failed), self.pending, region=self.region)
        return _filled(_pending_here(self.pending.needed, failed=failed), self.pending)


def _pending_here(needed: int, *, failed: bool) -> str:
    if failed:
        return ngettext(
            "%(count)s of %(number)s look failed, confirming. %(why)s",
            "%(count)s of %(number)s looks failed, confirming. %(why)s",
            needed,
        )
    return ngettext(
        "%(count)s of %(number)s look was not good, confirming. %(why)s",
        "%(count)s of %(number)s looks were not good, confirming. %(why)s",
        needed,
    )


def _pending_there(needed: int, *, failed: bool) -> str:
    if failed:
        return ngettext(
            "%(count)s of %(number)s look from %(region)s failed, confirming. %(why)s",
            "%(count)s of %(number)s looks from %(region)s failed, confirming. %(why)s",
            needed,
        )
    return ngettext(
        "%(count)s of %(number)s look from %(region)s was not good, confirming. %(why)s",
        "%(count)s of %(number)s looks from %(region)s were not good, confirming. %(why)s",
        needed,
    )


def _filled(text: str, pending: Pending | None = None, **words: Any) -> str:
    """Everything but the reason, which may hold anything."""
    if pending is not None:
        words = {**words, "count": pending.count, "number": pending.needed}
    escaped = {name: str(value).replace("%", "%%") for name, value in words.items()}
    return text % {**escaped, "why": "%(why)s"}


# --- Reading --------------------------------------------------------------------------------------------------

# The looks of a row are asked for only where the row is in doubt: a handful of thousands.
_DOUBTFUL = """
    SELECT c.target_id, c.id, c.name, c.kind, c.affects_status, c.failure_threshold, r.verdict, r.failures,
           r.degradations, g.name AS region, n.regions, n.bad, l.reason, l.id AS result_id, l.evidence::text
    FROM checks_check c
    JOIN checks_checkregion r ON r.check_id = c.id AND r.enabled
    JOIN catalog_region g ON g.id = r.region_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS regions, count(*) FILTER (WHERE verdict IN ('outage', 'degraded')) AS bad
        FROM checks_checkregion WHERE check_id = c.id AND enabled AND verdict <> 'unknown'
    ) n
    LEFT JOIN LATERAL (
        SELECT s.reason, s.id, e.evidence
        FROM checks_checkresult s
        LEFT JOIN checks_checkevidence e ON e.check_id = s.check_id AND e.at = s.at AND e.id = s.id
        WHERE s.check_id = c.id AND s.region_id = r.region_id AND s.state IN ('failed', 'degraded')
          AND s.at > now() - interval '2 days'
        ORDER BY s.at DESC LIMIT 1
    ) l ON true
    WHERE {which} AND c.enabled AND c.deleted_at IS NULL AND (r.degradations > 0 OR r.failures > 0)
"""
_OF_TARGETS = """
    SELECT k.target_id, k.deciding, d.* FROM (
        SELECT target_id, count(*) FILTER (WHERE affects_status) AS deciding FROM checks_check
        WHERE target_id = ANY(%(ids)s::uuid[]) AND enabled AND deleted_at IS NULL GROUP BY target_id
    ) k LEFT JOIN (%s) d ON d.target_id = k.target_id
""".replace("%s", _DOUBTFUL.format(which="c.target_id = ANY(%(ids)s::uuid[])"))
_OF_CHECK = _DOUBTFUL.format(which="c.id = %s")


@dataclass
class Doubts:
    """Of one target that has enabled checks: how many of them decide its status, and those in doubt."""

    deciding: int
    found: list[Doubt] = field(default_factory=list)


def doubts_of(target_ids: Collection[UUID]) -> dict[UUID, Doubts]:
    """Every enabled check of these targets whose latest looks are worse than its verdict, or that no status follows.

    Absent: a target without an enabled check. One query, whatever their number; none without targets.
    """
    if not target_ids:
        return {}
    doubts: dict[UUID, Doubts] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OF_TARGETS, {"ids": list(target_ids)})
        for target_id, deciding, *row in cursor.fetchall():
            of_target = doubts.setdefault(target_id, Doubts(deciding))
            if row[0] is not None:
                of_target.found.append(_doubt(row))
    return doubts


def doubt_of_check(check_id: UUID) -> Doubt | None:
    """The one that says most of one check. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_CHECK, [check_id])
        return worst_of(_doubt(row) for row in cursor.fetchall())


def worst_of(doubts: Iterable[Doubt]) -> Doubt | None:
    return max(doubts, key=lambda doubt: doubt.weight, default=None)


def _doubt(row: Sequence[Any]) -> Doubt:
    state = RegionState(verdict=Status(row[6]), failures=row[7], degradations=row[8])
    evidence = json.loads(row[14]) if row[14] else {}
    return Doubt(
        target_id=row[0],
        check_id=row[1],
        check_name=row[2],
        kind=row[3],
        counts=row[4],
        verdict=state.verdict,
        pending=pending_of(state, Policy(failure_threshold=row[5])),
        region=row[9],
        regions=row[10],
        bad=row[11],
        reason=row[12] or "",
        result_id=row[13],
        evidence=evidence if isinstance(evidence, dict) else {},
    )
