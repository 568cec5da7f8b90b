"""From what fires to sources of alerts: the difference between what rules should say and what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.alerts.matching import Labels
from apps.alerts.models import AlertSource
from apps.alerts.pipeline.sources import SourceChange, fingerprint
from apps.alerts.rule_kinds.base import Reading
from apps.alerts.rules import NO_DATA, Standing
from apps.alerts.ruling.readings import ActiveRule
from apps.alerts.ruling.states import Pair
from apps.core import statements

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

    def ended(self, at: datetime) -> SourceChange:
        return SourceChange(
            fingerprint=self.fingerprint,
            cause=self.cause,
            kind=AlertSource.Kind.RULE,
            key=str(self.rule),
            name=self.name,
            severity=self.severity,
            at=at,
            ended=True,
        )


_OPEN = """
    SELECT s.key, a.target_id, s.severity, s.since, s.name, a.fingerprint, a.cause
    FROM alerts_alertsource s JOIN alerts_alert a ON a.id = s.alert_id
    WHERE s.kind = 'rule' AND s.ended_at IS NULL AND a.resolved_at IS NULL
"""


def load_open_sources() -> dict[Pair, OpenSource]:
    """By rule and target. One query."""
    found = [OpenSource(UUID(key), *rest) for key, *rest in statements.run(_OPEN)]
    return {(source.rule, source.target): source for source in found}


def beginning(
    standings: Mapping[Pair, Standing], said: Mapping[Pair, OpenSource], untouched: Collection[UUID]
) -> list[Pair]:
    """What fires and no alert says so, or with another severity: the worst first."""
    found = [
        pair
        for pair, one in standings.items()
        if one.severity and (pair not in said or said[pair].severity != one.severity) and pair[0] not in untouched
    ]
    return sorted(found, key=lambda pair: _ORDER[standings[pair].severity])


def ending(
    standings: Mapping[Pair, Standing],
    said: Mapping[Pair, OpenSource],
    untouched: Collection[UUID],
    status_rules: Collection[UUID],
    at: datetime,
) -> list[OpenSource]:
    """What alerts say and no rule does any more."""

    def is_over(pair: Pair, source: OpenSource) -> bool:
        standing = standings.get(pair)
        if source.rule in untouched or (standing is not None and standing.firing):
            return False
        with_incident = standing is not None or source.since > at - _FRESH
        return not (source.rule in status_rules and with_incident)

    return [source for pair, source in said.items() if is_over(pair, source)]


_ORDER = {"critical": 0, "warning": 1, "info": 2}
