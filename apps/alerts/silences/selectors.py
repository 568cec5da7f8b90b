"""Reading silences, and what one would hush; each with a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.alerts.models import Alert, Silence
from apps.catalog.models import Environment, Target

SHOWN = 50


@dataclass(frozen=True)
class Preview:
    """What matchers would hush now: all that match are counted, the first 50 shown."""

    target_count: int
    alert_count: int
    targets: list[Target]
    alerts: list[Alert]


def list_silences(user: User | AnonymousUser) -> QuerySet[Silence]:
    """Silences `user` may read, what ends last first, with environment and author at hand."""
    return Silence.objects.visible_to(user).select_related("environment", "author").order_by("-ends_at", "-pk")


def preview(user: User, matchers: object, environment: Environment | None = None) -> Preview:
    """Targets and open alerts `user` may see that the matchers let through. Raises ValidationError on `matchers`."""
    raise NotImplementedError
