"""Writing guards. Each step is one transaction with its audit entry; workers hear of it with their next batch."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.models import Region
from apps.checks.guards.selectors import forget_jobs, guard_kinds, masked_config
from apps.checks.models.guard import Guard, LineState
from apps.checks.regions.selectors import is_served, unserved_sentence
from apps.checks.services import validate_config
from apps.core.news import announce
from apps.probes.base import ProbeKind

EDITABLE = ("name", "timeout_seconds", "enabled")
# While failures flow each worker process looks at all of them once a second.
MOST_IN_A_REGION = 10
SHORTEST_SECONDS = 0.1
# A failure waits for a look that begins within a second, and no longer than its own look still counts. A guard that
# answers later than this would seem to answer, and never be heard in time: every outage would be called a lost line.
LONGEST_SECONDS = 3.0


@transaction.atomic
def create_guard(*, actor: User | None, region: Region, kind: str, config: object, **fields: Any) -> Guard:
    """Make a guard of a region: `name`, and optionally `timeout_seconds` and `enabled`. Raises ValidationError."""
    # Two at once must not make one too many.
    Region.objects.select_for_update().get(pk=region.pk)
    if region.guards.count() >= MOST_IN_A_REGION:
        raise ValidationError(
            {"region": [_("A region has at most %(number)s guards; remove one first.") % {"number": MOST_IN_A_REGION}]}
        )
    guard = Guard(region=region, kind=kind, **_given(fields))
    guard.config = _valid(guard, config, stored=None)
    guard.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=guard)
    _tell(guard)
    return guard


@transaction.atomic
def update_guard(*, actor: User | None, guard: Guard, config: object = None, **fields: Any) -> Guard:
    """Edit a guard. What was found at it as it was before is forgotten. Raises ValidationError by field."""
    row = Guard.objects.select_for_update(of=("self",)).select_related("region").get(pk=guard.pk)
    before = _values(row)
    for name, value in _given(fields).items():
        setattr(row, name, value)
    row.config = _valid(row, masked_config(row) if config is None else config, stored=row.config)
    row.save(update_fields=[*EDITABLE, "config"])
    after = _values(row)
    changes = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    if changes.keys() - {"name"} or config is not None:
        _forget_what_was_found(row)
    record_audit(actor=actor, action="update", subject=row, changes=changes)
    _tell(row)
    return row


@transaction.atomic
def delete_guard(*, actor: User | None, guard: Guard) -> None:
    """Remove a guard. A region without any hands over every failure as it is."""
    record_audit(actor=actor, action="delete", subject=guard)
    _tell(guard)
    guard.delete()


def warnings_of(guard: Guard) -> list[str]:
    """What the person who saved it should know; one round trip to the broker."""
    slug = guard.region.slug
    return [] if is_served(slug) else [unserved_sentence(slug)]


def guard_kind(name: str) -> ProbeKind[Any]:
    """The kind called `name`, if a guard may have it. Raises ValidationError on `kind`, naming those it may have."""
    kinds = {kind.name: kind for kind in guard_kinds()}
    if name not in kinds:
        message = _("A guard cannot be of the kind “%(kind)s”; it can be %(known)s.")
        raise ValidationError({"kind": [message % {"kind": name, "known": ", ".join(kinds)}]})
    return kinds[name]


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if name in EDITABLE}
    if isinstance(given.get("name"), str):
        given["name"] = given["name"].strip()
    return given


def _values(guard: Guard) -> dict[str, Any]:
    return {**{name: getattr(guard, name) for name in EDITABLE}, "config": masked_config(guard)}


def _valid(guard: Guard, config: object, stored: dict[str, Any] | None) -> dict[str, Any]:
    """The sealed config. Every error at once, by field; nothing was written before."""
    errors: dict[str, Any] = {}
    sealed: dict[str, Any] = {}
    try:
        sealed = validate_config(guard_kind(guard.kind), config, stored)
    except ValidationError as error:
        errors.update(error.message_dict)
    try:
        guard.clean_fields(exclude={"region", "kind", "config"})
        guard.validate_constraints()
    except ValidationError as error:
        # The only constraint is the name within the region: say it there.
        errors.update({"name" if field == "__all__" else field: texts for field, texts in error.message_dict.items()})
    if "timeout_seconds" not in errors and not SHORTEST_SECONDS <= guard.timeout_seconds <= LONGEST_SECONDS:
        limits = {"shortest": SHORTEST_SECONDS, "longest": f"{LONGEST_SECONDS:g}"}
        errors["timeout_seconds"] = [_("The timeout must be from %(shortest)s to %(longest)s s.") % limits]
    if errors:
        raise ValidationError(errors)
    return sealed


def _forget_what_was_found(guard: Guard) -> None:
    guard.state, guard.since, guard.last_looked_at = LineState.UNKNOWN, None, None
    guard.reason, guard.evidence = "", {}
    guard.save(update_fields=["state", "since", "last_looked_at", "reason", "evidence"])


def _tell(guard: Guard) -> None:
    transaction.on_commit(forget_jobs)
    announce("region.line", [guard.region_id], None)
