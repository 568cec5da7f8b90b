"""What alerts, matchers and levels say, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.alerts.broken_channels import fault_words
from apps.alerts.matching import FIELDS, LABEL_CHOICES, Label
from apps.alerts.models import Alert, AlertSource, Rule
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.alerts.unreadable import shown
from apps.alerts.wording.quantities import quantity
from apps.catalog.naming import Name
from apps.checks.reasons import sentence as reason_sentence

_LABELS = dict(LABEL_CHOICES)
_CAUSES: dict[str, Any] = {
    "status": gettext_lazy("Status"),
    "channel": gettext_lazy("A channel that is broken"),
}
_MATCHES: dict[str, Any] = {
    "=": gettext_lazy("%(label)s is %(value)s"),
    "!=": gettext_lazy("%(label)s is not %(value)s"),
    "=~": gettext_lazy("%(label)s matches %(value)s"),
    "!~": gettext_lazy("%(label)s does not match %(value)s"),
}


def matcher_sentence(matcher: Mapping[str, str]) -> str:
    """ "severity is critical"."""
    label = str(_LABELS.get(matcher["label"], matcher["label"]))
    if not matcher["value"] and matcher["operator"] in ("=", "!="):
        empty = _("%(label)s is empty") if matcher["operator"] == "=" else _("%(label)s is not empty")
        return empty % {"label": label}
    pattern = _MATCHES.get(matcher["operator"], "%(label)s ? %(value)s")
    return str(pattern) % {"label": label, "value": matcher["value"]}


def matcher_sentences(matchers: object) -> list[str]:
    """Of those that can be read: what is stored may be older than this version."""
    return [matcher_sentence(matcher) for matcher in shown(matchers, FIELDS)]


def label_words(names: Iterable[str]) -> list[str]:
    """The names of labels, such as those alerts are grouped by."""
    return [str(_LABELS.get(name, name)) for name in names]


def label_rows(labels: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, str]]:
    """The labels of an alert as pairs of words, in their usual order, without empty ones.

    `names`: what rules are called in the reader's language.
    """
    found = []
    for name in Label:
        value = labels.get(name.value)
        texts = [str(one) for one in value] if isinstance(value, list | tuple) else [str(value or "")]
        text = ", ".join(names.get(one, one) if name == Label.RULE else one for one in texts)
        if text:
            found.append((str(_LABELS[name.value]), text))
    return found


def rule_name(rule: Rule) -> str:
    """Its name; that of a rule the portal came with, which nobody renamed, in the reader's language."""
    return _(rule.name) if rule.seed and rule.name else rule.name


def source_name(source: AlertSource) -> str:
    """The name of what says so, as it was; `source` has its rule at hand."""
    rule = source.rule
    return rule_name(rule) if rule is not None and rule.name == source.name else source.name


def cause_words(cause: str) -> str:
    """What an alert is about, in a word or two."""
    if cause in _CAUSES:
        return str(_CAUSES[cause])
    kind: RuleKind[Any] | None = next((kind for kind in RULE_KINDS if kind.cause == cause), None)
    return str(kind.label) if kind is not None else cause


def crossed(operator: str, value: float | None, level: float | None, unit: str) -> str:
    """ "2.4 s, above 2 s"; without a level the value alone."""
    shown = quantity(value, unit)
    if level is None:
        return shown
    pattern = _("%(value)s, below %(level)s") if operator == "<" else _("%(value)s, above %(level)s")
    return pattern % {"value": shown, "level": quantity(level, unit)}


def why(alert: Alert) -> str:
    """The cause as a sentence: what was found, and what was expected."""
    detail = alert.detail or {}
    subject = cause_words(alert.cause)
    if "fault" in detail:
        return fault_words(detail) or subject
    if isinstance(detail.get("value"), int | float):
        values = {"subject": subject, "found": crossed_of(detail)}
        return _("%(subject)s %(found)s") % values
    if alert.reason == "no_data":
        return _("%(subject)s: no data") % {"subject": subject}
    if alert.reason:
        evidence = detail.get("evidence")
        return reason_sentence(alert.reason, evidence if isinstance(evidence, dict) else {})
    return subject


def crossed_of(detail: Mapping[str, Any]) -> str:
    """`crossed` of what an alert or a source holds."""
    level = detail.get("level")
    number = float(level) if isinstance(level, int | float) else None
    value = detail.get("value")
    found = float(value) if isinstance(value, int | float) else None
    return crossed(str(detail.get("operator") or ">"), found, number, str(detail.get("unit") or ""))


def subject(alert: Alert) -> Name:
    """What it is about: the target by its full name, or what the portal watches of itself."""
    if alert.target is not None:
        return alert.target.full_name
    name = alert.labels.get("target")
    return Name(str(name) if name else _("The portal itself"))


def levels(rule: Rule, kind: RuleKind[Any] | None) -> str:
    """When a rule fires: "above 1 s warning, above 2 s critical"."""
    if kind is None or not kind.has_levels:
        return ""
    below = rule.operator == Rule.Operator.BELOW
    patterns = {
        "warning": _("below %(level)s: warning") if below else _("above %(level)s: warning"),
        "critical": _("below %(level)s: critical") if below else _("above %(level)s: critical"),
    }
    found = {"warning": rule.warning_level, "critical": rule.critical_level}
    parts = [
        patterns[name] % {"level": quantity(level, kind.unit)} for name, level in found.items() if level is not None
    ]
    return " · ".join(parts)
