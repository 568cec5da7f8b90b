"""Inhibition: the cause is told, not what follows from it.

A parent's outage holds the alerts of everything that depends on it. A parent that was believed to be well, but was not
looked at since our alert began, may be the cause too: it gets a minute to be looked at. Of alerts that say the same of
one provider (its key, its account, its address) one is told for all. A critical alert holds the lesser ones of the same
target.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from apps.alerts.stages.context import AlertFacts, Candidate, ParentFacts, RoutingContext, RoutingReason
from apps.alerts.stages.holding import Hold, Sorted, hold
from apps.alerts.stages.news import CRITICAL, was_told

NAME = "inhibit"

# A parent that turns out to be well makes no news, so whoever waits for it looks again in between.
PARENT_WAIT = timedelta(seconds=60)


def inhibit(context: RoutingContext, candidates: list[Candidate]) -> Sorted:
    """Hold what a parent's outage explains or may explain, and what a worse alert of the same target says already."""
    return hold(NAME, _judge, context, candidates)


def _judge(context: RoutingContext, candidate: Candidate) -> Hold | None:
    return (
        _parent_down(candidate)
        or _parent_awaited(context, candidate)
        or _same_cause(candidate)
        or _worse(context, candidate)
    )


def _parents(alert: AlertFacts) -> Iterator[ParentFacts]:
    return (parent for parent in alert.parents if parent.enabled and parent.target != alert.target)


def _parent_down(candidate: Candidate) -> Hold | None:
    for parent in _parents(candidate.alert):
        if parent.is_outage:
            return Hold(RoutingReason.PARENT_DOWN, _named(parent))
    return None


def _parent_awaited(context: RoutingContext, candidate: Candidate) -> Hold | None:
    alert = candidate.alert
    deadline = alert.started_at + PARENT_WAIT
    if was_told(candidate) or not alert.is_firing or context.now >= deadline:
        return None
    for parent in _parents(alert):
        # One that nobody measures (unknown, in maintenance) has no answer to wait for.
        is_believed = parent.is_operational or parent.firing_alert is not None
        if is_believed and (parent.last_result_at is None or parent.last_result_at < alert.started_at):
            detail = {**_named(parent), "until": deadline.isoformat()}
            return Hold(RoutingReason.WAITING_FOR_PARENT, detail, deadline)
    return None


def _named(parent: ParentFacts) -> dict[str, str]:
    return {"parent": str(parent.target), "parent_name": parent.name}


def _same_cause(candidate: Candidate) -> Hold | None:
    """What was told already goes on being told. When the one that is told is over, ours is too or is its own matter,
    which the next look at its target shows."""
    alert = candidate.alert
    if was_told(candidate) or not alert.is_firing:
        return None
    for kin in candidate.kin:
        seen_since = alert.last_result_at is not None and alert.last_result_at > (kin.resolved_at or alert.started_at)
        if kin.resolved_at is None or not seen_since:
            return Hold(RoutingReason.SAME_CAUSE, {"alert": str(kin.alert), "told_of": kin.name})
    return None


def _worse(context: RoutingContext, candidate: Candidate) -> Hold | None:
    alert = candidate.alert
    if alert.target is None or alert.severity == CRITICAL:
        return None
    worse = context.critical_targets.get(alert.target)
    if worse is None or worse == alert.id:
        return None
    return Hold(RoutingReason.HIGHER_SEVERITY, {"alert": str(worse)})
