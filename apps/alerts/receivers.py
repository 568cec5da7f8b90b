"""What wakes the telling: news of an incident, the doorbell each second, and the broom each minute."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from apps.alerts import selectors, services
from apps.alerts.tasks import wake
from apps.checks.signals import housekeeping, ticked
from apps.core.news import News, published


@receiver(published)
def wake_for_incidents(news: list[News], **_: Any) -> None:
    """Runs after the commit that wrote the outbox rows."""
    if any(entry.type.startswith("incident.") for entry in news):
        wake()


@receiver(ticked)
def wake_for_what_waits(**_: Any) -> None:
    """Whatever a lost message left behind, and every retry that has become due."""
    if selectors.has_waiting():
        wake()


@receiver(housekeeping)
def sweep(**_: Any) -> None:
    services.remove_old_notifications()
    services.purge_deleted_channels()
