"""`status`: a target is in one of some statuses, unknown among them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.catalog.status import STATUS_CHOICES, Status
from apps.checks.history import load_histories
from apps.checks.readings import get_statuses
from apps.core.kindconfig import Text, field


class StatusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The statuses that count."""

    statuses: Annotated[
        list[str],
        field(
            _("Statuses"),
            _("One or more of operational, degraded, outage, unknown and maintenance."),
            choices=dict(STATUS_CHOICES),
            max_length=5,
        ),
    ] = msgspec.field(default_factory=lambda: [Status.OUTAGE.value])

    def check(self) -> dict[str, list[Text]]:
        known = [status.value for status in Status]
        if not self.statuses or not set(self.statuses) <= set(known):
            return {"statuses": [_("List one or more of: %(known)s.") % {"known": ", ".join(known)}]}
        return {}


class StatusKind(RuleKind[StatusConfig]):
    """One alert with the target's incident: an incident that is open already gets the rule's severity."""

    name = "status"
    label = _("Status")
    help_text = _("The target is in one of these statuses. Unknown means that nobody measured it, for whatever reason.")
    Config = StatusConfig
    has_levels = False
    cause = "status"
    keeps_history = True

    def read(self, config: StatusConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        return {
            target: Reading(
                1.0 if found.status in config.statuses else 0.0,
                {"status": found.status, "reason": found.reason},
                unmeasured=found.status == Status.UNKNOWN,
            )
            for target, found in get_statuses(targets).items()
        }

    def history(
        self, config: StatusConfig, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        wanted = {Status(name) for name in config.statuses}
        found: dict[UUID | None, list[tuple[datetime, float | None]]] = {}
        for target, past in load_histories(targets, since, until).items():
            steps = [(since, past.initial), *((step.at, step.status) for step in past.transitions)]
            found[target] = [(at, 1.0 if status in wanted else 0.0) for at, status in steps]
        return found


RULE_KINDS.add(StatusKind.name, StatusKind())
