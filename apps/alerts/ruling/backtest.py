"""What a rule would have done over stored history: the same judgement, run over what was measured."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts.models import Rule
from apps.alerts.rule_kinds.base import RULE_KINDS, History
from apps.alerts.rules import Firing, replay
from apps.alerts.ruling.criteria import criteria_of
from apps.alerts.ruling.readings import limited_statements
from apps.alerts.ruling.validation import clean_rule
from apps.alerts.ruling.warnings import targets_of
from apps.catalog.models import Target
from apps.core import kindconfig
from apps.core.clock import database_now

MOST_DAYS = 30
MOST_MESSAGES = 100
# More targets than this take longer than anybody waits for a form.
MOST_TARGETS = 500
_SECONDS = 8.0


@dataclass(frozen=True)
class Backtest:
    """What a rule would have sent, newest first: {"at", "target": {"id", "name", "provider"} | None, "severity",
    "value", "lasted_seconds" (None: it would still fire)}.

    `omitted`: how many more there were. `evaluated_from`: where the stored history begins. `problem`: why there is
    no answer, a sentence; empty when there is one.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    omitted: int = 0
    evaluated_from: datetime | None = None
    problem: str = ""

    @property
    def count(self) -> int:
        return len(self.messages) + self.omitted


def backtest(rule: Rule, days: int = 7, *, user: User | AnonymousUser | None = None) -> Backtest:
    """Run `rule` (saved or not) over the last `days`, over the targets `user` may see (None: over all).

    Raises nothing for what cannot be answered: that is a `problem`.
    """
    try:
        clean_rule(rule)
    except ValidationError as error:
        return Backtest(problem=" ".join(error.messages))
    kind = RULE_KINDS.get(rule.kind)
    if not kind.keeps_history:
        return Backtest(problem=_("No history of this is stored, so nothing can be said of the past."))
    targets = _visible(targets_of(rule), user)
    if len(targets) > MOST_TARGETS:
        sentence = _("This is about %(count)s targets; a back-test takes at most %(most)s. Narrow it with matchers.")
        return Backtest(problem=sentence % {"count": len(targets), "most": MOST_TARGETS})
    until = database_now()
    since = until - timedelta(days=days)
    try:
        with limited_statements(_SECONDS):
            config = kindconfig.decode(kind.Config, rule.config)
            history = kind.history(config, targets, since=since, until=until) or {}
    except DatabaseError:
        return Backtest(problem=_("This took too long. Choose fewer days, or fewer targets with matchers."))
    told = sorted(_told(rule, history, until), key=lambda pair: pair[1].at, reverse=True)
    shown = told[:MOST_MESSAGES]
    named = Target.objects.select_related("namespace").in_bulk({target for target, _one in shown})
    return Backtest(
        [_message(target, named.get(target), one) for target, one in shown],
        len(told) - len(shown),
        _beginning(history, since),
    )


def _visible(targets: list[UUID], user: User | AnonymousUser | None) -> Collection[UUID]:
    if user is None:
        return targets
    return list(Target.objects.visible_to(user).filter(pk__in=targets).values_list("pk", flat=True))


def _told(rule: Rule, history: History, until: datetime) -> Iterator[tuple[UUID, Firing]]:
    criteria = criteria_of(rule, RULE_KINDS.get(rule.kind))
    for target, points in history.items():
        if target is not None:
            yield from ((target, one) for one in replay(criteria, points, until))


def _beginning(history: History, since: datetime) -> datetime:
    """Where what is stored begins: the first number of all."""
    first = [next((at for at, value in points if value is not None), None) for points in history.values()]
    return max(since, min((at for at in first if at is not None), default=since))


def _message(target: UUID, found: Target | None, one: Firing) -> dict[str, Any]:
    return {
        "at": one.at,
        "target": {
            "id": str(target),
            "name": found.name if found else "",
            "provider": found.provider_brief if found else None,
        },
        "severity": one.severity,
        "value": one.value,
        "lasted_seconds": None if one.ended_at is None else (one.ended_at - one.at).total_seconds(),
    }
