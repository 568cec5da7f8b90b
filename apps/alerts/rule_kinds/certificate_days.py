"""`certificate_days`: how long the first of a target's certificates is still valid."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.utils.translation import gettext as translated
from django.utils.translation import gettext_lazy as _

from apps.alerts.rule_kinds.base import RULE_KINDS, History, Reading, Readings, RuleKind
from apps.alerts.rule_kinds.latency import along_buckets
from apps.checks.readings import get_certificate_days, get_certificate_history, get_check_shapes


class CertificateDaysConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to choose: every https check of the target counts."""


class CertificateDaysKind(RuleKind[CertificateDaysConfig]):
    """Read from what looks over TLS stored: no look of its own."""

    name = "certificate_days"
    label = _("Certificate")
    help_text = _("Days until the first certificate ends that the target's https checks were shown.")
    Config = CertificateDaysConfig
    unit = "d"
    cause = "certificate"
    # One that has ended counts below nothing.
    lowest = -3_650.0
    usual_operator = "<"
    keeps_history = True

    def read(self, config: CertificateDaysConfig, targets: Collection[UUID], *, now: datetime) -> Readings:
        return {target: Reading(round(days, 2)) for target, days in get_certificate_days(targets, now).items()}

    def lookback_seconds(self, config: CertificateDaysConfig) -> float:
        return 3_600.0

    def warnings(self, config: CertificateDaysConfig, targets: Collection[UUID]) -> list[str]:
        if any(shape.is_https for shape in get_check_shapes(targets)):
            return []
        return [translated("None of these targets has a check of an https address, so there is no certificate.")]

    def history(
        self, config: CertificateDaysConfig, targets: Collection[UUID], *, since: datetime, until: datetime
    ) -> History | None:
        width = timedelta(hours=1)
        rows = get_certificate_history(targets, width, start=since, end=until)
        return along_buckets(rows, width, since=since, until=until)


RULE_KINDS.add(CertificateDaysKind.name, CertificateDaysKind())
