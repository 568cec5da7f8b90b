"""From what fires to sources of alerts: the difference between what rules should say and what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.alerts.matching import Labels
from apps.alerts.models import AlertSource
from apps.alerts.pipeline.sources import SourceChange, fingerprint
from apps.alerts.rule_kinds.base import Reading
from apps.alerts.rules import NO_DATA, Standing
from apps.alerts.ruling.readings import ActiveRule
from apps.alerts.ruling.states import Pair
from apps.alerts.ruling.status_rules import KIND as STATUS

# So many sources may begin, and so many end, in one run.
MOST_CHANGES = 1_000
# A status rule speaks with the incident it is about, which may have opened after this run read the statuses.
_FRESH = timedelta(seconds=30)


@dataclass(frozen=True)
class Fired:
    """One rule that fires for one target (None: for the portal itself)."""

    rule: ActiveRule
    target: UUID | None
    environment: UUID | None
    labels: Labels
    standing: Standing
    reading: Reading | None

    def change(self, at: datetime) -> SourceChange:
        """The `for` of the rule is over when it fires, so nobody waits once more."""
        kind, standing = self.rule.kind, self.standing
        found = dict(self.reading.detail) if self.reading is not None else {}
        reason = NO_DATA if standing.level == NO_DATA else str(found.pop("reason", ""))
        since = standing.since
        if standing.worst_since is not None and standing.severity == self.rule.criteria.worst.severity:
            since = standing.worst_since
        return SourceChange(
            fingerprint=fingerprint(self.target, kind.cause),
            cause=kind.cause,
            kind=AlertSource.Kind.RULE,
            key=str(self.rule.id),
            name=self.rule.row.name,
            severity=standing.severity,
            at=at,
            environment=self.environment,
            target=self.target,
            rule=self.rule.id,
            reason=reason,
            detail={**self._numbers(), **found},
            labels=self.labels,
            since=since,
        )

    def _numbers(self) -> dict[str, Any]:
        kind, criteria = self.rule.kind, self.rule.criteria
        if not kind.has_levels:
            return {}
        return {
            "value": self.standing.value,
            "level": criteria.level_of(self.standing.severity).bound,
            "unit": kind.unit,
            "operator": self.rule.row.operator,
        }


@dataclass(frozen=True)
class OpenSource:
    """One rule that an open alert names as its source."""

    rule: UUID
    target: UUID | None
    severity: str
    since: datetime
    name: str
    fingerprint: str
    cause: str


_OPEN = """
    SELECT s.key, a.target_id, s.severity, s.since, s.name, a.fingerprint, a.cause
    FROM alerts_alertsource s JOIN alerts_alert a ON a.id = s.alert_id
    WHERE s.kind = 'rule' AND s.ended_at IS NULL AND a.resolved_at IS NULL
"""


def load_open_sources() -> dict[Pair, OpenSource]:
    """By rule and target. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        found = [OpenSource(UUID(key), *rest) for key, *rest in cursor.fetchall()]
    return {(source.rule, source.target): source for source in found}


def changes_between(
    fired: Mapping[Pair, Fired],
    said: Mapping[Pair, OpenSource],
    *,
    standing: Mapping[Pair, Standing],
    untouched: Collection[UUID],
    rules: Mapping[UUID, ActiveRule],
    at: datetime,
) -> list[SourceChange]:
    """What begins or changes its severity, the worst first, and then what ends: an alert that goes from one rule to
    another is not resolved in between."""
    begin = [one for pair, one in fired.items() if pair not in said or said[pair].severity != one.standing.severity]
    begin.sort(key=lambda one: _ORDER[one.standing.severity])

    def is_over(pair: Pair, source: OpenSource) -> bool:
        if pair in fired or source.rule in untouched:
            return False
        rule = rules.get(source.rule)
        with_incident = rule is not None and rule.kind.name == STATUS
        return not (with_incident and (pair in standing or source.since > at - _FRESH))

    over = [source for pair, source in said.items() if is_over(pair, source)]
    return [
        *(one.change(at) for one in begin[:MOST_CHANGES]),
        *(_ended(source, at) for source in over[:MOST_CHANGES]),
    ]


_ORDER = {"critical": 0, "warning": 1, "info": 2}


def _ended(source: OpenSource, at: datetime) -> SourceChange:
    return SourceChange(
        fingerprint=source.fingerprint,
        cause=source.cause,
        kind=AlertSource.Kind.RULE,
        key=str(source.rule),
        name=source.name,
        severity=source.severity,
        at=at,
        ended=True,
    )
