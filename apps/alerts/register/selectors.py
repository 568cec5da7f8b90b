"""Reading alerts: lists, one with its timeline, and why somebody was not told. A fixed number of queries each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.models import User
from apps.alerts.channels.base import reason_label
from apps.alerts.models import (
    Alert,
    AlertDecision,
    AlertEvent,
    AlertSource,
    Channel,
    GroupMember,
    Notification,
    Route,
)
from apps.alerts.reason_words import decision_sentence

SHOWN_NOTIFICATIONS = 100


@dataclass(frozen=True)
class DecisionRow:
    """One thing the pipeline did with an alert, in the reader's language. `sequence`: the step it was about.

    `notification` is the id of the message it led to, `delivery` that message with how it went.
    """

    at: datetime
    outcome: str
    stage: str
    reason: str
    sentence: str
    notification: UUID | None
    delivery: Notification | None
    sequence: int
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class ChannelStory:
    """What one channel was told of an alert, or why not, oldest first. `channel` None: no channel was reached.

    `told` says whether a message ever arrived there; `sentence` sums it up. `next_look_at`: when the pipeline looks
    again at what it holds for the channel.
    """

    channel: Channel | None
    route: Route | None
    told: bool
    sentence: str
    decisions: list[DecisionRow]
    next_look_at: datetime | None = None


def list_alerts(user: User | AnonymousUser) -> QuerySet[Alert]:
    """Alerts `user` may read, newest first, with target, its provider, environment and whoever acknowledged at
    hand.

    Those of a target that was deleted went with it.
    """
    return (
        Alert.objects.visible_to(user)
        .filter(Q(target__isnull=True) | Q(target__deleted_at__isnull=True))
        .select_related("target__namespace", "environment", "acknowledged_by")
        .order_by("-started_at", "-pk")
    )


def with_details(alerts: QuerySet[Alert]) -> QuerySet[Alert]:
    """The same, with sources, steps and, as `told_by`, the newest messages that told of it (three more queries)."""
    messages = Notification.objects.select_related("channel").order_by("-created_at", "-pk")
    return alerts.prefetch_related(
        Prefetch("sources", queryset=AlertSource.objects.order_by("since", "pk")),
        Prefetch("events", queryset=AlertEvent.objects.select_related("actor").order_by("sequence")),
        Prefetch("notifications", queryset=messages[:SHOWN_NOTIFICATIONS], to_attr="told_by"),
    )


def get_alert_timeline(alert: Alert) -> list[AlertEvent]:
    """Every step, oldest first, with whoever took it."""
    return list(alert.events.select_related("actor").order_by("sequence"))


# --- Why was I not told? ----------------------------------------------------------------------------------

# (channel, route): what is told together.
Way = tuple["UUID | None", "UUID | None"]


def explain(alert: Alert) -> list[ChannelStory]:
    """What each channel was told and what it was not, and why: those of the alert's environment and those of all,
    which whoever may read the alert may read too.

    Channels no route led to come last, with a story without decisions. Three queries.
    """
    channels = {
        channel.pk: channel
        for channel in Channel.objects.filter(Q(environment=None) | Q(environment=alert.environment_id)).order_by(
            "name"
        )
    }
    rows = alert.decisions.select_related("route", "notification__channel").order_by("pk")
    decisions: dict[Way, list[AlertDecision]] = {}
    for row in rows:
        decisions.setdefault((row.channel_id, row.route_id), []).append(row)
    members: dict[Way, GroupMember] = {
        (member.group.channel_id, member.group.route_id): member
        for member in GroupMember.objects.filter(alert=alert).select_related("group__route")
    }
    ways = [way for way in dict.fromkeys((*decisions, *members)) if way[0] is None or way[0] in channels]
    stories = [_story(alert, way, channels, decisions.get(way, []), members.get(way)) for way in ways]
    reached = {way[0] for way in ways}
    present = [channel for channel in channels.values() if channel.deleted_at is None and channel.pk not in reached]
    return [*stories, *(_untouched(alert, channel) for channel in present)]


def summary_of(stories: Sequence[ChannelStory]) -> str:
    """Plainly, in one sentence: whether anybody was told."""
    told = sum(story.told for story in stories)
    if told:
        sentence = ngettext("%(number)s channel was told.", "%(number)s channels were told.", told)
        return sentence % {"number": told}
    if any(_is_underway(story) for story in stories):
        return _("Nobody was told yet: a message was made and has not arrived.")
    if any(story.channel is None for story in stories):
        return _("Nobody was told: no route led this alert to a channel.")
    if any(story.decisions or story.next_look_at for story in stories):
        return _("Nobody was told: it is held back for every channel, or was.")
    return _("Nobody was told yet: its way to the channels has not been looked for.")


def _story(
    alert: Alert,
    way: Way,
    channels: Mapping[UUID, Channel],
    decisions: list[AlertDecision],
    member: GroupMember | None,
) -> ChannelStory:
    route = decisions[0].route if decisions else member.group.route if member else None
    due = member.group.due_at if member else None
    return ChannelStory(
        channel=channels[way[0]] if way[0] else None,
        route=route,
        told=any(_has_arrived(row) for row in decisions),
        sentence=_summed_up(way, decisions),
        decisions=[_decision_row(row) for row in decisions],
        next_look_at=due,
    )


def _has_arrived(row: AlertDecision) -> bool:
    """Whether the message of a decision was delivered; one that was removed is so old that it was done with."""
    if row.outcome != AlertDecision.Outcome.SENT:
        return False
    return row.notification is None or row.notification.state == Notification.State.SENT


def _is_underway(story: ChannelStory) -> bool:
    return any(row.outcome == AlertDecision.Outcome.SENT for row in story.decisions)


_UNDELIVERED = {
    Notification.State.PENDING: gettext_lazy("A message is on its way."),
    Notification.State.SENDING: gettext_lazy("A message is on its way."),
    Notification.State.DROPPED: gettext_lazy("A message was made and then dropped: %(reason)s"),
    Notification.State.DEAD: gettext_lazy("A message was made and could not be delivered: %(reason)s"),
}


def undelivered_sentence(notification: Notification) -> str:
    """How it stands with a message that has not arrived; "" for one that has. `notification` with its channel."""
    state = Notification.State(notification.state)
    if state == Notification.State.SENT:
        return ""
    if state not in (Notification.State.DROPPED, Notification.State.DEAD) and not notification.channel.enabled:
        return _("A message waits, because the channel is switched off. It goes out when the channel is on again.")
    return str(_UNDELIVERED[state]) % {"reason": reason_label(notification.reason)}


def _sentence_of(row: AlertDecision) -> str:
    if row.notification is not None and not _has_arrived(row) and row.outcome == AlertDecision.Outcome.SENT:
        return undelivered_sentence(row.notification)
    return decision_sentence(row.outcome, row.stage, row.reason, row.detail)


def _decision_row(row: AlertDecision) -> DecisionRow:
    return DecisionRow(
        at=row.at,
        outcome=row.outcome,
        stage=row.stage,
        reason=row.reason,
        sentence=_sentence_of(row),
        notification=row.notification_id,
        delivery=row.notification,
        sequence=row.sequence,
        detail=row.detail,
    )


def _summed_up(way: Way, decisions: list[AlertDecision]) -> str:
    if way[0] is None:
        return _("No route led this alert to a channel.")
    if not decisions:
        return _("It is on its way to this channel, which has not been told yet.")
    sent = [row for row in decisions if row.outcome == AlertDecision.Outcome.SENT]
    if not sent:
        last = decisions[-1]
        return decision_sentence(last.outcome, last.stage, last.reason, last.detail)
    delivery = sent[-1].notification
    if delivery is None:
        return _("It was told. The message is so old that it was removed.")
    return undelivered_sentence(delivery) or _("It was told.")


def _untouched(alert: Alert, channel: Channel) -> ChannelStory:
    if channel.created_at > alert.started_at:
        sentence = _("This channel was made after the alert began.")
    elif not channel.enabled:
        sentence = _("This channel is switched off.")
    else:
        sentence = _("No route led this alert to this channel.")
    return ChannelStory(channel=channel, route=None, told=False, sentence=sentence, decisions=[])
