"""What a rule must be to be saved: every field that is wrong, with a sentence."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.alerts import matching
from apps.alerts.matching import Label
from apps.alerts.models import Rule, Severity
from apps.alerts.rule_kinds.base import RULE_KINDS, RuleKind
from apps.core import kindconfig
from apps.core.registry import UnknownEntry

LONGEST_FOR_SECONDS = 30 * 86_400
_LARGEST = 1e12
# What a target is known by; the rest is only known once there is an alert.
TARGET_LABELS = (Label.ENVIRONMENT, Label.KIND, Label.TARGET, Label.PROVIDER, Label.TAG)

Errors = dict[str, list[Any]]


def rule_kind(name: object) -> RuleKind[Any]:
    """The kind called `name`. Raises ValidationError on `kind`, naming the known ones."""
    try:
        return RULE_KINDS.get(name if isinstance(name, str) else "")
    except UnknownEntry as error:
        known = ", ".join(RULE_KINDS.names())
        sentence = _("There is no kind of rule “%(name)s”. Known: %(known)s.")
        raise ValidationError({"kind": [sentence % {"name": str(name)[:40], "known": known}]}) from error


def clean_rule(rule: Rule) -> None:
    """Bring every field of an unsaved or edited rule into its stored form. Raises ValidationError by field."""
    kind = rule_kind(rule.kind)
    errors: Errors = {}
    rule.name, errors["name"] = _name(rule.name)
    rule.config, found = _config(kind, rule.config)
    errors.update(found)
    errors.update(_reach(rule, kind))
    errors.update(_choices(rule))
    numbers = _numbers(rule)
    errors.update(numbers)
    if not numbers:
        errors.update(_levels(rule) if kind.has_levels else _state(rule))
    wrong = {path: sentences for path, sentences in errors.items() if sentences}
    if wrong:
        raise ValidationError(wrong)


def _name(name: object) -> tuple[str, list[Any]]:
    clean = name.strip() if isinstance(name, str) else ""
    if not clean or len(clean) > 200 or not clean.isprintable():
        return clean, [_("Give the rule a name of 1 to 200 printable characters.")]
    return clean, []


def _config(kind: RuleKind[Any], config: object) -> tuple[dict[str, Any], Errors]:
    if not isinstance(config, dict):
        return {}, {"config": [_("Send an object with the settings of this kind.")]}
    try:
        decoded = kindconfig.decode(kind.Config, config)
    except kindconfig.ConfigError as error:
        return config, {f"config.{path}" if path else "config": list(found) for path, found in error.errors.items()}
    # With what was left out: a default that changes one day changes no rule that is there.
    return msgspec.to_builtins(decoded), {}


def _reach(rule: Rule, kind: RuleKind[Any]) -> Errors:
    """Which targets it is about."""
    stored, found = matching.parse(rule.matchers)
    if found:
        return {f"matchers.{path}" if path else "matchers": sentences for path, sentences in found.items()}
    rule.matchers = stored
    errors: Errors = {}
    for number, matcher in enumerate(stored):
        if matcher["label"] not in TARGET_LABELS:
            known = ", ".join(TARGET_LABELS)
            errors[f"matchers.{number}.label"] = [_("A rule chooses targets by %(known)s.") % {"known": known}]
    if not kind.per_target and stored:
        errors["matchers"] = [_("This is about the portal itself, not about targets; leave the matchers out.")]
    if not kind.per_target and rule.environment_id is not None:
        errors["environment"] = [_("The portal itself belongs to no environment; leave it out.")]
    return errors


def _choices(rule: Rule) -> Errors:
    errors: Errors = {}
    if rule.operator not in Rule.Operator.values:
        errors["operator"] = [_("Choose > (above) or < (below).")]
    if rule.no_data not in Rule.NoData.values:
        errors["no_data"] = [_("Choose keep, resolve or alert.")]
    if rule.severity and rule.severity not in Severity.values:
        errors["severity"] = [_("Choose critical, warning or info.")]
    return errors


def _numbers(rule: Rule) -> Errors:
    errors: Errors = {}
    for name in ("warning_level", "critical_level", "recovery_margin"):
        value = getattr(rule, name)
        if value is None and name != "recovery_margin":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not _is_sane(float(value)):
            errors[name] = [_("Enter a number.")]
        elif name == "recovery_margin" and value < 0:
            errors[name] = [_("Enter a number of 0 or more.")]
        else:
            setattr(rule, name, float(value))
    seconds = rule.for_seconds
    if seconds is not None and (type(seconds) is not int or not 0 <= seconds <= LONGEST_FOR_SECONDS):
        bounds = {"low": 0, "high": LONGEST_FOR_SECONDS}
        errors["for_seconds"] = [_("Enter a whole number from %(low)s to %(high)s.") % bounds]
    return errors


def _is_sane(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= _LARGEST


def _levels(rule: Rule) -> Errors:
    """Rules of a kind about a number."""
    warning, critical = rule.warning_level, rule.critical_level
    if rule.severity:
        return {"severity": [_("The levels say how bad it is; leave the severity out.")]}
    if warning is None and critical is None:
        return {"critical_level": [_("Enter a warning level, a critical level, or both.")]}
    if warning is not None and critical is not None:
        if rule.operator == Rule.Operator.ABOVE and critical <= warning:
            return {"critical_level": [_("The critical level must be higher than the warning level.")]}
        if rule.operator == Rule.Operator.BELOW and critical >= warning:
            return {"critical_level": [_("The critical level must be lower than the warning level.")]}
    return {}


def _state(rule: Rule) -> Errors:
    """Rules of a kind about a state: critical unless somebody says otherwise."""
    given = [name for name in ("warning_level", "critical_level") if getattr(rule, name) is not None]
    if given:
        return {name: [_("This kind has no levels; choose a severity instead.")] for name in given}
    rule.severity = rule.severity or Severity.CRITICAL.value
    rule.operator, rule.recovery_margin = Rule.Operator.ABOVE.value, 0.0
    return {}
