"""Rows of the pages of rules: how each stands, and for which targets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from apps.accounts.access import Role
from apps.accounts.doors import may
from apps.accounts.models import User
from apps.alerts.looks import Look
from apps.alerts.models import Rule, RuleState
from apps.alerts.models.alert import Severity
from apps.alerts.pages.looks import rule_look, severity_look, state_look
from apps.alerts.pages.sentences import levels, matcher_sentences, rule_name
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.alerts.wording.quantities import quantity
from apps.catalog.models import Target

# A rule that fires everywhere names the first of them; the rest are counted.
SHOWN_STATES = 200


def kind_of(rule: Rule) -> RuleKind[Any] | None:
    return RULE_KINDS.get(rule.kind) if rule.kind in RULE_KINDS else None


@dataclass(frozen=True)
class RuleRow:
    """A rule with everything its row shows; the counts are of targets that are not well."""

    rule: Rule
    name: str
    look: Look
    kind: str
    levels: str
    severity: Look | None
    matchers: list[str]
    firing: int
    pending: int
    no_data: int
    may_edit: bool
    # Otherwise it is about the portal itself.
    per_target: bool = True

    @property
    def is_quiet(self) -> bool:
        return not (self.firing or self.pending or self.no_data)


def rule_rows(user: User, rules: Iterable[Rule]) -> list[RuleRow]:
    """One more query, for the counts."""
    rules = list(rules)
    counted = _counts(user, rules)
    return [_row(user, rule, counted.get(rule.pk, {})) for rule in rules]


def worst_first(rows: list[RuleRow]) -> list[RuleRow]:
    """What fires first, then what is about to; the rest as it was."""
    return sorted(rows, key=lambda row: (not row.firing, not row.pending, not row.rule.enabled))


def _counts(user: User, rules: list[Rule]) -> dict[Any, dict[str, int]]:
    seen = Q(target__isnull=True) | Q(target__in=Target.objects.visible_to(user).present().order_by().values("pk"))
    rows = (
        RuleState.objects.filter(seen, rule__in=rules)
        .order_by()
        .values("rule")
        .annotate(
            firing_count=Count("pk", filter=Q(firing=True)),
            no_data_count=Count("pk", filter=Q(firing=False, level="no_data")),
            pending_count=Count("pk", filter=Q(firing=False) & ~Q(level="no_data")),
        )
    )
    return {
        row["rule"]: {"firing": row["firing_count"], "pending": row["pending_count"], "no_data": row["no_data_count"]}
        for row in rows
    }


def _row(user: User, rule: Rule, counted: dict[str, int]) -> RuleRow:
    kind = kind_of(rule)
    numbers = {name: counted.get(name, 0) for name in ("firing", "pending", "no_data")}
    return RuleRow(
        rule=rule,
        name=rule_name(rule),
        look=rule_look(rule, **numbers),
        kind=str(kind.label) if kind else rule.kind,
        levels=levels(rule, kind),
        severity=severity_look(rule.severity) if rule.severity in Severity.values else None,
        matchers=matcher_sentences(rule.matchers),
        may_edit=may(user, Role.OPERATOR, rule.environment_id),
        per_target=kind.per_target if kind else True,
        **numbers,
    )


@dataclass(frozen=True)
class StateRow:
    """How far a rule has come for one target (None: the portal itself)."""

    state: RuleState
    look: Look
    value: str


def state_rows(user: User, rule: Rule) -> list[StateRow]:
    """Those it fires for first, then the longest. One query."""
    kind = kind_of(rule)
    unit = kind.unit if kind else ""
    seen = Q(target__isnull=True) | Q(target__in=Target.objects.visible_to(user).present().order_by().values("pk"))
    rows = (
        rule.states.filter(seen)
        .select_related("target__environment", "target__namespace")
        .order_by("-firing", "since", "pk")
    )
    return [
        StateRow(state, state_look(state.level, state.firing), quantity(state.value, unit))
        for state in rows[:SHOWN_STATES]
    ]
