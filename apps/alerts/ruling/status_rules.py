"""What `status` rules say of an incident, at the moment it opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.alerts.matching import Labels, Matcher, all_hold, load
from apps.alerts.models import Rule, Severity
from apps.alerts.rule_kinds.status import StatusConfig, StatusKind
from apps.alerts.rules import DEFAULT_FOR_SECONDS
from apps.alerts.unreadable import Unreadable
from apps.core import kindconfig

KIND = StatusKind.name

# What an incident is without a rule of its own.
_SEVERITIES = {"outage": Severity.CRITICAL.value, "degraded": Severity.WARNING.value}
_WORST_FIRST = (Severity.CRITICAL.value, Severity.WARNING.value, Severity.INFO.value)


@dataclass(frozen=True)
class StatusRule:
    """One enabled rule on status. No environment: it is about all of them."""

    id: UUID
    name: str
    severity: str
    statuses: frozenset[str]
    environment: str | None
    matchers: tuple[Matcher, ...]
    hold_seconds: int

    def matches(self, labels: Labels, status: str) -> bool:
        return (
            status in self.statuses
            and (self.environment is None or labels.get("environment") == self.environment)
            and all_hold(self.matchers, labels)
        )


class StatusRules:
    """All enabled status rules, read once for a batch of incidents."""

    def __init__(self, rules: Sequence[StatusRule]) -> None:
        self._rules = tuple(rules)

    @classmethod
    def load(cls) -> StatusRules:
        """One query."""
        rows = Rule.objects.present().filter(kind=KIND, enabled=True).select_related("environment").order_by("name")
        return cls([rule for row in rows if (rule := _status_rule(row)) is not None])

    def severity_of(self, labels: Labels, status: str) -> tuple[str, int, list[tuple[UUID, str, str]]]:
        """The severity of an incident with `status`, for how many seconds people are spared it, and which rules
        (id, name, severity) say so. The worst of them wins; of equals, the most impatient."""
        matching = [rule for rule in self._rules if rule.matches(labels, status)]
        if not matching:
            severity = _SEVERITIES.get(status, Severity.WARNING.value)
            return severity, DEFAULT_FOR_SECONDS[severity], []
        severity = min((rule.severity for rule in matching), key=_WORST_FIRST.index)
        hold = min(rule.hold_seconds for rule in matching if rule.severity == severity)
        return severity, hold, [(rule.id, rule.name, rule.severity) for rule in matching]


def _status_rule(row: Rule) -> StatusRule | None:
    """None for one that cannot be read: its evaluation says so."""
    severity = row.severity or Severity.WARNING.value
    try:
        statuses, matchers = kindconfig.decode(StatusConfig, row.config).statuses, load(row.matchers)
        hold = DEFAULT_FOR_SECONDS[severity] if row.for_seconds is None else row.for_seconds
    except (kindconfig.ConfigError, Unreadable, KeyError):
        return None
    return StatusRule(
        id=row.pk,
        name=row.name,
        severity=severity,
        statuses=frozenset(statuses),
        environment=row.environment.slug if row.environment else None,
        matchers=matchers,
        hold_seconds=hold,
    )
