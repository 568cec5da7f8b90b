"""`ai_errors`: how many of the looks at a model end with some classes of error, whatever its status makes of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, Reading, Readings, RuleKind
from apps.checks.ai.rungs import model_kinds
from apps.checks.readings import get_check_shapes, get_shares_of_reasons
from apps.core.kindconfig import Text, field
from apps.probes.ai.classes import ErrorClass, Fault, reasons_of


class AiErrorsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which errors count, over how long, and out of how many looks at least."""

    window_seconds: Annotated[
        int, field(_("Over"), _("The looks of this long until now."), widget="duration", ge=60, le=86_400)
    ] = 3_600
    faults: Annotated[
        list[str],
        field(
            _("Whose fault"),
            _("Nothing here and no class of error: every error."),
            choices={fault.value: fault.label for fault in Fault},
            max_length=10,
        ),
    ] = []
    error_classes: Annotated[
        list[str],
        field(
            _("Classes of error"),
            _("Those ticked count, whosever fault they are."),
            choices={found.value: found.label for found in ErrorClass},
            max_length=40,
        ),
    ] = []
    least_looks: Annotated[
        int,
        field(_("Least looks"), _("With fewer in the window there is no data."), ge=1, le=10_000),
    ] = 3

    def check(self) -> dict[str, list[Text]]:
        errors: dict[str, list[Text]] = {}
        for name, given, known in (("faults", self.faults, Fault), ("error_classes", self.error_classes, ErrorClass)):
            values = [entry.value for entry in known]
            if not set(given) <= set(values):
                errors[name] = [_("List some of: %(known)s.") % {"known": ", ".join(values)}]
        return errors

    def reasons(self) -> list[str]:
        """The reasons of looks that count."""
        return reasons_of(self.error_classes, self.faults)


class AiErrorsKind(RuleKind[AiErrorsConfig]):
    """Of a model, and of a provider whose list is read. The commonest reason is that of the alert."""

    name = "ai_errors"
    label = _("Errors of a model")
    help_text = _("How many of the looks at a model ended with one of these errors, over a window.")
    Config = AiErrorsConfig
    unit = "%"
    cause = "ai_errors"
    highest = 100.0

    def read(self, config: AiErrorsConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        window = timedelta(seconds=config.window_seconds)
        shares = get_shares_of_reasons(targets, config.reasons(), model_kinds(), window, now)
        return {
            target: Reading(
                round(100.0 * share.counted / share.looks, 1),
                {"looks": share.looks, "reason": share.commonest} if share.counted else {"looks": share.looks},
            )
            for target, share in shares.items()
            if share.looks >= config.least_looks
        }

    def lookback_seconds(self, config: AiErrorsConfig) -> float:
        return float(config.window_seconds)

    def warnings(self, config: AiErrorsConfig, targets: Collection[UUID]) -> list[str]:
        kinds = model_kinds()
        looks = sum(
            config.window_seconds / shape.interval_seconds for shape in get_check_shapes(targets) if shape.kind in kinds
        )
        if not looks:
            return [translated("None of these targets is a model or a provider with a check that is switched on.")]
        if looks < config.least_looks:
            return [translated("There are fewer looks in this window than the least, so there is no data.")]
        return []


RULE_KINDS.add(AiErrorsKind.name, AiErrorsKind())
