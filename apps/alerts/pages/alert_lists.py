"""The list of alerts: what is firing, worst first; filtered and paged in the URL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from apps.accounts.access import Role
from apps.accounts.doors import may
from apps.accounts.models import User
from apps.alerts.looks import Look
from apps.alerts.models import Alert, AlertDecision, AlertSource, Channel, Notification, Severity
from apps.alerts.pages.looks import alert_look
from apps.alerts.pages.sentences import source_name, subject, why
from apps.alerts.reason_words import decision_sentence
from apps.alerts.register.selectors import list_alerts, undelivered_sentence
from apps.catalog.models import Target
from apps.catalog.naming import Name
from apps.core import clock
from apps.core.keyset import Column, Page, page_of

PAGE_SIZE = 50
STATES: list[tuple[str, Any]] = [
    ("firing", pgettext_lazy("alerts", "Firing")),
    ("resolved", pgettext_lazy("alerts", "Resolved")),
    ("all", pgettext_lazy("alerts", "Firing and resolved")),
]
WHO: list[tuple[str, Any]] = [
    ("nobody", gettext_lazy("Not acknowledged")),
    ("somebody", gettext_lazy("Acknowledged")),
]
_RANKS = {Severity.CRITICAL.value: 1, Severity.WARNING.value: 2, Severity.INFO.value: 3}
_ORDER = (
    Column("rank", int),
    Column("started_at", datetime.fromisoformat, descending=True),
    Column("id", UUID, descending=True),
)


@dataclass(frozen=True)
class AlertFilters:
    """What somebody asked for; anything else in the URL is left out. Without a state: what is firing."""

    state: str = "firing"
    severity: str = ""
    who: str = ""
    target: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> AlertFilters:
        state, severity, who = query.get("state", ""), query.get("severity", ""), query.get("who", "")
        return cls(
            state=state if state in dict(STATES) else "firing",
            severity=severity if severity in Severity.values else "",
            who=who if who in dict(WHO) else "",
            target=_uuid(query.get("target", "")),
            cursor=query.get("cursor", ""),
        )

    @property
    def is_active(self) -> bool:
        return bool(self.severity or self.who or self.target or self.state != "firing")

    def query(self, **changes: Any) -> str:
        """The query string with `changes`, from the first page on."""
        changed = replace(self, **changes)
        state = changed.state if changed.state != "firing" else ""
        named = {"state": state, "severity": changed.severity, "who": changed.who, "target": changed.target}
        return urlencode({name: value for name, value in named.items() if value})


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def find(user: User, filters: AlertFilters, environment: UUID | None) -> Page[Alert]:
    """One page: what fires before what is over, the worst first, then the latest. Three queries."""
    severities = [When(resolved_at__isnull=True, severity=name, then=Value(rank)) for name, rank in _RANKS.items()]
    rows = _filtered(user, filters, environment).annotate(
        rank=Case(*severities, default=Value(9), output_field=IntegerField())
    )
    return page_of(rows.prefetch_related("sources__rule"), _ORDER, filters.cursor, PAGE_SIZE)


def _filtered(user: User, filters: AlertFilters, environment: UUID | None) -> QuerySet[Alert]:
    rows = in_scope(list_alerts(user), environment)
    by_state: dict[str, Q] = {"firing": Q(resolved_at__isnull=True), "resolved": Q(resolved_at__isnull=False)}
    by_who: dict[str, Q] = {"nobody": Q(acknowledged_at__isnull=True), "somebody": Q(acknowledged_at__isnull=False)}
    conditions = by_state.get(filters.state, Q()) & by_who.get(filters.who, Q())
    if filters.severity:
        conditions &= Q(severity=filters.severity)
    if filters.target:
        conditions &= Q(target_id=filters.target)
    return rows.filter(conditions)


def in_scope(rows: QuerySet[Alert], environment: UUID | None) -> QuerySet[Alert]:
    """Those of one environment, and the portal's own, which belong to none."""
    if environment is None:
        return rows
    return rows.filter(Q(environment_id=environment) | Q(environment__isnull=True))


def counts(user: User, environment: UUID | None) -> dict[str, int]:
    """How many fire, by severity; `total` in all. One query."""
    rows = in_scope(list_alerts(user), environment).filter(resolved_at__isnull=True)
    names = {name: Count("pk", filter=Q(severity=name)) for name in Severity.values}
    return dict(rows.order_by().aggregate(total=Count("pk"), **names))


def last_resolved(user: User, environment: UUID | None) -> Alert | None:
    """The alert that ended last, for a page on which nothing fires. One query."""
    rows = in_scope(list_alerts(user), environment).filter(resolved_at__isnull=False)
    return rows.order_by(F("resolved_at").desc()).first()


