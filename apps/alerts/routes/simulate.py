""" "Who would be told?": the path of an alert through the tree, the channels at its end, and what would hold it now.

Asked of the tree and of the stages themselves, so that the answer is what the pipeline would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts import matching, times
from apps.alerts.labels import error_labels, labels_of
from apps.alerts.matching import Label, Labels
from apps.alerts.models import Alert, AlertGroup, Channel, Route, Severity
from apps.alerts.pipeline.enrolment import is_machine, next_digest
from apps.alerts.pipeline.loading import load_parents, load_silences
from apps.alerts.reason_words import decision_sentence, step_sentence
from apps.alerts.routes.selectors import Standing, load_standing
from apps.alerts.routes.tree import ResolvedRoute
from apps.alerts.rules import DEFAULT_FOR_SECONDS
from apps.alerts.stages.context import AlertFacts, Candidate, ChannelFacts, Decision, GroupFacts, RoutingContext
from apps.alerts.stages.inhibit import inhibit
from apps.alerts.stages.maintenance import maintenance
from apps.alerts.stages.quiet_hours import quiet_hours
from apps.alerts.stages.silence import silence
from apps.catalog.models import Environment, Status, Target
from apps.core import clock
from apps.core.ids import uuid7

# What an alert is about unless the labels say otherwise.
DEFAULT_CAUSE = "status"
# Routes have hours of the week; what is further away has none of its own, and calendars end.
FURTHEST = timedelta(days=3_653)


@dataclass(frozen=True)
class SimulatedStep:
    """One node that was asked. `route` None: the implicit root. `why` is a code of the tree, `sentence` its words."""

    route: Route | None
    depth: int
    matched: bool
    taken: bool
    why: str
    sentence: str


@dataclass(frozen=True)
class SimulatedChannel:
    """A channel that would hear of it, through which route and how. `mode`: "each", "group" or "digest".

    `group_by` None: each alert by itself. Times in seconds; they do not count for a machine ("each").
    `first_message_at`: when the alert would be told first if it begins at the simulated moment and goes on.
    """

    channel: Channel
    route: Route | None
    mode: str
    group_by: tuple[str, ...] | None
    group_wait_seconds: int
    group_interval_seconds: int
    repeat_interval_seconds: int
    first_message_at: datetime


@dataclass(frozen=True)
class Hold:
    """Something that would keep it from being told. `channel` None: from all of them; `until` None: nobody knows."""

    stage: str
    reason: str
    sentence: str
    channel: Channel | None = None
    until: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Simulation:
    """What would happen to an alert with these labels that begins at `at`.

    `hold_seconds`: how long it must last before people hear of it, unless a rule says otherwise.
    """

    at: datetime
    severity: str
    labels: Labels
    target: Target | None
    hold_seconds: int
    steps: list[SimulatedStep]
    channels: list[SimulatedChannel]
    holds: list[Hold]


def simulate(
    user: User,
    *,
    target: UUID | None = None,
    labels: Labels | None = None,
    severity: str = "",
    at: datetime | None = None,
) -> Simulation:
    """What would happen to an alert of `target` (one `user` may see), with `labels`, or of the one with the others.

    Without a severity it is the labels' own, else "critical". A fixed number of queries, and one for each level of
    what the target depends on. Raises ValidationError by field: neither target nor labels, what does not exist, or a
    moment more than ten years away.
    """
    now = clock.now()
    at = at or now
    if abs(at - now) > FURTHEST:
        raise ValidationError({"at": [_("Choose a moment at most ten years away.")]})
    subject = _subject(user, target, labels or {}, severity)
    standing = load_standing()
    tree = standing.tree()
    hold_seconds = DEFAULT_FOR_SECONDS[subject.severity]
    channels = [
        _channel(found, standing, channel, subject, at)
        for found in tree.find(subject.labels, at)
        for channel in _heard_by(standing, found, subject)
    ]
    steps = [
        SimulatedStep(
            route=standing.routes[step.route.id] if step.route else None,
            depth=step.depth,
            matched=step.matched,
            taken=step.taken,
            why=str(step.why),
            sentence=step_sentence(step),
        )
        for step in tree.explain(subject.labels, at)
    ]
    return Simulation(
        at=at,
        severity=subject.severity,
        labels=subject.labels,
        target=subject.target,
        hold_seconds=hold_seconds,
        steps=steps,
        channels=channels,
        holds=_holds(subject, channels, at),
    )


# --- What it is about -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Subject:
    severity: str
    labels: Labels
    target: Target | None
    environment: UUID | None


def _subject(user: User, target_id: UUID | None, given: Labels, severity: str) -> _Subject:
    if target_id is None and not given:
        raise ValidationError({"target": [_("Name a target, or the labels of an alert.")]})
    target = _find_target(user, target_id) if target_id is not None else None
    known = dict(labels_of([target.pk])[target.pk]) if target is not None else {}
    labels: dict[str, Any] = {Label.CAUSE.value: DEFAULT_CAUSE, **known, **_parsed(given)}
    reason = matching.texts_of(labels, Label.REASON)[0]
    labels = {**error_labels(labels.get(Label.KIND.value), reason), **labels}
    chosen = severity or str(labels.get(Label.SEVERITY, "")) or Severity.CRITICAL.value
    if chosen not in Severity.values:
        message = _("There is no such severity; known are %(known)s.") % {"known": ", ".join(Severity.values)}
        raise ValidationError({"severity" if severity else "labels.severity": [message]})
    labels[Label.SEVERITY.value] = chosen
    environment = target.environment_id if target is not None else _find_environment(user, labels)
    return _Subject(chosen, labels, target, environment)


def _find_target(user: User, identifier: UUID) -> Target:
    visible = Target.objects.visible_to(user).present().select_related("environment", "status_row")
    target = visible.filter(pk=identifier).first()
    if target is None:
        raise ValidationError({"target": [_("There is no such target.")]})
    return target


def _find_environment(user: User, labels: Labels) -> UUID | None:
    slug = matching.texts_of(labels, Label.ENVIRONMENT)[0]
    if not slug:
        return None
    found = Environment.objects.visible_to(user).filter(slug=slug).values_list("pk", flat=True).first()
    if found is None:
        raise ValidationError({"labels.environment": [_("There is no such environment; give its short name.")]})
    return found


def _parsed(given: object) -> dict[str, Any]:
    """Labels from outside: texts, or lists of them. Raises ValidationError on `labels.<name>`."""
    if not isinstance(given, Mapping):
        raise ValidationError({"labels": [_('Send an object, such as {"kind": "service", "tag": ["shop"]}.')]})
    known = [label.value for label in Label]
    errors: dict[str, list[str]] = {}
    for name, value in given.items():
        texts = value if isinstance(value, list) else [value]
        if name not in known:
            message = _("There is no such label; choose from %(labels)s.") % {"labels": ", ".join(known)}
            errors[f"labels.{str(name)[:40]}"] = [message]
        elif len(texts) > 50 or any(not isinstance(text, str) or len(text) > 200 for text in texts):
            errors[f"labels.{name}"] = [_("Send a text of at most 200 characters, or a list of at most 50.")]
    if errors:
        raise ValidationError(errors)
    return dict(given)


# --- Who would hear of it ---------------------------------------------------------------------------------


def _heard_by(standing: Standing, found: ResolvedRoute, subject: _Subject) -> list[Channel]:
    """Channels of a route that are on and hear of the environment. Whoever may see that one may see them."""
    channels = [standing.channels[identifier] for identifier in found.channels]
    return [
        channel for channel in channels if channel.enabled and channel.environment_id in (None, subject.environment)
    ]


def _channel(
    found: ResolvedRoute, standing: Standing, channel: Channel, subject: _Subject, at: datetime
) -> SimulatedChannel:
    mode, first = AlertGroup.Mode.GROUP, at
    if is_machine(channel):
        mode = AlertGroup.Mode.EACH
    elif subject.severity == Severity.INFO:
        mode, first = AlertGroup.Mode.DIGEST, next_digest(channel.time_zone, at)
    else:
        first = at + timedelta(seconds=max(found.group_wait_seconds, DEFAULT_FOR_SECONDS[subject.severity]))
    return SimulatedChannel(
        channel=channel,
        route=standing.routes[found.id] if found.id else None,
        mode=mode.value,
        group_by=found.group_by,
        group_wait_seconds=found.group_wait_seconds,
        group_interval_seconds=found.group_interval_seconds,
        repeat_interval_seconds=found.repeat_interval_seconds,
        first_message_at=first,
    )


# --- What would hold it -----------------------------------------------------------------------------------


def _holds(subject: _Subject, channels: list[SimulatedChannel], at: datetime) -> list[Hold]:
    """Of each stage that holds back, what it says: of the alert for all channels, and of quiet hours for each."""
    alert = _alert_facts(subject, at)
    context = RoutingContext(now=at, silences=load_silences(at), critical_targets=_critical(subject.target))
    anybody = _candidate(alert, ChannelFacts(id=uuid7(), environment=None))
    holds: list[Hold] = []
    for stage in (maintenance, inhibit, silence):
        holds += [_hold(decision) for decision in stage(context, [anybody])[1]]
    for entry in channels:
        if entry.mode == AlertGroup.Mode.GROUP:
            candidate = _candidate(alert, _channel_facts(entry.channel))
            holds += [_hold(decision, entry.channel) for decision in quiet_hours(context, [candidate])[1]]
    return holds


def _hold(decision: Decision, channel: Channel | None = None) -> Hold:
    sentence = decision_sentence(decision.outcome, decision.stage, decision.reason, decision.detail)
    until = decision.detail.get("until")
    return Hold(
        stage=decision.stage,
        reason=str(decision.reason),
        sentence=sentence,
        channel=channel,
        # Not when the pipeline looks again, but when it is over.
        until=datetime.fromisoformat(until) if until else None,
        detail=decision.detail,
    )


def _alert_facts(subject: _Subject, at: datetime) -> AlertFacts:
    target = subject.target
    cause = matching.texts_of(subject.labels, Label.CAUSE)[0]
    return AlertFacts(
        id=uuid7(),
        fingerprint="",
        cause=cause,
        environment=subject.environment,
        target=target.pk if target else None,
        severity=subject.severity,
        labels=subject.labels,
        started_at=at,
        hold_seconds=DEFAULT_FOR_SECONDS[subject.severity],
        in_maintenance=target is not None and target.status_row.status == Status.MAINTENANCE,
        parents=load_parents([target.pk]).get(target.pk, ()) if target else (),
    )


def _critical(target: Target | None) -> dict[UUID, UUID]:
    """The open critical alert of the target, if it has one."""
    if target is None:
        return {}
    rows = Alert.objects.firing().filter(target=target, severity=Severity.CRITICAL).order_by("started_at")
    found = rows.values_list("pk", flat=True).first()
    return {target.pk: found} if found else {}


def _channel_facts(channel: Channel) -> ChannelFacts:
    return ChannelFacts(
        id=channel.pk,
        environment=channel.environment_id,
        quiet_hours=times.load(channel.quiet_hours),
        time_zone=channel.time_zone,
    )


def _candidate(alert: AlertFacts, channel: ChannelFacts) -> Candidate:
    group = GroupFacts(
        id=uuid7(),
        channel=channel,
        route=None,
        mode=AlertGroup.Mode.GROUP.value,
        labels={},
        group_interval_seconds=0.0,
        repeat_interval_seconds=0.0,
        told_at=None,
        sequence=0,
    )
    return Candidate(group=group, alert=alert)
