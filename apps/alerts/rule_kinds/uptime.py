"""`uptime`: the share of the measured time in which a target was up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.catalog.status import Status
from apps.checks import uptime
from apps.checks.history import TargetHistory, load_histories
from apps.checks.readings import get_uptime_percentages
from apps.core.kindconfig import field

_DAY = 86_400
# A back-test looks at this many moments of each target that was ever down.
_MOMENTS = 336


class UptimeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over how long."""

    window_seconds: Annotated[
        int,
        field(
            _("Over"),
            _("This long until now. Time that nobody measured, and maintenance, count neither way."),
            widget="duration",
            ge=300,
            le=366 * _DAY,
        ),
    ] = _DAY

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.window_seconds)


class UptimeKind(RuleKind[UptimeConfig]):
    """The same arithmetic as on the target's page."""

    name = "uptime"
    label = _("Uptime")
    help_text = _("The share of the measured time in which the target was operational or degraded.")
    Config = UptimeConfig
    unit = "%"
    cause = "uptime"
    highest = 100.0
    usual_operator = "<"
    keeps_history = True

    def read(self, config: UptimeConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        found = get_uptime_percentages(targets, config.window, now)
        return {target: Reading(round(percentage, 4)) for target, percentage in found.items()}

    def lookback_seconds(self, config: UptimeConfig) -> float:
        return float(min(config.window_seconds, 3_600))

    def history(
        self, config: UptimeConfig, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        """At moments evenly spread; a target that was never down needs none of them."""
        step = (until - since) / _MOMENTS
        moments = [since + step * number for number in range(1, _MOMENTS + 1)]
        found: dict[UUID | None, list[tuple[datetime, float | None]]] = {}
        for target, past in load_histories(targets, since - config.window, until).items():
            was_down = Status.OUTAGE in (past.initial, *(change.status for change in past.transitions))
            found[target] = [(at, _at(past, at, config.window)) for at in (moments if was_down else [until])]
        return found


def _at(past: TargetHistory, at: datetime, window: timedelta) -> float | None:
    ratio = uptime.report(past.initial, past.transitions, at - window, at).ratio
    return None if ratio is None else 100.0 * ratio


RULE_KINDS.add(UptimeKind.name, UptimeKind())
