"""`heartbeat`: a program tells us that it ran; silence is what is found out."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.durations import in_words
from apps.core.kindconfig import Text, field
from apps.probes.base import PROBE_KINDS, PushProbeKind
from apps.probes.cron import BadCron, check_cron, zone_names

DAY, HOUR = 86_400, 3_600
YEAR = 365 * DAY


class HeartbeatConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a ping is expected, and how late it may be. A cron expression takes the place of the period."""

    period_seconds: Annotated[
        int,
        field(
            pgettext_lazy("of pings", "Period"),
            _("A ping is expected this long after the one before. A cron expression takes its place."),
            unit=pgettext_lazy("unit", "s"),
            widget="duration",
            ge=1,
            le=YEAR,
        ),
    ] = DAY
    grace_seconds: Annotated[
        int,
        field(
            _("Grace"),
            _("How late a ping may be, and how long a run may take from its start to its end."),
            unit=pgettext_lazy("unit", "s"),
            widget="duration",
            ge=1,
            le=YEAR,
        ),
    ] = HOUR
    cron: Annotated[
        str,
        field(
            _("Cron expression"),
            _("When the program runs: minute, hour, day of the month, month, day of the week. Empty: by period."),
            placeholder="0 2 * * *",
            max_length=100,
        ),
    ] = ""
    timezone: Annotated[
        str,
        field(
            _("Time zone"),
            _("Where the cron expression is at home."),
            placeholder="Europe/Berlin",
            widget="timezone",
            max_length=64,
        ),
    ] = "UTC"

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        errors: dict[str, list[Text]] = {}
        if self.timezone not in zone_names():
            errors["timezone"] = [_("There is no such time zone. Enter a name such as Europe/Berlin, or UTC.")]
        if self.cron.strip():
            try:
                check_cron(self.cron)
            except BadCron as error:
                errors["cron"] = [error.sentence]
        return errors


class HeartbeatKind(PushProbeKind[HeartbeatConfig]):
    """Told by pings. `apps.checks.heartbeats` hears and judges them; there is nothing to look at."""

    name = "heartbeat"
    label = _("Heartbeat")
    summary = _("Waits for a program to say that it ran, and tells when it is late, fails or never ends.")
    Config = HeartbeatConfig
    default_interval_seconds = DAY

    def address(self, config: HeartbeatConfig) -> str:
        grace = in_words(config.grace_seconds)
        if config.cron.strip():
            return translated("%(cron)s (%(timezone)s), %(grace)s of grace") % {
                "cron": config.cron,
                "timezone": config.timezone,
                "grace": grace,
            }
        return translated("every %(period)s, %(grace)s of grace") % {
            "period": in_words(config.period_seconds),
            "grace": grace,
        }


PROBE_KINDS.add("heartbeat", HeartbeatKind())
