"""Storms: many messages at once become one card with counts, and then nothing for a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from apps.alerts.stages.context import (
    ChannelFacts,
    Decision,
    Delivery,
    Outcome,
    RoutingContext,
    RoutingReason,
)
from apps.alerts.stages.news import has_news

NAME = "rate_limit"

# More messages for people than this through one channel within STORM_WINDOW are a storm ...
STORM_MESSAGES = 5
STORM_WINDOW = timedelta(seconds=60)
# ... after whose card the channel is left alone for this long.
STORM_PAUSE = timedelta(seconds=60)


def rate_limit(context: RoutingContext, messages: list[Delivery]) -> tuple[list[Delivery], list[Decision]]:
    """Hold what comes right after a storm card; merge a channel's messages into one card when they are too many."""
    calm: list[Delivery] = []
    decisions: list[Decision] = []
    for message in messages:
        until = message.group.channel.storm_until
        if message.group.channel.machine or until is None or until <= context.now:
            calm.append(message)
        else:
            decisions += _held(context, message)
    return _merge(calm, _stormy(context, calm)), decisions


def _held(context: RoutingContext, message: Delivery) -> Iterable[Decision]:
    until = message.group.channel.storm_until
    detail = {"until": until.isoformat()} if until else {}
    for candidate in message.candidates:
        if has_news(candidate, context.now):
            yield Decision(candidate, Outcome.HELD, NAME, RoutingReason.STORM, detail, until)
        else:
            yield Decision(candidate, Outcome.DROPPED, NAME, RoutingReason.NOTHING_NEW, until=until)


def _stormy(context: RoutingContext, messages: list[Delivery]) -> set[UUID]:
    """The channels for people that would get too many messages."""
    channels = {message.group.channel.id: message.group.channel for message in messages}
    counts = Counter(message.group.channel.id for message in messages)
    return {
        identifier
        for identifier, channel in channels.items()
        if not channel.machine and counts[identifier] + _lately(context, channel) > STORM_MESSAGES
    }


def _lately(context: RoutingContext, channel: ChannelFacts) -> int:
    return sum(moment > context.now - STORM_WINDOW for moment in channel.sent_lately)


def _merge(messages: list[Delivery], stormy: set[UUID]) -> list[Delivery]:
    """One card for each stormy channel, where its first message stood."""
    merged: list[Delivery] = []
    waiting = set(stormy)
    for message in messages:
        channel = message.group.channel.id
        if channel not in stormy:
            merged.append(message)
        elif channel in waiting:
            waiting.discard(channel)
            together = [one for each in messages if each.group.channel.id == channel for one in each.candidates]
            merged.append(Delivery(message.group, tuple(together), form="storm"))
    return merged
