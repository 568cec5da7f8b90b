"""`check_failed`: one of a target's checks of some kinds failed, whatever that means for the target's status."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.checks.readings import get_check_shapes, get_verdict_history, get_verdicts
from apps.core.kindconfig import Text, field
from apps.probes.base import PROBE_KINDS

# What the portal watches of itself from its first start on; see `checks.self_watch`.
PORTAL_PARTS: dict[str, Text] = {
    "web": _("Web process"),
    "postgresql": "PostgreSQL",
    "valkey": "Valkey",
    "worker": _("Worker"),
}


class CheckFailedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which checks count: those of a kind, or of a part of the portal itself. Neither: all of them."""

    check_kinds: Annotated[
        list[str],
        field(
            _("Kinds of check"),
            _("Nothing here and no part of the portal: every check."),
            choices=dict(PROBE_KINDS.choices()),
            max_length=40,
        ),
    ] = []
    portal_parts: Annotated[
        list[str],
        field(
            _("Parts of the portal"),
            _("Checks by which the portal watches itself."),
            choices=PORTAL_PARTS,
            max_length=10,
        ),
    ] = []

    def check(self) -> dict[str, list[Text]]:
        errors: dict[str, list[Text]] = {}
        if not set(self.check_kinds) <= set(PROBE_KINDS.names()):
            known = ", ".join(PROBE_KINDS.names())
            errors["check_kinds"] = [_("List some of: %(known)s.") % {"known": known}]
        if not set(self.portal_parts) <= set(PORTAL_PARTS):
            errors["portal_parts"] = [_("List some of: %(known)s.") % {"known": ", ".join(PORTAL_PARTS)}]
        return errors


class CheckFailedKind(RuleKind[CheckFailedConfig]):
    """Also of checks that are left out of the status. One alert with the target's incident."""

    name = "check_failed"
    label = _("Failed check")
    help_text = _("A check of one of these kinds has failed as often as it takes, in as many regions as it takes.")
    Config = CheckFailedConfig
    has_levels = False
    cause = "status"
    keeps_history = True

    def read(self, config: CheckFailedConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        found = get_verdicts(targets, config.check_kinds, config.portal_parts)
        return {
            target: Reading(
                1.0 if verdict.failed else 0.0,
                {"checks": list(verdict.failed[:10]), "reason": verdict.reason} if verdict.failed else {},
            )
            for target, verdict in found.items()
        }

    def warnings(self, config: CheckFailedConfig, targets: Collection[UUID]) -> list[str]:
        every = not config.check_kinds and not config.portal_parts
        if any(
            every or shape.kind in config.check_kinds or shape.portal_part in config.portal_parts
            for shape in get_check_shapes(targets)
        ):
            return []
        return [translated("None of these targets has such a check that is switched on, so the rule cannot fire.")]

    def history(
        self, config: CheckFailedConfig, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        """As far as it became an outage of the target: checks have no history of verdicts of their own."""
        found: dict[UUID | None, list[tuple[datetime, float | None]]] = {}
        rows = get_verdict_history(targets, config.check_kinds, config.portal_parts, since, until)
        for target, at, failed in rows:
            found.setdefault(target, []).append((at, 1.0 if failed else 0.0))
        return found


RULE_KINDS.add(CheckFailedKind.name, CheckFailedKind())
