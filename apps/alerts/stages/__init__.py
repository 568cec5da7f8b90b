"""From alerts that are due to messages: small pure stages, in reading order.

Each takes a list and returns what is left of it, with a decision for everything it took out. Nothing is kept between
two looks and nothing is read from elsewhere, so a stage is tested with a list in and a list out. `docs/alerting.md`
draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from apps.alerts.stages import dedup, group, inhibit, maintenance, quiet_hours, rate_limit, route, silence
from apps.alerts.stages.context import Candidate, Decision, Delivery, RoutingContext

__all__ = ["CANDIDATE_STAGES", "MESSAGE_STAGES", "STAGES", "MessageStage", "RoutingContext", "Stage", "run"]

Stage = Callable[[RoutingContext, list[Candidate]], tuple[list[Candidate], list[Decision]]]
MessageStage = Callable[[RoutingContext, list[Delivery]], tuple[list[Delivery], list[Decision]]]

CANDIDATE_STAGES: tuple[Stage, ...] = (
    maintenance.maintenance,
    inhibit.inhibit,
    silence.silence,
    quiet_hours.quiet_hours,
    group.group,
    dedup.dedup,
)
MESSAGE_STAGES: tuple[MessageStage, ...] = (rate_limit.rate_limit, route.route)

# The names under which decisions are stored.
STAGES: tuple[str, ...] = (
    maintenance.NAME,
    inhibit.NAME,
    silence.NAME,
    quiet_hours.NAME,
    group.NAME,
    dedup.NAME,
    rate_limit.NAME,
    route.NAME,
)


def run(context: RoutingContext, candidates: Sequence[Candidate]) -> RoutingContext:
    """Take every candidate through the stages. `deliveries` of the result is who is told what.

    `decisions` holds exactly one for each candidate: SENT if it stands in a delivery (a machine's: in one a step),
    HELD or DROPPED if it does not. `until` of a decision is when the group is worth looking at again.
    """
    remaining = list(candidates)
    decisions: list[Decision] = []
    for stage in CANDIDATE_STAGES:
        remaining, decided = stage(context, remaining)
        decisions += decided
    messages = group.gather(context, remaining)
    for message_stage in MESSAGE_STAGES:
        messages, decided = message_stage(context, messages)
        decisions += decided
    return replace(context, deliveries=tuple(messages), decisions=tuple(decisions))
