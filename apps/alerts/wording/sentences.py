"""What one alert says, in the active language: its reason as a sentence with its evidence, and the words around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.channels.base import DeliveryReason
from apps.alerts.wording.quantities import quantity
from apps.alerts.wording.text import one_line
from apps.checks import reasons

SEVERITY_WORDS: dict[str, Any] = {
    "critical": gettext_lazy("Critical"),
    "warning": gettext_lazy("Warning"),
    "info": gettext_lazy("Info"),
}
CAUSE_WORDS: dict[str, Any] = {
    "status": gettext_lazy("Status"),
    "latency": gettext_lazy("Response time"),
    "uptime": gettext_lazy("Uptime"),
    "certificate": gettext_lazy("Certificate"),
    "cache_hit_rate": gettext_lazy("Cache hit rate"),
    "first_token": gettext_lazy("Time to the first token"),
    "tokens_per_second": gettext_lazy("Tokens a second"),
    "ai_errors": gettext_lazy("Errors of a model"),
    "lateness": gettext_lazy("Lateness of the checks"),
    "catalog_drift": gettext_lazy("Models that changed at the provider"),
    "budget": gettext_lazy("Budget of a provider"),
    "budget_total": gettext_lazy("Budget of all providers"),
    "channel": gettext_lazy("A channel that is broken"),
}
_ABOVE: dict[str, Any] = {
    "latency": gettext_lazy("The response time is %(value)s; more than %(level)s is too slow."),
    "first_token": gettext_lazy("The first token comes after %(value)s; more than %(level)s is too slow."),
    "ai_errors": gettext_lazy("%(value)s of the looks end with errors of this rule; at most %(level)s may."),
    "lateness": gettext_lazy("The portal's own checks run %(value)s late; at most %(level)s are allowed."),
    "catalog_drift": gettext_lazy("The provider's list differs by %(value)s models; at most %(level)s are allowed."),
    "budget": gettext_lazy("%(value)s of this month's cap is spent. At 100 %% paid looks stop until the next month."),
    "budget_total": gettext_lazy(
        "%(value)s of this month's cap of all providers is spent. At 100 %% paid looks stop until the next month."
    ),
    "": gettext_lazy("%(cause)s is %(value)s; at most %(level)s is allowed."),
}
_BELOW: dict[str, Any] = {
    "uptime": gettext_lazy("The uptime is %(value)s; at least %(level)s is wanted."),
    "certificate": gettext_lazy("The certificate expires in %(value)s; at least %(level)s must be left."),
    "cache_hit_rate": gettext_lazy("The cache answers %(value)s of the questions; at least %(level)s is wanted."),
    "tokens_per_second": gettext_lazy("It writes %(value)s; at least %(level)s are wanted."),
    "": gettext_lazy("%(cause)s is %(value)s; at least %(level)s is wanted."),
}


def sentence_of(entry: Mapping[str, Any]) -> str:
    """Why: what was found and what was expected. Text from outside in it is on one line, and nothing more."""
    cause = str(entry.get("cause") or "")
    words = _WORDS_OF_CAUSE.get(cause, _measured)
    return one_line(words(entry))


def cause_words(cause: str) -> str:
    return str(CAUSE_WORDS.get(cause) or one_line(cause.replace("_", " "), 60))


def _status(entry: Mapping[str, Any]) -> str:
    evidence = entry.get("evidence")
    if not entry.get("reason"):
        return str(_("Its status is not as it should be."))
    return reasons.sentence(str(entry["reason"]), dict(evidence) if isinstance(evidence, Mapping) else {})


def _channel(entry: Mapping[str, Any]) -> str:
    code = str(entry.get("reason") or "")
    if code in set(DeliveryReason):
        return _("Nothing arrives through this channel: %(reason)s.") % {"reason": DeliveryReason(code).label}
    return _("Nothing arrives through this channel.")


def _test(entry: Mapping[str, Any]) -> str:
    return _("If you can read this, the channel works.")


def _measured(entry: Mapping[str, Any]) -> str:
    cause = str(entry.get("cause") or "")
    name = cause_words(cause)
    if entry.get("reason") == "no_data":
        return _("%(cause)s: there is no data any more.") % {"cause": name}
    value, level = entry.get("value"), entry.get("level")
    if value is None:
        return _status(entry) if entry.get("reason") else name
    unit = str(entry.get("unit") or "")
    values = {"cause": name, "value": quantity(value, unit), "level": quantity(level, unit)}
    if level is None:
        return _("%(cause)s is %(value)s.") % values
    table = _BELOW if str(entry.get("operator") or "").startswith("<") else _ABOVE
    return str(table.get(cause) or table[""]) % values


_WORDS_OF_CAUSE: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "status": _status,
    "channel": _channel,
    "test": _test,
}
