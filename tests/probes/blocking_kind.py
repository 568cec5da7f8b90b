"""A probe kind written wrongly: a driver that waits where it should await, and holds everybody's loop meanwhile."""

from __future__ import annotations

import threading

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.probes.base import AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking

NAME = "blocking"


class BlockingConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How long it blocks; None: for good."""

    seconds: float | None = None


class BlockingKind(AsyncProbeKind[BlockingConfig]):
    """Never awaits anything."""

    name = NAME
    label = _("Blocking")
    summary = _("Blocking")
    Config = BlockingConfig

    async def look(self, config: BlockingConfig, looking: Looking) -> Outcome:
        threading.Event().wait(config.seconds)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)
