"""News on commit: what changed, never how it looks. The only way a lower layer is heard by a higher one in-process.

A service calls `announce` inside its transaction; when it commits, everything announced in it is sent as one
`published` signal with a list of `News`. Nothing is lost if no one listens or a listener fails: facts that must be
acted on are outbox rows, and news merely wakes whoever claims them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from django.db import transaction
from django.dispatch import Signal

from apps.core import clock

logger = structlog.get_logger(__name__)

# Sent after commit with `news: list[News]`. Receivers must be quick and may fail; failures are logged.
published = Signal()


@dataclass(frozen=True)
class News:
    """`type` such as "target.status" or "incident.opened"; `environment` None means all of them."""

    type: str
    ids: tuple[UUID, ...]
    environment: UUID | None
    at: datetime


def announce(type: str, ids: Iterable[UUID], environment: UUID | None) -> None:
    """Tell listeners, once the present transaction commits (at once when there is none)."""
    announce_all([News(type=type, ids=tuple(ids), environment=environment, at=clock.now())])


def announce_all(news: list[News]) -> None:
    if news:
        transaction.on_commit(lambda: _publish(news), robust=True)


def _publish(news: list[News]) -> None:
    for receiver, answer in published.send_robust(sender=News, news=news):
        if isinstance(answer, Exception):
            logger.warning("news_listener_failed", listener=getattr(receiver, "__qualname__", ""), error=repr(answer))
