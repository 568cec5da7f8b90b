"""What wakes the telling: news of an incident, the doorbell each second, and the broom each minute."""

from __future__ import annotations

import time
from typing import Any

from django.dispatch import receiver

from apps.alerts import selectors, services
from apps.alerts.pipeline.enrolment import remove_empty_groups
from apps.alerts.register.services import remove_old_alerts
from apps.alerts.ruling.services import purge_deleted_rules
from apps.alerts.silences.services import remove_old_silences
from apps.alerts.tasks import wake, wake_judge
from apps.checks.signals import housekeeping, ticked
from apps.core.news import News, published

# How often rules are evaluated and channels looked at.
JUDGE_EVERY_SECONDS = 15

_judged_at = float("-inf")


@receiver(published)
def wake_for_incidents(news: list[News], **_: Any) -> None:
    """Runs after the commit that wrote the outbox rows."""
    if any(entry.type.startswith(("incident.", "silence.")) for entry in news):
        wake()


@receiver(ticked)
def wake_for_what_waits(**_: Any) -> None:
    """Whatever a lost message left behind, and every retry that has become due."""
    if selectors.has_waiting():
        wake()


@receiver(ticked)
def judge_now_and_then(**_: Any) -> None:
    """Rules look at numbers over minutes: a rhythm of its own is enough."""
    global _judged_at  # noqa: PLW0603 - one rhythm a process
    if time.monotonic() - _judged_at >= JUDGE_EVERY_SECONDS:
        _judged_at = time.monotonic()
        wake_judge()


@receiver(housekeeping)
def sweep(**_: Any) -> None:
    services.remove_old_notifications()
    services.purge_deleted_channels()
    remove_old_alerts()
    remove_empty_groups()
    remove_old_silences()
    purge_deleted_rules()
