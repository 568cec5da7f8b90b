"""Sending again everything that was given up: as many messages as match, in two statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts.channels.base import MessageType
from apps.alerts.models import Notification
from apps.alerts.policy import ATTEMPTS_ALLOWED
from apps.alerts.tasks import wake
from apps.core import clock
from apps.core.news import News, announce_all

# One call takes so many, the oldest first; the rest is there for the next.
MAX_AT_ONCE = 10_000


@dataclass(frozen=True)
class Replayed:
    """How many are on their way again, and how many that match were left for another call."""

    count: int
    remaining: int


def list_replayable(user: User | AnonymousUser) -> QuerySet[Notification]:
    """What was given up and `user` (an operator there) may send again: through channels that are on.

    Not tests: they tell how a channel was, and are sent anew from its page.
    """
    return (
        Notification.objects.visible_to(user, Role.OPERATOR)
        .filter(state=Notification.State.DEAD, channel__enabled=True, channel__deleted_at__isnull=True)
        .exclude(kind=MessageType.CHANNEL_TEST)
    )


@transaction.atomic
def replay_dead(*, actor: User, rows: QuerySet[Notification], asked: Mapping[str, Any] | None = None) -> Replayed:
    """Send `rows` (narrowed from `list_replayable`) again, each with its id and a whole round of attempts.

    One that somebody else is sending again at this moment is left to them. `asked` is what the audit log keeps.
    """
    oldest = rows.order_by("created_at", "pk").select_for_update(of=("self",), skip_locked=True)
    taken = list(oldest.values_list("pk", "environment_id")[:MAX_AT_ONCE])
    if not taken:
        return Replayed(0, 0)
    Notification.objects.filter(pk__in=[identifier for identifier, _environment in taken]).update(
        state=Notification.State.PENDING,
        reason="",
        finished_at=None,
        lease_until=None,
        attempts_allowed=F("attempts") + ATTEMPTS_ALLOWED,
        not_before=Now(),
    )
    remaining = rows.count() if len(taken) == MAX_AT_ONCE else 0
    changes = {"count": [None, len(taken)], **{name: [None, value] for name, value in (asked or {}).items()}}
    nothing = Notification(id=None, kind="")
    record_audit(actor=actor, action="replay", subject=nothing, changes=changes, name=str(len(taken)))
    at = clock.now()
    # Without ids: "some or all of this type", which is what it is.
    environments = {environment for _identifier, environment in taken}
    announce_all(
        [News(type="notification.pending", ids=(), environment=environment, at=at) for environment in environments]
    )
    transaction.on_commit(wake, robust=True)
    return Replayed(len(taken), remaining)
