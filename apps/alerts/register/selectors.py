"""Reading alerts: lists, one with its timeline, and why somebody was not told. A fixed number of queries each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.alerts.models import Alert, AlertEvent, Channel, Route


@dataclass(frozen=True)
class DecisionRow:
    """One thing the pipeline did with an alert, in the reader's language. `sequence`: the step it was about."""

    at: datetime
    outcome: str
    stage: str
    reason: str
    sentence: str
    notification: UUID | None
    sequence: int
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class ChannelStory:
    """What one channel was told of an alert, or why not, oldest first. `channel` None: no channel was reached.

    `told` says whether anything was ever sent to it; `sentence` sums it up.
    """

    channel: Channel | None
    route: Route | None
    told: bool
    sentence: str
    decisions: list[DecisionRow]


def list_alerts(user: User | AnonymousUser) -> QuerySet[Alert]:
    """Alerts `user` may read, newest first, with target, environment and whoever acknowledged at hand."""
    return (
        Alert.objects.visible_to(user)
        .select_related("target", "environment", "acknowledged_by")
        .order_by("-started_at", "-pk")
    )


def get_alert_timeline(alert: Alert) -> list[AlertEvent]:
    """Every step, oldest first, with whoever took it."""
    return list(alert.events.select_related("actor").order_by("sequence"))


def explain(alert: Alert) -> list[ChannelStory]:
    """What each channel was told and what it was not, and why: those of the alert's environment and those of all,
    which whoever may read the alert may read too."""
    raise NotImplementedError
