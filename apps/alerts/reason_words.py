"""Why an alert was or was not told, and why a route took it or not, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from apps.alerts.routes.tree import Step, StepReason
from apps.alerts.stages.context import RoutingReason

_STAGES: dict[str, Any] = {
    "maintenance": _("Maintenance"),
    "inhibit": _("Inhibition"),
    "silence": _("Silence"),
    "quiet_hours": _("Quiet hours"),
    "group": _("Grouping"),
    "dedup": _("Deduplication"),
    "rate_limit": _("Rate limit"),
    "route": _("Route"),
}

# The first one whose values are all known is said.
_SENTENCES: dict[RoutingReason, tuple[Any, ...]] = {
    RoutingReason.TOLD: (_("It was told."),),
    RoutingReason.REMINDED: (_("It was told again, because it still fires and nobody has acknowledged it."),),
    RoutingReason.IN_STORM_CARD: (
        _("It was told in one message with many others, because too many came at the same time."),
    ),
    RoutingReason.IN_MAINTENANCE: (_("Its target is in maintenance; it is told afterwards if it still fires then."),),
    RoutingReason.PARENT_DOWN: (
        _("“%(parent_name)s”, which its target depends on, has an outage: that is told instead."),
        _("Something its target depends on has an outage: that is told instead."),
    ),
    RoutingReason.WAITING_FOR_PARENT: (
        _("It waits until %(until)s for a look at “%(parent_name)s”, which its target depends on."),
        _("It waits, a minute at most, for a look at something its target depends on."),
    ),
    RoutingReason.SAME_CAUSE: (
        _("It fails like “%(told_of)s” of the same provider, by one key, account or address: that is told for all."),
        _("Others of the same provider fail in the same way, and one is told for all."),
    ),
    RoutingReason.HIGHER_SEVERITY: (_("The same target has a critical alert: that is told instead."),),
    RoutingReason.SILENCED: (_("A silence holds it until %(until)s."), _("A silence holds it.")),
    RoutingReason.QUIET_HOURS: (
        _("The channel has quiet hours until %(until)s, and this is not critical."),
        _("The channel has quiet hours, and this is not critical."),
    ),
    RoutingReason.TOO_SOON: (_("It is told at %(until)s at the earliest."), _("It is too soon to tell it.")),
    RoutingReason.STORM: (
        _("The channel has just had a message about many alerts; the next one follows at %(until)s."),
        _("The channel has just had a message about many alerts, and is left alone for a minute."),
    ),
    RoutingReason.NOTHING_NEW: (_("The channel knows it already."),),
    RoutingReason.NEVER_TOLD: (_("It resolved before it was told, so there was nothing left to tell."),),
    RoutingReason.ACKNOWLEDGED: (_("Somebody has acknowledged it, so nobody is reminded."),),
    RoutingReason.OTHER_ENVIRONMENT: (_("The channel hears of another environment only."),),
    RoutingReason.NO_CHANNEL: (_("No route leads it to a channel that is switched on."),),
}

# Some reasons say more when the detail names what it was about.
_CLOSER: dict[RoutingReason, tuple[str, dict[str, Any]]] = {
    RoutingReason.TOLD: (
        "news",
        {
            "opened": _("It was told when it began."),
            "raised": _("It was told because it has become worse."),
            "acknowledged": _("It was told that somebody has acknowledged it."),
            "resolved": _("It was told that it has resolved."),
            "": _("It was named again as still firing, beside what was new in its group."),
        },
    ),
    RoutingReason.TOO_SOON: (
        "because",
        {
            "hold": _("It has to last until %(until)s before people are told."),
            "group_interval": _("Its group was told of a moment ago; the next message follows at %(until)s."),
            "digest": _("It waits for the digest at %(until)s."),
        },
    ),
    RoutingReason.NEVER_TOLD: (
        "held_by",
        {
            "in_maintenance": _("It resolved during the maintenance, before it was told."),
            "parent_down": _("It resolved while “%(parent_name)s”, which its target depends on, had an outage."),
            "same_cause": _("It resolved while others of its provider failed in the same way, one told for all."),
            "higher_severity": _("It resolved while the same target had a critical alert, before it was told."),
            "silenced": _("It resolved while it was silenced, before it was told."),
            "quiet_hours": _("It resolved within the channel's quiet hours, before it was told."),
        },
    ),
}

_STEPS: dict[StepReason, Any] = {
    StepReason.ROOT: _("Every channel that is in no route hears of everything."),
    StepReason.MATCHES: _("It matches."),
    StepReason.DISABLED: _("It is switched off."),
    StepReason.UNREADABLE: _("What it takes cannot be read; save it again."),
    StepReason.NOT_NOW: _("It is not active at this time."),
    StepReason.MATCHER: _("The condition %(matcher)s does not hold."),
    StepReason.NOT_ASKED: _("It was not asked, because an earlier route took it."),
}


def decision_sentence(outcome: str, stage: str, reason: str, detail: Mapping[str, Any] | None = None) -> str:
    """One stored decision as a sentence in the active language and time zone; plain text, to be escaped.

    What a newer version has stored is said with its code and its outcome, never with an error.
    """
    try:
        known = RoutingReason(reason)
    except ValueError:
        return gettext(
            "The stage “%(stage)s” decided “%(outcome)s” for the reason “%(reason)s”, which is unknown here."
        ) % {
            "stage": stage_label(stage),
            "outcome": outcome,
            "reason": reason,
        }
    values = dict(detail or {})
    closer_by, closer = _CLOSER.get(known, ("", {}))
    templates = [closer[values[closer_by]]] if values.get(closer_by) in closer else []
    return _first_complete([*templates, *_SENTENCES[known]], _readable(values))


def stage_label(stage: str) -> str:
    """The name of a stage in the active language; an unknown one is shown as it is."""
    return str(_STAGES.get(stage, stage))


def step_sentence(step: Step) -> str:
    """Why a route did or did not take an alert, in the active language; plain text, to be escaped."""
    matcher = step.matcher.as_text() if step.matcher else ""
    return str(_STEPS[step.why]) % {"matcher": matcher}


def _first_complete(templates: list[Any], values: Mapping[str, str]) -> str:
    """The first template all of whose values are there. The last one needs none."""
    for template in templates[:-1]:
        try:
            return str(template) % values
        except KeyError:
            continue
    return str(templates[-1])


def _readable(detail: Mapping[str, Any]) -> dict[str, str]:
    """Values as people read them: moments in the active time zone, and nothing that is not there."""
    values = {name: str(value) for name, value in detail.items() if value not in (None, "")}
    if "until" in values:
        moment = _moment(values.pop("until"))
        if moment is not None:
            local = timezone.localtime(moment)
            pattern = pgettext("date and time, as in Django's date filter", "j M Y, H:i:s")
            values["until"] = f"{format_date(local, pattern)} {local.tzname() or ''}".strip()
    return values


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if timezone.is_aware(moment) else None
