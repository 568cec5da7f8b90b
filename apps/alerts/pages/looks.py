"""How alerts, rules, routes and silences look: a word, a colour token and a shape, the three always together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.alerts.looks import Look
from apps.alerts.models import Alert, Rule, Severity, Silence
from apps.alerts.stages.context import Outcome

_SEVERITIES: dict[str, tuple[str, str]] = {
    Severity.CRITICAL: ("bad", "outage"),
    Severity.WARNING: ("warn", "degraded"),
    Severity.INFO: ("info", "maintenance"),
}


def _look(word: Any, token: str, shape: str) -> Look:
    return Look(str(word), token, f"components/shapes/{shape}.html")


def severity_look(severity: str) -> Look:
    """The look of a severity; of a word we do not know, the word itself."""
    token, shape = _SEVERITIES.get(severity, ("mute", "unknown"))
    word = Severity(severity).label if severity in Severity.values else severity
    return _look(word, token, shape)


def alert_look(alert: Alert) -> Look:
    """Its severity while it fires."""
    if alert.resolved_at is not None:
        return _look(pgettext("an alert", "Resolved"), "mute", "operational")
    return severity_look(alert.severity)


def outcome_look(outcome: str) -> Look:
    """What the pipeline did for one channel."""
    words = {
        Outcome.SENT.value: (pgettext("an alert", "Told"), "ok", "operational"),
        Outcome.HELD.value: (pgettext("an alert", "Held"), "warn", "degraded"),
        Outcome.DROPPED.value: (pgettext("an alert", "Not told"), "mute", "unknown"),
    }
    return _look(*words.get(outcome, (outcome, "mute", "unknown")))


def waiting_look() -> Look:
    """On its way to a channel, and not yet there."""
    return _look(pgettext("an alert", "On its way"), "info", "maintenance")


def rule_look(rule: Rule, firing: int, pending: int, no_data: int) -> Look:
    """The worst that matters about a rule, in one word."""
    states = [
        (not rule.enabled, pgettext("a rule", "Off"), "mute", "unknown"),
        (bool(rule.problem), pgettext("a rule", "Not evaluated"), "bad", "outage"),
        (firing > 0, pgettext("a rule", "Firing"), "bad", "outage"),
        (pending > 0, pgettext("a rule", "Pending"), "warn", "degraded"),
        (no_data > 0, pgettext("a rule", "No data"), "mute", "unknown"),
        (rule.evaluated_at is None, _("Not evaluated yet"), "mute", "unknown"),
    ]
    fitting = (look for holds, *look in states if holds)
    return _look(*next(fitting, (pgettext("a rule", "OK"), "ok", "operational")))


def state_look(level: str, firing: bool) -> Look:
    """How far a rule has come for one target; `level` as it is stored, "" for well."""
    if level == "no_data":
        return _look(pgettext("a rule", "No data"), "mute", "unknown")
    if firing:
        return severity_look(level)
    return _look(pgettext("a rule", "Pending"), "warn", "degraded")


def silence_look(silence: Silence, now: datetime) -> Look:
    if silence.ends_at <= now:
        return _look(pgettext("a silence", "Ended"), "mute", "unknown")
    if silence.starts_at > now:
        return _look(pgettext("a silence", "Scheduled"), "mute", "maintenance")
    return _look(pgettext("a silence", "Active"), "info", "maintenance")
