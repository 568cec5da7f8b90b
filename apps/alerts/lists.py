"""The list of notifications: filtered and paged in the URL, so that it can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.alerts.channels.base import MESSAGE_TYPE_CHOICES, REASON_CHOICES, DeliveryReason, MessageType
from apps.alerts.models import Alert, Channel, Notification, NotificationAttempt
from apps.alerts.pages.sentences import subject
from apps.alerts.register.selectors import list_alerts
from apps.alerts.selectors import list_channels, list_notifications
from apps.catalog.naming import Name
from apps.checks.models import Incident
from apps.core import clock
from apps.core.keyset import Column, Page, page_of

_Row = TypeVar("_Row", bound=Model)
PAGE_SIZE = 50
CHANNELS_OFFERED = 200
_ORDER = (Column("created_at", datetime.fromisoformat, descending=True), Column("id", UUID, descending=True))
TIMES: dict[str, tuple[Any, timedelta]] = {
    "1h": (gettext_lazy("Last hour"), timedelta(hours=1)),
    "24h": (gettext_lazy("Last 24 hours"), timedelta(hours=24)),
    "7d": (gettext_lazy("Last 7 days"), timedelta(days=7)),
    "30d": (gettext_lazy("Last 30 days"), timedelta(days=30)),
}


@dataclass(frozen=True)
class NotificationFilters:
    """What somebody asked for; anything else in the URL is left out. `channel`, `incident` and `alert` are ids."""

    state: str = ""
    channel: str = ""
    kind: str = ""
    reason: str = ""
    within: str = ""
    incident: str = ""
    alert: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> NotificationFilters:
        def one_of(name: str, known: Any) -> str:
            value = query.get(name, "")
            return value if value in known else ""

        return cls(
            state=one_of("state", Notification.State.values),
            channel=_uuid(query.get("channel", "")),
            kind=one_of("kind", dict(MESSAGE_TYPE_CHOICES)),
            reason=one_of("reason", dict(REASON_CHOICES)),
            within=one_of("within", TIMES),
            incident=_uuid(query.get("incident", "")),
            alert=_uuid(query.get("alert", "")),
            cursor=query.get("cursor", ""),
        )

    @property
    def named(self) -> dict[str, str]:
        """What is in force, by the name it has in the URL."""
        return {name: value for name, value in asdict(self).items() if value and name != "cursor"}

    @property
    def is_active(self) -> bool:
        return bool(self.named)

    def query(self, **changes: Any) -> str:
        """The query string with `changes`, from the first page on."""
        return urlencode(replace(self, **changes).named)

    def conditions(self, environment: UUID | None) -> dict[str, Any]:
        """As `narrow` takes them."""
        conditions: dict[str, Any] = {**self.named, "environment": environment}
        if within := conditions.pop("within", ""):
            conditions["created_after"] = clock.now() - TIMES[within][1]
        return conditions


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


_LOOKUPS = {
    "state": "state",
    "channel": "channel_id",
    "kind": "kind",
    "reason": "reason",
    "incident": "incident_id",
    "environment": "environment",
    "created_after": "created_at__gte",
    "created_before": "created_at__lt",
}


def narrow(rows: QuerySet[Notification], conditions: Mapping[str, Any]) -> QuerySet[Notification]:
    """`rows` that fit: state, channel, kind, reason, incident, alert, environment, created_after, created_before.

    An empty condition is none.
    """
    wanted = {_LOOKUPS[name]: value for name, value in conditions.items() if value and name in _LOOKUPS}
    return telling_of(rows.filter(**wanted), conditions.get("alert"))


def telling_of(rows: QuerySet[Notification], alert: Any) -> QuerySet[Notification]:
    """Those that told of one alert (its id), alone or with others; all of them without one."""
    if not alert:
        return rows
    told = Notification.alerts.through.objects.filter(alert_id=alert)
    return rows.filter(pk__in=told.values("notification_id"))


def with_story(rows: QuerySet[Notification]) -> QuerySet[Notification]:
    """Without the message, and with what a row says: `last_at`, `last_ms` and `last_status` of the newest attempt;
    `alert_count`, and `alert_id`, `alert_name` and `alert_provider` of the first alert it tells of."""
    last = NotificationAttempt.objects.filter(notification=OuterRef("pk")).order_by("-number")
    told: QuerySet[Any] = Notification.alerts.through.objects.filter(notification_id=OuterRef("pk")).order_by()
    number = told.values("notification_id").annotate(number=Count("pk")).values("number")
    name = Coalesce("target__name", KT("labels__target"), output_field=TextField())
    first = Alert.objects.filter(notifications=OuterRef("pk")).order_by("pk").annotate(name=name)
    return rows.defer("payload").annotate(
        last_at=Subquery(last.values("at")[:1]),
        last_ms=Subquery(last.values("duration_ms")[:1]),
        last_status=Subquery(last.values("status_code")[:1]),
        last_reason=Subquery(last.values("reason")[:1]),
        alert_count=Coalesce(Subquery(number, output_field=IntegerField()), 0),
        alert_id=Subquery(first.values("pk")[:1]),
        alert_name=Subquery(first.values("name")[:1]),
        alert_provider=Subquery(first.values("target__namespace__name")[:1]),
    )


def find(user: User, filters: NotificationFilters, environment: UUID | None) -> Page[Notification]:
    """One page, newest first. One query."""
    rows = narrow(list_notifications(user), filters.conditions(environment))
    return page_of(with_story(rows), _ORDER, filters.cursor, PAGE_SIZE)


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
    times = [(name, label) for name, (label, _span) in TIMES.items()]
    return [
        _select("state", _("Any state"), filters.state, list(Notification.State.choices)),
        _select("channel", _("Any channel"), filters.channel, channels),
        _select("kind", _("Any message"), filters.kind, MESSAGE_TYPE_CHOICES),
        _select("reason", _("Any reason"), filters.reason, REASON_CHOICES),
        _select("within", _("Any time"), filters.within, times),
    ]


def _select(name: str, label: str, value: str, choices: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": "select", "value": value, "choices": choices}


def chips_of(user: User, filters: NotificationFilters, path: str) -> list[dict[str, str]]:
    """What is in force, each with the list without it. At most three queries, for names."""
    words = {
        "state": (_("State"), str(Notification.State(filters.state).label) if filters.state else ""),
        "channel": (_("Channel"), _name_of(Channel.objects.visible_to(user), filters.channel)),
        "kind": (_("Message"), MessageType(filters.kind).label if filters.kind else ""),
        "reason": (_("Reason"), DeliveryReason(filters.reason).label if filters.reason else ""),
        "within": (_("Time"), str(TIMES[filters.within][0]) if filters.within else ""),
        "incident": (_("Incident"), _name_of(_incidents(user), filters.incident, _incident_name)),
        "alert": (_("Alert"), _name_of(list_alerts(user), filters.alert, subject)),
    }
    return [
        {"label": label, "value": value, "url": f"{path}?{filters.query(**{name: ''})}"}
        for name, (label, value) in words.items()
        if value
    ]


def _incidents(user: User) -> QuerySet[Incident]:
    return Incident.objects.visible_to(user).select_related("target__namespace")


def _incident_name(incident: Incident) -> Name:
    return incident.target.full_name


def _name_of(rows: QuerySet[_Row], identifier: str, name: Callable[[_Row], object] = str) -> str:
    if not identifier:
        return ""
    found = rows.filter(pk=identifier).first()
    return str(name(found)) if found is not None else identifier