# --- Rows -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """Who was told: to how many channels something was sent, and what keeps others from hearing."""

    channels: int = 0
    holds: list[str] = field(default_factory=list)
    reaches_nobody: bool = False

    @property
    def hold(self) -> str:
        return self.holds[0] if self.holds else ""


@dataclass(frozen=True)
class AlertRow:
    """An alert with everything its row shows."""

    alert: Alert
    look: Look
    subject: Name
    why: str
    sources: list[str]
    told: Told
    lasted: float
    may_acknowledge: bool

    @property
    def more_sources(self) -> int:
        """How many say so besides the first."""
        return max(0, len(self.sources) - 1)


def rows_of(user: User, alerts: Sequence[Alert]) -> list[AlertRow]:
    """`alerts` come from `find`. Two more queries."""
    told = told_of(user, [alert.pk for alert in alerts])
    return [_row(user, alert, told.get(alert.pk, Told())) for alert in alerts]


def _row(user: User, alert: Alert, told: Told) -> AlertRow:
    end = alert.resolved_at or clock.now()
    return AlertRow(
        alert=alert,
        look=alert_look(alert),
        subject=subject(alert),
        why=why(alert),
        sources=[_says_so(source) for source in alert.sources.all()],
        told=told,
        lasted=(end - alert.started_at).total_seconds(),
        may_acknowledge=alert.is_firing
        and alert.acknowledged_at is None
        and may(user, Role.OPERATOR, alert.environment_id),
    )


def _says_so(source: AlertSource) -> str:
    """An incident is called like its target, and that stands beside it already."""
    return str(source.get_kind_display()) if source.kind == AlertSource.Kind.INCIDENT else source_name(source)


def told_of(user: User, alerts: Collection[UUID]) -> dict[UUID, Told]:
    """By alert, over the channels `user` may see. Two queries."""
    if not alerts:
        return {}
    seen = Q(channel__isnull=True) | Q(channel__in=Channel.objects.visible_to(user).order_by().values("pk"))
    decisions = AlertDecision.objects.filter(seen, alert__in=alerts)
    sent: dict[UUID, set[UUID]] = {}
    arrived = Q(notification__isnull=True) | Q(notification__state=Notification.State.SENT)
    told = decisions.filter(arrived, outcome="sent")
    for alert, channel in told.values_list("alert_id", "channel_id").distinct().order_by():
        sent.setdefault(alert, set()).add(channel)
    latest: dict[UUID, list[AlertDecision]] = {}
    newest = (
        decisions.select_related("notification__channel")
        .order_by("alert_id", "channel_id", "-id")
        .distinct("alert_id", "channel_id")
    )
    for decision in newest:
        latest.setdefault(decision.alert_id, []).append(decision)
    return {alert: _told(sent.get(alert, set()), latest.get(alert, [])) for alert in alerts}


def _kept_by(decision: AlertDecision) -> str:
    """What keeps a channel from hearing; "" where it is nothing that holds."""
    if decision.outcome == "held":
        return decision_sentence(decision.outcome, decision.stage, decision.reason, decision.detail)
    return undelivered_sentence(decision.notification) if decision.notification is not None else ""


def _told(sent: Collection[UUID], latest: list[AlertDecision]) -> Told:
    holds = [sentence for decision in latest if decision.channel_id not in sent and (sentence := _kept_by(decision))]
    nobody = not sent and any(decision.reason == "no_channel" for decision in latest)
    return Told(channels=len(sent), holds=list(dict.fromkeys(holds)), reaches_nobody=nobody)


# --- The filter bar ---------------------------------------------------------------------------------------


def filter_fields(filters: AlertFilters) -> list[dict[str, Any]]:
    return [
        # What fires is the list as it is, so its choice is the empty one.
        _select("state", str(dict(STATES)["firing"]), "" if filters.state == "firing" else filters.state, STATES[1:]),
        _select("severity", _("Any severity"), filters.severity, list(Severity.choices)),
        _select("who", _("Acknowledged or not"), filters.who, WHO),
    ]


def _select(name: str, label: str, value: str, choices: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": "select", "value": value, "choices": choices}


def chips_of(user: User, filters: AlertFilters, path: str) -> list[dict[str, str]]:
    """What is in force, each with the list without it. One query when it is narrowed to a target."""
    named = Target.objects.visible_to(user).select_related("namespace")
    target = named.filter(pk=filters.target).first() if filters.target else None
    found = [
        ("state", "firing", _("State"), "" if filters.state == "firing" else str(dict(STATES)[filters.state])),
        ("severity", "", _("Severity"), str(dict(Severity.choices).get(filters.severity, ""))),
        ("who", "", _("Who has it"), str(dict(WHO).get(filters.who, ""))),
        ("target", "", _("Target"), str(target.full_name) if target else filters.target),
    ]
    return [
        {"label": label, "value": value, "url": f"{path}?{filters.query(**{name: without})}"}
        for name, without, label, value in found
        if value
    ]
