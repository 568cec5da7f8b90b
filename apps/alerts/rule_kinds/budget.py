"""`budget` and `budget_total`: how much of a month's budget for paid looks is spent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import PORTAL, RULE_KINDS, Reading, Readings, RuleKind
from apps.checks.spending.standing import Standing, load_standings
from apps.core import clock

# A rule counts what is beyond its level, and of a budget the level itself counts: at 80 %, at 100 %.
_AT = 0.001


class BudgetConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class BudgetKind(RuleKind[BudgetConfig]):
    """By provider. Without a cap nothing is nearly spent; a cap of nothing was meant to stop everything."""

    name = "budget"
    label = _("Budget of a provider")
    help_text = _("How much of the month's cap of a provider its paid looks have spent; the level itself counts.")
    Config = BudgetConfig
    unit = "%"
    cause = "budget"

    def read(self, config: BudgetConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        wanted = set(targets)
        standings = load_standings(now.date().replace(day=1))
        return {provider: _reading(standing) for provider, standing in standings.items() if provider in wanted}

    def warnings(self, config: BudgetConfig, targets: Collection[UUID]) -> list[str]:
        standings = load_standings(clock.now().date().replace(day=1))
        if any(standings[target].cap is not None for target in targets if target in standings):
            return []
        return [translated("None of these targets is a provider with a monthly cap; set one under Budgets first.")]


class TotalBudgetKind(RuleKind[BudgetConfig]):
    """All providers together."""

    name = "budget_total"
    label = _("Budget of all providers")
    help_text = _("How much of the month's cap of all providers together is spent; the level itself counts.")
    Config = BudgetConfig
    unit = "%"
    per_target = False
    cause = "budget_total"

    def read(self, config: BudgetConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        return {PORTAL: _reading(load_standings(now.date().replace(day=1))[None])}


def _reading(standing: Standing) -> Reading:
    if not standing.cap:
        # No number at all would keep what was said of a cap that was lifted since.
        return Reading(0.0)
    share = 100.0 * float(standing.share or 0.0)
    if standing.word == "spent":
        # What is left is too little for a look: that is the end of it, though not to the cent.
        share = max(share, 100.0)
    return Reading(round(share, 2) + _AT, {"spent": str(standing.spent), "cap": str(standing.cap)})


RULE_KINDS.add(BudgetKind.name, BudgetKind())
RULE_KINDS.add(TotalBudgetKind.name, TotalBudgetKind())
