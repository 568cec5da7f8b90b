"""The end of the way: what is left goes to its channel, and it is written down why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from apps.alerts.stages.context import Candidate, Decision, Delivery, Outcome, RoutingContext, RoutingReason
from apps.alerts.stages.hearing import is_heard
from apps.alerts.stages.news import AlertNews, news_of, next_reminder

NAME = "route"


def route(context: RoutingContext, messages: list[Delivery]) -> tuple[list[Delivery], list[Decision]]:
    """Take out what happened in another environment than the channel's; say of the rest that it was told."""
    kept: list[Delivery] = []
    decisions: dict[tuple[UUID, UUID], Decision] = {}
    for message in messages:
        heard = tuple(candidate for candidate in message.candidates if _is_heard(candidate))
        if heard:
            kept.append(replace(message, group=heard[0].group, candidates=heard))
        for candidate in message.candidates:
            # A machine gets a message for each step of one candidate: that is one decision.
            decisions.setdefault((candidate.group.id, candidate.alert.id), _decide(candidate, message, context.now))
    return kept, list(decisions.values())


def _is_heard(candidate: Candidate) -> bool:
    return is_heard(candidate.group.channel.environment, candidate.alert.environment, candidate.alert.cause)


def _decide(candidate: Candidate, message: Delivery, now: datetime) -> Decision:
    if not _is_heard(candidate):
        return Decision(candidate, Outcome.DROPPED, NAME, RoutingReason.OTHER_ENVIRONMENT)
    if message.form == "each":
        return Decision(candidate, Outcome.SENT, NAME, RoutingReason.TOLD)
    news = news_of(candidate, now)
    reason = RoutingReason.REMINDED if news is AlertNews.REMINDER else RoutingReason.TOLD
    if message.form == "storm":
        reason = RoutingReason.IN_STORM_CARD
    return Decision(candidate, Outcome.SENT, NAME, reason, {"news": news.value}, until=next_reminder(candidate, now))
