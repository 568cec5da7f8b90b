"""From a stored rule to what judging needs. Pure but for the row it reads."""

from __future__ import annotations

from typing import Any

from apps.alerts.models import Rule
from apps.alerts.models.alert import Severity
from apps.alerts.rule_kinds.base import RuleKind
from apps.alerts.rules import DEFAULT_FOR_SECONDS, Criteria, Level, NoData

# A state is a number that is 0 or 1.
_STATE_BOUND = 0.5


def criteria_of(rule: Rule, kind: RuleKind[Any]) -> Criteria:
    """When `rule` holds. Its levels and severity were validated when it was saved."""
    if kind.has_levels:
        bounds = [
            (Severity.WARNING.value, rule.warning_level),
            (Severity.CRITICAL.value, rule.critical_level),
        ]
        levels = tuple(_level(rule, severity, bound) for severity, bound in bounds if bound is not None)
        above = rule.operator == Rule.Operator.ABOVE
    else:
        levels = (_level(rule, rule.severity or Severity.WARNING.value, _STATE_BOUND),)
        above = True
    margin = rule.recovery_margin if kind.has_levels else 0.0
    return Criteria(above, levels, margin, NoData(rule.no_data))


def _level(rule: Rule, severity: str, bound: float) -> Level:
    seconds = DEFAULT_FOR_SECONDS[severity] if rule.for_seconds is None else rule.for_seconds
    return Level(severity, bound, seconds)
