"""Writing rules: one transaction each, with its audit entry, and what the person who saves should know.

What a rule says of targets follows at the next evaluation, seconds later: also when it is switched off or deleted.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts.models import Rule
from apps.alerts.ruling.validation import clean_rule
from apps.alerts.ruling.warnings import warnings_of
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7

# What somebody may set, beside the kind, which stays as it is.
FIELDS = (
    "name",
    "config",
    "environment",
    "matchers",
    "operator",
    "warning_level",
    "critical_level",
    "recovery_margin",
    "severity",
    "for_seconds",
    "no_data",
    "enabled",
)
# As many as are evaluated well within their rhythm.
MOST_RULES = 5_000
_KEEP_DELETED = timedelta(days=1)


def unsaved_rule(*, kind: str, **fields: Any) -> Rule:
    """A rule as `create_rule` would make it, every field valid. Raises ValidationError by field."""
    rule = Rule(id=uuid7(), kind=kind)
    _set(rule, {"name": "", "config": {}, **fields})
    clean_rule(rule)
    return rule


@transaction.atomic
def create_rule(
    *,
    actor: User | None,
    name: str,
    kind: str,
    config: object = None,
    environment: Environment | None = None,
    seed: str = "",
    **fields: Any,
) -> tuple[Rule, list[str]]:
    """Make a rule; `fields` are the rest of FIELDS. Returns it with warnings. Raises ValidationError by field."""
    given = {} if config is None else config
    rule = unsaved_rule(kind=kind, name=name, config=given, environment=environment, **fields)
    rule.seed = seed
    if Rule.objects.present().count() >= MOST_RULES:
        raise ValidationError(
            {"name": [_("There are %(most)s rules, which is the most there may be.") % {"most": MOST_RULES}]}
        )
    _save(rule, new=True)
    record_audit(actor=actor, action="create", subject=rule, changes={"kind": [None, kind], "config": [None, given]})
    return rule, warnings_of(rule)


@transaction.atomic
def update_rule(*, actor: User | None, rule: Rule, **fields: Any) -> tuple[Rule, list[str]]:
    """Edit any of FIELDS. Returns it with warnings. Raises ValidationError by field."""
    row = Rule.objects.select_for_update(of=("self",)).select_related("environment").get(pk=rule.pk)
    before = {name: getattr(row, name) for name in FIELDS}
    _set(row, fields)
    # Whatever an older version has stored in it, a rule can be switched off.
    is_switched_off = fields == {"enabled": False}
    if not is_switched_off:
        clean_rule(row)
    changes = {name: [before[name], getattr(row, name)] for name in FIELDS if before[name] != getattr(row, name)}
    if changes:
        _save(row)
        record_audit(actor=actor, action="update", subject=row, changes=_shown(changes))
    return row, [] if is_switched_off else warnings_of(row)


@transaction.atomic
def delete_rule(*, actor: User | None, rule: Rule) -> None:
    """Remove a rule: out of every list at once, and what it said ends at the next evaluation."""
    rule.deleted_at, rule.enabled = clock.now(), False
    rule.save(update_fields=["deleted_at", "enabled", "updated_at"])
    record_audit(actor=actor, action="delete", subject=rule)


@transaction.atomic
def purge_deleted_rules() -> int:
    """Remove rules deleted a day ago. Default ones leave a trace, so that they are not made again."""
    old = Rule.objects.filter(deleted_at__lt=clock.now() - _KEEP_DELETED, seed="")
    return old.delete()[1].get("alerts.Rule", 0)


def _set(rule: Rule, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if name not in FIELDS:
            raise TypeError(f"A rule has no field {name!r} that can be set.")
        setattr(rule, name, value)


def _shown(changes: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        name: [str(value) if isinstance(value, Environment) else value for value in values]
        for name, values in changes.items()
    }


def _save(rule: Rule, *, new: bool = False) -> None:
    try:
        with transaction.atomic():
            rule.save(force_insert=new)
    except IntegrityError as error:
        if "alerts_rule_name_unique" not in str(error):
            raise
        raise ValidationError({"name": [_("A rule with this name exists.")]}) from error
