"""Reading channels and notifications, each with a fixed number of queries."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, OuterRef, Prefetch, QuerySet, Subquery

from apps.accounts.models import User
from apps.alerts.claims import anything_to_send
from apps.alerts.models import Alert, Channel, Notification, NotificationAttempt
from apps.core import statements

TOLD_SHOWN = 50

_ANY_UNROUTED = """
    SELECT EXISTS (SELECT 1 FROM checks_incidentevent WHERE routed_at IS NULL)
        OR EXISTS (SELECT 1 FROM alerts_alertevent WHERE routed_at IS NULL)
        OR EXISTS (
            SELECT 1 FROM alerts_alertgroup g JOIN alerts_channel c ON c.id = g.channel_id
            WHERE g.due_at <= statement_timestamp() AND c.enabled AND c.deleted_at IS NULL
        )
        OR EXISTS (SELECT 1 FROM checks_statechange WHERE routed_at IS NULL)
"""


def has_waiting() -> bool:
    """Whether anything is to be routed or sent now: a few index look-ups, asked once a second."""
    return statements.run(_ANY_UNROUTED) == [(True,)] or anything_to_send()


def list_channels(user: User | AnonymousUser) -> QuerySet[Channel]:
    """Channels `user` may read, by name, each with its last delivery (`last_id`, `last_state`, …).

    The last one `user` may read: a channel without an environment also tells of those that are not theirs.
    """
    last = Notification.objects.visible_to(user).filter(channel=OuterRef("pk")).order_by("-created_at")
    return (
        Channel.objects.present()
        .visible_to(user)
        .select_related("environment")
        .annotate(
            last_id=Subquery(last.values("pk")[:1]),
            last_state=Subquery(last.values("state")[:1]),
            last_attempts=Subquery(last.values("attempts")[:1]),
            last_reason=Subquery(last.values("reason")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
        .order_by("name")
    )


def list_notifications(user: User | AnonymousUser) -> QuerySet[Notification]:
    """Notifications `user` may read, newest first, with channel, environment, incident and target at hand."""
    return (
        Notification.objects.visible_to(user)
        .select_related("channel", "environment", "incident__target__namespace")
        .order_by(F("created_at").desc(), "-id")
    )


def with_attempts(notifications: QuerySet[Notification]) -> QuerySet[Notification]:
    """The same, with every attempt (one more query)."""
    return notifications.prefetch_related(
        Prefetch("attempt_rows", queryset=NotificationAttempt.objects.order_by("number"))
    )


def list_told(user: User | AnonymousUser, notification: Notification) -> list[Alert]:
    """The alerts a message tells of, among those `user` may read: the first 50, with their targets. One query."""
    rows = Alert.objects.visible_to(user).filter(notifications=notification)
    related = ("target__namespace", "environment", "acknowledged_by")
    return list(rows.select_related(*related).order_by("started_at", "pk")[:TOLD_SHOWN])
