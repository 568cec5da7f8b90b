"""Alerts that say the same of one provider: its key, its account or its address fails for all its models at once.

One of them is told for all: the provider's own, if it has one within a minute, else the first. The others are held by
`stages.inhibit` for as long as it fires.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.alerts.matching import Label
from apps.alerts.models import Alert
from apps.alerts.stages.context import KinFacts
from apps.alerts.stages.inhibit import PARENT_WAIT
from apps.catalog.models import TargetKind
from apps.core import statements
from apps.probes.ai.classes import ErrorClass

# What all models of a provider share. An overload or a server error may be that of one model alone.
SHARED = frozenset(
    {
        ErrorClass.INVALID_KEY.value,
        ErrorClass.QUOTA.value,
        ErrorClass.BILLING.value,
        ErrorClass.NETWORK.value,
        ErrorClass.CONNECT_TIMEOUT.value,
    }
)
# A paid look that is refused is repeated within an hour: so long may it take until the last of them knows that it is
# over.
_NOT_YET_KNOWN = timedelta(minutes=65)
# Held by what is no business of the others: it is not told, so it is not told for them.
_OWN_HOLDS = ("held in_maintenance", "held silenced", "held parent_down", "held higher_severity")
_SEVERITIES = {"critical": 0, "warning": 1, "info": 2}

# What two alerts have in common: the provider, and the class of error.
Common = tuple[UUID, str]
# The kin of an alert for one channel, by (channel, alert).
Kin = Mapping[tuple[UUID, UUID], tuple[KinFacts, ...]]

_FIRING = """
    SELECT g.channel_id, a.id, coalesce(t.namespace, t.id), a.labels->>'error_class', t.name, t.kind, a.started_at,
           a.severity, m.told_state, m.decided
    FROM catalog_target t
    JOIN alerts_alert a ON a.target_id = t.id AND a.resolved_at IS NULL AND a.cause = 'status'
    JOIN alerts_groupmember m ON m.alert_id = a.id
    JOIN alerts_alertgroup g ON g.id = m.group_id AND g.channel_id = ANY(%(channels)s)
    WHERE (t.id = ANY(%(providers)s) OR t.kind = 'model' AND t.namespace = ANY(%(providers)s))
      AND a.labels->>'error_class' = ANY(%(shared)s)
"""
_OVER = """
    SELECT a.id, coalesce(t.namespace, t.id), a.labels->>'error_class', t.name, a.started_at, a.resolved_at
    FROM catalog_target t JOIN alerts_alert a ON a.target_id = t.id AND a.cause = 'status'
    WHERE (t.id = ANY(%(providers)s) OR t.kind = 'model' AND t.namespace = ANY(%(providers)s))
      AND a.resolved_at > %(since)s AND a.labels->>'error_class' = ANY(%(shared)s)
    ORDER BY a.resolved_at DESC
"""


@dataclass(frozen=True)
class _Firing:
    """One firing alert as one channel knows it."""

    channel: UUID
    alert: UUID
    provider: UUID
    error_class: str
    name: str
    kind: str
    started_at: datetime
    severity: str
    told_state: str
    decided: str

    @property
    def order(self) -> tuple[bool, datetime, UUID]:
        """The first is told for all: what was told already, then the provider's own, then what began first."""
        ahead = PARENT_WAIT if self.kind == TargetKind.PROVIDER else timedelta(0)
        return (not self.told_state, self.started_at - ahead, self.alert)

    @property
    def speaks(self) -> bool:
        return not self.decided.startswith(_OWN_HOLDS)


def load_kin(alerts: Collection[Alert], channels: Collection[UUID], now: datetime) -> Kin:
    """What each of these alerts has in common with others, by channel: at most two queries, none where none can."""
    concerned = [alert for alert in alerts if is_shared(alert)]
    if not concerned:
        return {}
    providers = list({_provider(alert) for alert in concerned})
    parameters: dict[str, Any] = {"providers": providers, "channels": list(channels), "shared": sorted(SHARED)}
    firing = sorted((_Firing(*row) for row in statements.run(_FIRING, parameters)), key=lambda one: one.order)
    speaking: dict[tuple[UUID, Common], list[_Firing]] = defaultdict(list)
    for one in firing:
        if one.speaks:
            speaking[one.channel, (one.provider, one.error_class)].append(one)
    over = _load_over({**parameters, "since": now - _NOT_YET_KNOWN})
    of_alerts = {alert.pk: alert for alert in concerned}
    found: dict[tuple[UUID, UUID], tuple[KinFacts, ...]] = {}
    for own in firing:
        alert = of_alerts.get(own.alert)
        if alert is not None:
            common = (own.provider, own.error_class)
            kin = (_first(own, speaking[own.channel, common]), _last_over(alert, over.get(common, ())))
            found[own.channel, own.alert] = tuple(one for one in kin if one is not None)
    return found


@dataclass(frozen=True)
class _Over:
    """One that was over a while ago."""

    began: datetime
    ended: datetime
    kin: KinFacts


def _load_over(parameters: dict[str, Any]) -> dict[Common, list[_Over]]:
    """The last one first."""
    found: dict[Common, list[_Over]] = defaultdict(list)
    for alert, provider, error_class, name, began, ended in statements.run(_OVER, parameters):
        found[provider, error_class].append(_Over(began, ended, KinFacts(alert, name, ended)))
    return found


def is_shared(alert: Alert) -> bool:
    """Whether it may be that of all the provider's models. `alert` has its target at hand."""
    return (
        alert.cause == "status"
        and alert.target is not None
        and alert.target.kind in (TargetKind.PROVIDER, TargetKind.MODEL)
        and alert.labels.get(Label.ERROR_CLASS.value) in SHARED
    )


def _provider(alert: Alert) -> UUID:
    assert alert.target is not None  # noqa: S101 - `is_shared` looked
    return alert.target.namespace_id or alert.target.pk


def _first(own: _Firing, speaking: Iterable[_Firing]) -> KinFacts | None:
    """The one that is told for `own`, which is as bad at least; `speaking` are in order."""
    for one in speaking:
        if one.order >= own.order:
            return None
        if _SEVERITIES[one.severity] <= _SEVERITIES[own.severity]:
            return KinFacts(one.alert, one.name)
    return None


def _last_over(alert: Alert, over: Iterable[_Over]) -> KinFacts | None:
    """The last that began before it and ended while it went on."""
    return next((one.kin for one in over if one.began <= alert.started_at < one.ended), None)
