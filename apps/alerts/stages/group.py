"""Grouping: people hear of a group in one message, not sooner than is worth it."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.alerts.stages.context import Candidate, Delivery, RoutingContext, RoutingReason
from apps.alerts.stages.holding import Hold, Sorted, hold
from apps.alerts.stages.news import CRITICAL, AlertNews, has_news, news_of, untold_steps, was_told

NAME = "group"


def group(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold news for people that comes too soon: the alert has not lasted long enough, its group was told of lately,
    or it waits for the digest."""
    return hold(NAME, _judge, context, candidates)


def _judge(context: RoutingContext, candidate: Candidate) -> Hold | None:
    if candidate.group.channel.machine or not has_news(candidate, context.now):
        return None
    until, because = max(_moments(context, candidate), default=(context.now, ""))
    if until <= context.now:
        return None
    return Hold(RoutingReason.TOO_SOON, {"because": because, "until": until.isoformat()}, until)


def _moments(context: RoutingContext, candidate: Candidate) -> list[tuple[datetime, str]]:
    """Before each of these it is too soon, and why."""
    alert, of = candidate.alert, candidate.group
    moments = []
    if not was_told(candidate):
        moments.append((alert.started_at + timedelta(seconds=alert.hold_seconds), "hold"))
    if of.told_at is not None and not _became_critical(context, candidate):
        moments.append((of.told_at + timedelta(seconds=of.group_interval_seconds), "group_interval"))
    if of.digest_at is not None:
        moments.append((of.digest_at, "digest"))
    return moments


def _became_critical(context: RoutingContext, candidate: Candidate) -> bool:
    """What people know and what has become critical since does not wait for the group's interval."""
    return news_of(candidate, context.now) is AlertNews.RAISED and candidate.alert.severity == CRITICAL


def gather(context: RoutingContext, candidates: list[Candidate]) -> list[Delivery]:
    """One message a group for people, where its first candidate stood; one message a step for machines."""
    messages: list[Delivery] = []
    members: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        if not candidate.group.channel.machine:
            members.setdefault(candidate.group.id, []).append(candidate)
    for candidate in candidates:
        if candidate.group.channel.machine:
            messages += [
                Delivery(candidate.group, (candidate,), form="each", event=step) for step in untold_steps(candidate)
            ]
        elif together := members.pop(candidate.group.id, None):
            messages.append(Delivery(candidate.group, tuple(together), form=_form(context, together)))
    return messages


def _form(context: RoutingContext, together: list[Candidate]) -> str:
    if together[0].group.mode == "digest":
        return "digest"
    only_reminds = {news_of(candidate, context.now) for candidate in together} <= {AlertNews.REMINDER, AlertNews.NONE}
    return "reminder" if only_reminds else "group"
