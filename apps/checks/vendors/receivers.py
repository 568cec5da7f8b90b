"""What follows a vendor's page when its provider changes, and what is tidied up once a minute."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from apps.accounts.models import User
from apps.catalog.models import Provider
from apps.catalog.signals import components_wanted, provider_changed
from apps.checks.signals import housekeeping
from apps.checks.vendors import pages, retention, selectors, services
from apps.core import clock

_CONCERNS = frozenset({"status_page_url", "status_components"})


@receiver(provider_changed)
def follow(provider: Provider, fields: frozenset[str], actor: User | None = None, **_: Any) -> None:
    if fields & _CONCERNS:
        services.follow_page(provider, actor)


@receiver(components_wanted)
def name_components(provider: Provider, **_: Any) -> list[str]:
    return selectors.component_names(provider.pk)


@receiver(housekeeping)
def tidy(**_: Any) -> None:
    now = clock.now()
    pages.mark_silent(now)
    retention.purge(now)
