"""Alerts that say the same of one provider: its key, its account or its address fails for all its models at once.

One of them is told for all: the provider's own, if it has one within a minute, else the first. The others are held by
`stages.inhibit` for as long as it fires.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.alerts.matching import Label
from apps.alerts.models import Alert
from apps.alerts.stages.context import KinFacts, RoutingReason, SilenceFacts
from apps.alerts.stages.inhibit import PARENT_WAIT
from apps.alerts.stages.silence import hushes
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
# Held by what is no business of the others: it is not told, so it is not told for them. Silences and maintenance are
# looked at anew; these two are known from the last look.
_OWN_HOLDS = ("held parent_down", "held higher_severity")
_WAITED = f"held {RoutingReason.SAME_CAUSE} "
_RANKS = {"critical": 0, "warning": 1, "info": 2}

# What two alerts have in common: the provider, and the class of error.
Common = tuple[UUID, str]

_FIRING = """
    SELECT g.channel_id, a.id, coalesce(t.namespace, t.id), a.labels->>'error_class', t.name, t.kind,
           a.started_at + make_interval(secs => a.hold_seconds), a.severity, m.told_state, m.decided,
           t.enabled AND t.deleted_at IS NULL AND coalesce(s.status, 'unknown') NOT IN ('unknown', 'maintenance'),
           coalesce(s.status = 'maintenance', false), a.environment_id,
           CASE WHEN %(hushing)s THEN a.labels::text ELSE '{}' END
    FROM catalog_target t
    LEFT JOIN catalog_targetstatus s ON s.target_id = t.id
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
class Kin:
    """By (channel, alert): what that channel is told instead, and for how many models besides its own an alert is
    told."""

    told_instead: Mapping[tuple[UUID, UUID], tuple[KinFacts, ...]] = field(default_factory=dict)
    stands_for: Mapping[tuple[UUID, UUID], int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Firing:
    """One firing alert as one channel knows it."""

    channel: UUID
    alert: UUID
    provider: UUID
    error_class: str
    name: str
    kind: str
    due_at: datetime
    severity: str
    told_state: str
    decided: str
    # Somebody looks at its target, and finds something.
    is_measured: bool
    in_maintenance: bool
    environment: UUID | None
    labels: str

    @property
    def common(self) -> Common:
        return self.provider, self.error_class

    @property
    def order(self) -> tuple[bool, datetime, UUID]:
        """The first is told for all: what was told already, then the provider's own, then what is told first."""
        ahead = PARENT_WAIT if self.kind == TargetKind.PROVIDER else timedelta(0)
        return (not self.told_state, self.due_at - ahead, self.alert)

    def speaks(self, silences: Collection[SilenceFacts], now: datetime) -> bool:
        """Whether the channel knows of it, or will as far as it is up to itself."""
        if self.told_state:
            return True
        if self.in_maintenance or self.decided.startswith(_OWN_HOLDS):
            return False
        labels = json.loads(self.labels) if silences else {}
        return not any(hushes(entry, self.environment, labels, now) for entry in silences)


def load_kin(
    alerts: Collection[Alert], channels: Collection[UUID], silences: Collection[SilenceFacts], now: datetime
) -> Kin:
    """What each of these alerts has in common with others, by channel: at most two queries, none where none can."""
    concerned = {alert.pk: alert for alert in alerts if is_shared(alert)}
    if not concerned:
        return Kin()
    providers = list({_provider(alert) for alert in concerned.values()})
    parameters: dict[str, Any] = {
        "providers": providers,
        "channels": list(channels),
        "shared": sorted(SHARED),
        "hushing": bool(silences),
    }
    firing = sorted((_Firing(*row) for row in statements.run(_FIRING, parameters)), key=lambda one: one.order)
    speaking = {(one.channel, one.alert) for one in firing if one.speaks(silences, now)}
    first = _Speakers(one for one in firing if (one.channel, one.alert) in speaking)
    over = _load_over({**parameters, "since": now - _NOT_YET_KNOWN})
    told_instead: dict[tuple[UUID, UUID], tuple[KinFacts, ...]] = {}
    stands_for: dict[tuple[UUID, UUID], int] = defaultdict(int)
    for own in firing:
        speaker = first.of(own)
        key = (own.channel, own.alert)
        if speaker is not None and key in speaking and not own.told_state and own.kind == TargetKind.MODEL:
            stands_for[own.channel, speaker.alert] += 1
        alert = concerned.get(own.alert)
        if alert is not None:
            kin = (_facts(speaker), _last_over(alert, own, over.get(own.common, ())))
            told_instead[key] = tuple(one for one in kin if one is not None)
    return Kin(told_instead, stands_for)


class _Speakers:
    """Who is told for whom; `speaking` are in order."""

    def __init__(self, speaking: Iterable[_Firing]) -> None:
        self._first: dict[tuple[UUID, Common, bool, int], _Firing] = {}
        for one in speaking:
            for rank in range(_RANKS[one.severity], len(_RANKS)):
                # What nobody looks at any more has no end, so it speaks only for its like.
                for for_measured in (False, True) if one.is_measured else (False,):
                    self._first.setdefault((one.channel, one.common, for_measured, rank), one)

    def of(self, own: _Firing) -> _Firing | None:
        """The one that is told for `own`, which is as bad at least. None: it is told itself."""
        found = self._first.get((own.channel, own.common, own.is_measured, _RANKS[own.severity]))
        return found if found is not None and found.order < own.order else None


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


def _facts(speaker: _Firing | None) -> KinFacts | None:
    return KinFacts(speaker.alert, speaker.name) if speaker is not None else None


def _last_over(alert: Alert, own: _Firing, over: Iterable[_Over]) -> KinFacts | None:
    """The last that ended while it went on: one it has waited for, or one that began before it or with it."""
    waited_for = own.decided.removeprefix(_WAITED) if own.decided.startswith(_WAITED) else ""
    for one in over:
        is_of_it = str(one.kin.alert) == waited_for or one.began - PARENT_WAIT <= alert.started_at
        if is_of_it and alert.started_at < one.ended:
            return one.kin
    return None
