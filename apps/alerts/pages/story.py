"""One alert told in full: what says so, what was found, its steps, and what each channel was told or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.alerts.looks import Look, notification_look
from apps.alerts.models import Alert, AlertEvent, AlertSource, Notification, Severity
from apps.alerts.pages.looks import outcome_look, severity_look, waiting_look
from apps.alerts.pages.sentences import crossed_of, source_name
from apps.alerts.register.selectors import ChannelStory, DecisionRow
from apps.alerts.wording.quantities import quantity

# More decisions of one channel than this are folded away.
SHOWN_DECISIONS = 8


@dataclass(frozen=True)
class SourceRow:
    """One thing that says so. `url` is empty for what is gone."""

    source: AlertSource
    name: str
    look: Look
    url: str
    found: str


def source_row(source: AlertSource) -> SourceRow:
    """`source` with its rule at hand."""
    found = crossed_of(source.detail) if isinstance(source.detail.get("value"), int | float) else ""
    return SourceRow(source, source_name(source), severity_look(source.severity), _url_of(source), found)


def _url_of(source: AlertSource) -> str:
    if source.kind == AlertSource.Kind.INCIDENT:
        return f"/incidents/{source.key}/"
    if source.rule is not None and source.rule.deleted_at is None:
        return source.rule.get_absolute_url()
    return ""


def numbers_of(alert: Alert) -> list[tuple[str, str]]:
    """What was found and what was asked for, as pairs of words; none where it is not about a number."""
    detail = alert.detail
    if not isinstance(detail.get("value"), int | float):
        return []
    unit = str(detail.get("unit") or "")
    rows = [(_("Found"), quantity(float(detail["value"]), unit))]
    level = detail.get("level")
    if isinstance(level, int | float):
        pattern = _("below %(level)s") if detail.get("operator") == "<" else _("above %(level)s")
        rows.append((_("Fires"), pattern % {"level": quantity(float(level), unit)}))
    return rows


def timeline_entry(alert: Alert, step: AlertEvent, is_first: bool) -> dict[str, Any]:
    """One step as the timeline component shows it."""
    kind = AlertEvent.Kind(step.kind)
    severity = str(dict(Severity.choices).get(step.severity, step.severity))
    titles = {
        AlertEvent.Kind.FIRING: _("Began to fire: %(severity)s") if is_first else _("Fires: %(severity)s"),
        AlertEvent.Kind.UPDATED: _("Now %(severity)s"),
        AlertEvent.Kind.ACKNOWLEDGED: pgettext("an alert", "Acknowledged"),
        AlertEvent.Kind.RESOLVED: pgettext("an alert", "Resolved"),
    }
    entry: dict[str, Any] = {
        "at": step.at,
        "title": titles[kind] % {"severity": severity} if "%" in titles[kind] else titles[kind],
        "actor": step.actor.get_username() if step.actor else "",
        "id": f"step-{step.sequence}",
    }
    if kind == AlertEvent.Kind.ACKNOWLEDGED:
        return {**entry, "icon": "acknowledge", "actor": entry["actor"] or alert.acknowledged_through}
    return {**entry, "icon": "check" if kind == AlertEvent.Kind.RESOLVED else "alerts"}


@dataclass(frozen=True)
class StepRow:
    """One decision about a channel, how it looks, and how the delivery went, where there was one."""

    decision: DecisionRow
    look: Look
    delivery: Look | None


@dataclass(frozen=True)
class StoryRow:
    """One channel's story: the newest decisions in sight, older ones folded away."""

    story: ChannelStory
    look: Look
    steps: list[StepRow]
    older: list[StepRow]


def story_rows(stories: Iterable[ChannelStory]) -> list[StoryRow]:
    return [_story_row(story) for story in stories]


def _story_row(story: ChannelStory) -> StoryRow:
    steps = [_step_row(decision) for decision in reversed(story.decisions)]
    return StoryRow(story, _story_look(story), steps[:SHOWN_DECISIONS], steps[SHOWN_DECISIONS:])


def _story_look(story: ChannelStory) -> Look:
    if story.told:
        return outcome_look("sent")
    if not story.decisions and story.next_look_at is not None:
        return waiting_look()
    last = story.decisions[-1] if story.decisions else None
    if last is not None and last.delivery is not None:
        return notification_look(last.delivery.state, last.delivery.attempts)
    return outcome_look(last.outcome if last is not None else "dropped")


def _step_row(decision: DecisionRow) -> StepRow:
    sent = decision.delivery
    delivery = notification_look(sent.state, sent.attempts) if sent is not None else None
    has_arrived = sent is None or sent.state == Notification.State.SENT
    return StepRow(decision, outcome_look(decision.outcome) if has_arrived or delivery is None else delivery, delivery)
