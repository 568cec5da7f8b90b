"""The list of notifications: filtered and paged in the URL, so that it can be sent to a colleague."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts.channels.base import MESSAGE_TYPE_CHOICES, MessageType
from apps.alerts.models import Channel, Notification
from apps.alerts.selectors import list_channels, list_notifications
from apps.checks.models import Incident
from apps.core.keyset import Column, Page, page_of

PAGE_SIZE = 50
CHANNELS_OFFERED = 200
_ORDER = (Column("created_at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))


@dataclass(frozen=True)
class NotificationFilters:
    """What somebody asked for; anything else in the URL is left out. `channel` and `incident` are ids."""

    state: str = ""
    kind: str = ""
    channel: str = ""
    incident: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> NotificationFilters:
        state, kind = query.get("state", ""), query.get("kind", "")
        return cls(
            state=state if state in Notification.State.values else "",
            kind=kind if kind in dict(MESSAGE_TYPE_CHOICES) else "",
            channel=_uuid(query.get("channel", "")),
            incident=_uuid(query.get("incident", "")),
            cursor=query.get("cursor", ""),
        )

    @property
    def is_active(self) -> bool:
        return bool(self.state or self.kind or self.channel or self.incident)

    def query(self, **changes: Any) -> str:
        """The query string with `changes`, from the first page on."""
        changed = replace(self, **changes)
        named = {"state": changed.state, "kind": changed.kind, "channel": changed.channel, "incident": changed.incident}
        return urlencode({name: value for name, value in named.items() if value})


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def find(user: User, filters: NotificationFilters, environment: UUID | None) -> Page[Notification]:
    """One page, newest first. One query."""
    rows = list_notifications(user)
    conditions: dict[str, Any] = {
        "state": filters.state,
        "kind": filters.kind,
        "channel_id": filters.channel,
        "incident_id": filters.incident,
        "environment_id": environment,
    }
    rows = rows.filter(**{name: value for name, value in conditions.items() if value})
    return page_of(rows, _ORDER, filters.cursor, PAGE_SIZE)


def channels_in(user: User, environment: UUID | None) -> QuerySet[Channel]:
    """The channels that hear of an environment (None: of any), those of all environments among them."""
    rows = list_channels(user)
    if environment is None:
        return rows
    return rows.filter(Q(environment_id=environment) | Q(environment__isnull=True))


def filter_fields(user: User, filters: NotificationFilters, environment: UUID | None) -> list[dict[str, Any]]:
    """The selects of the filter bar. One query."""
    channels = [
        (str(identifier), name)
        for identifier, name in Channel.objects.filter(
            pk__in=channels_in(user, environment).order_by().values("pk")
        ).values_list("pk", "name")[:CHANNELS_OFFERED]
    ]
    return [
        _select("state", _("Any state"), filters.state, list(Notification.State.choices)),
        _select("channel", _("Any channel"), filters.channel, channels),
        _select("kind", _("Any message"), filters.kind, MESSAGE_TYPE_CHOICES),
    ]


def _select(name: str, label: str, value: str, choices: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": "select", "value": value, "choices": choices}


def chips_of(user: User, filters: NotificationFilters, path: str) -> list[dict[str, str]]:
    """What is in force, each with the list without it. At most two queries, for names."""
    words = {
        "state": (_("State"), str(Notification.State(filters.state).label) if filters.state else ""),
        "channel": (_("Channel"), _name_of(Channel.objects.visible_to(user), filters.channel)),
        "kind": (_("Message"), MessageType(filters.kind).label if filters.kind else ""),
        "incident": (_("Incident"), _name_of(_incidents(user), filters.incident)),
    }
    return [
        {"label": label, "value": value, "url": f"{path}?{filters.query(**{name: ''})}"}
        for name, (label, value) in words.items()
        if value
    ]


def _incidents(user: User) -> QuerySet[Incident]:
    return Incident.objects.visible_to(user).select_related("target")


def _name_of(rows: QuerySet[Any], identifier: str) -> str:
    if not identifier:
        return ""
    found = rows.filter(pk=identifier).first()
    return str(found) if found is not None else identifier
