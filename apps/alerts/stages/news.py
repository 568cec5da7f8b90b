"""What is new about an alert for one channel, compared with what that channel was last told."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from apps.alerts.stages.context import Candidate, EventFacts

CRITICAL = "critical"
_RANK = {"info": 1, "warning": 2, CRITICAL: 3}


class AlertNews(StrEnum):
    """Stands in messages and decisions: never rename one. NONE: said again only because its group has news."""

    NONE = ""
    OPENED = "opened"
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    REMINDER = "reminder"


def news_of(candidate: Candidate, now: datetime) -> AlertNews:
    """What people would hear. An alert that resolved before anybody was told is no news, nor is a lowered severity."""
    if not candidate.alert.is_firing:
        return AlertNews.RESOLVED if was_told(candidate) and not was_told_resolved(candidate) else AlertNews.NONE
    if not was_told(candidate):
        return AlertNews.OPENED
    if _was_raised(candidate):
        return AlertNews.RAISED
    if candidate.alert.acknowledged and not candidate.told_acknowledged:
        return AlertNews.ACKNOWLEDGED
    return AlertNews.REMINDER if _is_reminder_due(candidate, now) else AlertNews.NONE


def has_news(candidate: Candidate, now: datetime) -> bool:
    """Whether there is anything to tell at `now`: steps for a machine, a difference (or a reminder) for people."""
    if candidate.group.channel.machine:
        return bool(untold_steps(candidate))
    return news_of(candidate, now) is not AlertNews.NONE


def untold_steps(candidate: Candidate) -> tuple[EventFacts, ...]:
    """The steps a machine was not told yet, in order."""
    later = (event for event in candidate.news if event.sequence > candidate.told_sequence)
    return tuple(sorted(later, key=lambda event: event.sequence))


def was_told(candidate: Candidate) -> bool:
    """A step number alone says nothing: whoever joins late begins with the present one."""
    return bool(candidate.told_state)


def was_told_resolved(candidate: Candidate) -> bool:
    return candidate.told_state == "resolved"


def ended_untold(candidate: Candidate) -> bool:
    """Over before the channel heard a word of it."""
    return not candidate.alert.is_firing and not was_told(candidate)


def next_reminder(candidate: Candidate, told_at: datetime | None) -> datetime | None:
    """When people are to be reminded of an alert told at `told_at`; None for machines, digests and what is in hand."""
    return None if candidate.alert.acknowledged else _repeat_at(candidate, told_at)


def is_in_hand(candidate: Candidate, now: datetime) -> bool:
    """Whether people would be reminded at `now`, had nobody acknowledged it."""
    moment = _repeat_at(candidate, candidate.group.told_at)
    return candidate.alert.acknowledged and moment is not None and moment <= now


def _repeat_at(candidate: Candidate, told_at: datetime | None) -> datetime | None:
    """A route whose repeat interval is 0 never reminds."""
    group = candidate.group
    if told_at is None or not candidate.alert.is_firing or group.channel.machine or group.mode != "group":
        return None
    return told_at + timedelta(seconds=group.repeat_interval_seconds) if group.repeat_interval_seconds > 0 else None


def _is_reminder_due(candidate: Candidate, now: datetime) -> bool:
    moment = next_reminder(candidate, candidate.group.told_at)
    return moment is not None and moment <= now


def _was_raised(candidate: Candidate) -> bool:
    if candidate.told_severity not in _RANK:
        return False
    return _RANK.get(candidate.alert.severity, 0) > _RANK[candidate.told_severity]
