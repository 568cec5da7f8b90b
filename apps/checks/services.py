"""Writing checks: make, edit, pause, remove, run now. Each is one transaction with its schedule, status and audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.models import Region, Target, TargetKind
from apps.catalog.status import Status
from apps.checks import incidents, schedule, settling
from apps.checks.board import Board
from apps.checks.heartbeats.following import follow_check
from apps.checks.models import Check, CheckRegion, CheckRun, CheckStatus, Incident
from apps.checks.provider_keys import with_provider, without_an_endpoint
from apps.checks.regions.choice import Choice, choose, store
from apps.checks.state import NOT_MEASURED
from apps.core import cache, clock, kindconfig
from apps.core.clock import database_moment, database_now
from apps.core.ids import uuid7
from apps.core.news import announce
from apps.core.registry import UnknownEntry
from apps.core.secrets import seal, unseal
from apps.probes.base import PROBE_KINDS, ProbeKind

EDITABLE = (
    "name",
    "interval_seconds",
    "retry_interval_seconds",
    "timeout_seconds",
    "failure_threshold",
    "recovery_threshold",
    "degraded_after_ms",
    "quorum",
    "affects_status",
    "enabled",
)
# How long somebody waits for a run before asking again makes a new one: the timeout and the way there and back.
RUN_PATIENCE_SECONDS = 30


class CheckGone(Http404):
    """An edit met a removal: pages and API answer that there is no such check."""


def probe_kind(name: str) -> ProbeKind[Any]:
    """The kind called `name`. Raises ValidationError on `kind`, naming the known ones."""
    try:
        return PROBE_KINDS.get(name)
    except UnknownEntry as error:
        raise ValidationError({"kind": [str(error)]}) from error


def validate_config(kind: ProbeKind[Any], config: object, stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """The config as it is stored: every field valid, secrets sealed. Raises ValidationError on `config.<path>`.

    `stored` (sealed) supplies the secrets a caller sent masked or left out.
    """
    if not isinstance(config, dict):
        raise ValidationError({"config": [_("Send an object with the settings of this kind.")]})
    try:
        opened = kindconfig.unseal(kind.Config, stored, unseal) if stored else None
        merged = kindconfig.merge(kind.Config, opened, config) if opened is not None else config
        kindconfig.decode(kind.Config, merged)
    except kindconfig.ConfigError as error:
        raise ValidationError(
            {f"config.{path}" if path else "config": messages for path, messages in error.errors.items()}
        ) from error
    return kindconfig.seal(kind.Config, merged, seal)


def open_config(check: Check) -> dict[str, Any]:
    """The plain config, for the message to a probe worker and for nothing else."""
    kind = probe_kind(check.kind)
    return with_provider(check.target, kind, kindconfig.unseal(kind.Config, check.config, unseal))


def masked_config(check: Check) -> dict[str, Any]:
    """The config as people may see it."""
    return kindconfig.mask(probe_kind(check.kind).Config, check.config)


@transaction.atomic
def create_check(
    *,
    actor: User | None,
    target: Target,
    kind: str,
    config: object,
    only_regions: Iterable[Region] | None = None,
    **fields: Any,
) -> Check:
    """Make a check and its schedule; the first look is due at once. Raises ValidationError by field.

    Without `only_regions` (or with none in it) it is looked at from every enabled region.
    """
    probe = probe_kind(kind)
    Board.load([target.pk])
    if not Target.objects.present().filter(pk=target.pk).exists():
        raise ValidationError({"target": [_("This target was removed.")]})
    check = Check(
        target=target,
        kind=kind,
        **{
            "name": str(probe.label),
            **_interval_of(probe),
            "timeout_seconds": probe.default_timeout_seconds,
            "affects_status": probe.default_affects_status,
            "failure_threshold": probe.default_failure_threshold,
            **_given(fields),
        },
    )
    if "timeout_seconds" not in fields and check.timeout_seconds > check.interval_seconds:
        check.timeout_seconds = float(check.interval_seconds)
    choice = choose(check, only_regions, quorum_given="quorum" in fields)
    check.config = _valid(check, probe, config, choice, stored=None)
    now = clock.now()
    check.enabled_at = now if check.enabled else None
    check.save(force_insert=True)
    store(check, choice)
    CheckStatus.objects.create(source_check=check, since=now)
    _sync(check)
    settle_targets([target.pk])
    record_audit(actor=actor, action="create", subject=check)
    _tell(check)
    return check


@transaction.atomic
def update_check(
    *,
    actor: User | None,
    check: Check,
    config: object = None,
    only_regions: Iterable[Region] | None = None,
    **fields: Any,
) -> Check:
    """Edit a check. Whatever is in flight for the check as it was no longer counts. Raises ValidationError by field.

    `only_regions` None leaves the choice as it is; an empty one means every enabled region.
    """
    row = _as_it_is(check)
    before, config_before = {name: getattr(row, name) for name in EDITABLE}, row.config
    for name, value in _given(fields).items():
        setattr(row, name, value)
    probe = probe_kind(row.kind)
    sent = masked_config(row) if config is None else config
    choice = choose(row, only_regions, quorum_given="quorum" in fields)
    row.config = _valid(row, probe, sent, choice, stored=row.config)
    if row.enabled and not before["enabled"]:
        row.enabled_at = clock.now()
    row.save(update_fields=[*EDITABLE, "config", "enabled_at", "updated_at"])
    moved = store(row, choice)
    _sync(row, rescheduled=row.config != config_before)
    if not row.enabled:
        CheckStatus.objects.filter(source_check=row).update(verdict="unknown", reason="paused", since=clock.now())
    if not row.affects_status:
        _close_if_nothing_counts(row.target_id, actor)
    settle_targets([row.target_id])
    changes = {name: [before[name], getattr(row, name)] for name in EDITABLE if before[name] != getattr(row, name)}
    record_audit(actor=actor, action="update", subject=row, changes=changes | ({"regions": moved} if moved else {}))
    _tell(row)
    return row


@transaction.atomic
def delete_check(*, actor: User | None, check: Check) -> None:
    """Remove a check: out of every list and the schedule at once. The last one's removal closes the incident."""
    row = _as_it_is(check)
    row.deleted_at = clock.now()
    row.enabled = False
    row.save(update_fields=["deleted_at", "enabled", "updated_at"])
    _sync(row)
    _close_if_nothing_counts(row.target_id, actor)
    settle_targets([row.target_id])
    record_audit(actor=actor, action="delete", subject=row)
    _tell(row)


def _sync(check: Check, *, rescheduled: bool = False) -> None:
    """Bring its schedule in step with it; of a check that is told, what it expects too."""
    schedule.sync_regions(check)
    if probe_kind(check.kind).transport == "push":
        follow_check(check, rescheduled=rescheduled)


def _as_it_is(check: Check) -> Check:
    """The row as it is now, under the locks every writer takes: statuses first, then the check.

    What the caller holds may be older than a removal, a pause or a switch that somebody else has just made.
    """
    Board.load([check.target_id])
    rows = Check.objects.present().select_for_update(of=("self",)).select_related("target")
    row = rows.filter(pk=check.pk).first()
    if row is None:
        raise CheckGone(_("This check was removed."))
    return row


def _close_if_nothing_counts(target_id: UUID, actor: User | None) -> None:
    """Nothing that may turn the target looks any more: what is open can never recover by measurement."""
    if not Check.objects.present().filter(target_id=target_id, affects_status=True).exists():
        incidents.close_open_incidents(
            target_ids=[target_id], resolution=Incident.Resolution.CHECK_REMOVED, actor=actor
        )


@transaction.atomic
def follow_target_switch(*, target_ids: Iterable[UUID], removed: bool, actor: User | None = None) -> None:
    """Targets were enabled, disabled or removed: bring schedules, statuses and incidents in step."""
    identifiers = list(target_ids)
    Board.load(identifiers)
    for check in Check.objects.filter(target_id__in=identifiers, deleted_at__isnull=True).select_related("target"):
        _sync(check)
    if removed:
        incidents.close_open_incidents(
            target_ids=identifiers, resolution=Incident.Resolution.TARGET_REMOVED, actor=actor
        )
    settle_targets(identifiers)


SETTLED_AT_ONCE = 500


def follow_region(*, region: Region) -> None:
    """A region was switched on or off: every check gains or loses its row there. A few hundred targets at a time."""
    rows = Check.objects.present()
    if region.enabled:
        # One that names other regions is not looked at from here, and what it has in flight is not disturbed.
        rows = rows.filter(Q(only_regions__isnull=True) | Q(only_regions=region))
        rows = rows.exclude(regions__in=CheckRegion.objects.filter(region=region, enabled=True))
    else:
        rows = rows.filter(regions__region=region, regions__enabled=True)
    targets = sorted(set(rows.values_list("target_id", flat=True)))
    for start in range(0, len(targets), SETTLED_AT_ONCE):
        follow_target_switch(target_ids=targets[start : start + SETTLED_AT_ONCE], removed=False)


@transaction.atomic
def request_run(*, actor: User | None, check: Check) -> CheckRun:
    """Look now. While one is pending the same run is returned, so a second click asks for nothing new.

    An enabled check's run counts like any look; a paused check's is shown and changes no status. The message is sent
    once the run is committed. Raises ConnectionError (of the broker) then; the run is withdrawn.
    Raises ValidationError for a check that is told: there is nothing to look at.
    """
    from apps.checks.dispatch import send_run  # noqa: PLC0415 - dispatch reads this module's configs

    if probe_kind(check.kind).transport == "push":
        raise ValidationError(_("A heartbeat is heard, not looked at: send it a ping instead."))
    locked = Check.objects.select_for_update(of=("self",)).get(pk=check.pk)
    now = database_now()
    CheckRun.objects.filter(source_check=locked, finished_at__isnull=True, expires_at__lte=now).update(finished_at=now)
    pending = CheckRun.objects.filter(source_check=locked, finished_at__isnull=True).first()
    if pending is not None:
        return pending
    run = CheckRun.objects.create(
        id=uuid7(),
        source_check=locked,
        requested_by=actor,
        requested_at=now,
        expires_at=now + timedelta(seconds=locked.timeout_seconds + RUN_PATIENCE_SECONDS),
    )
    transaction.on_commit(lambda: send_run(run))
    return run


def _suited(probe: ProbeKind[Any]) -> str:
    """The kinds of targets a kind looks at, for a person."""
    return ", ".join(str(kind.label) for kind in TargetKind if kind in probe.target_kinds)


def _interval_of(probe: ProbeKind[Any]) -> dict[str, int]:
    """The kind's own; what is told has none."""
    return {} if probe.transport == "push" else {"interval_seconds": probe.default_interval_seconds}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in EDITABLE}


def _valid(
    check: Check, probe: ProbeKind[Any], config: object, choice: Choice, stored: dict[str, Any] | None
) -> dict[str, Any]:
    """Every error of the check at once, by field; nothing was written before."""
    errors: dict[str, Any] = dict(choice.errors(quorum=check.quorum, is_heard=probe.transport == "push"))
    sealed: dict[str, Any] = {}
    try:
        sealed = validate_config(probe, config, stored)
    except ValidationError as error:
        errors.update(error.message_dict)
    else:
        # Of a target that it does not suit nothing can be said of whom it would ask.
        if check.target.kind in probe.target_kinds:
            errors.update(without_an_endpoint(check.target, probe, sealed))
    try:
        check.clean_fields(exclude={"target", "config"})
        check.validate_constraints()
    except ValidationError as error:
        errors.update(_on_name(error.message_dict))
    if check.target.kind not in probe.target_kinds:
        errors.pop("__all__", None)
        errors.setdefault("kind", []).append(
            _("“%(kind)s” looks at: %(suited)s. This target is: %(target)s.")
            % {"kind": probe.label, "suited": _suited(probe), "target": check.target.get_kind_display()}
        )
    if "timeout_seconds" not in errors and check.timeout_seconds > check.interval_seconds:
        errors.setdefault("timeout_seconds", []).append(
            _("The timeout must not be longer than the interval (%(interval)s s).")
            % {"interval": check.interval_seconds}
        )
    if "retry_interval_seconds" not in errors and (check.retry_interval_seconds or 0) >= check.interval_seconds:
        errors.setdefault("retry_interval_seconds", []).append(
            _("Enter less than the interval (%(interval)s s), or leave it empty to keep to the interval.")
            % {"interval": check.interval_seconds}
        )
    if errors:
        raise ValidationError(errors)
    return sealed


def _on_name(messages: dict[str, list[str]]) -> dict[str, list[str]]:
    """The only constraint of a check is its name within the target: say it there."""
    return {"name" if field == "__all__" else field: texts for field, texts in messages.items()}


def settle_targets(target_ids: list[UUID]) -> None:
    """Decide these targets anew after their checks or rows changed. Runs inside the caller's transaction.

    A check that nothing looks at any more (its regions or its target are off) is not on a board, so it is told here.
    """
    board = Board.load(target_ids)
    now = database_moment()
    watched = CheckRegion.objects.filter(source_check=OuterRef("pk"), enabled=True)
    CheckStatus.objects.filter(~Exists(watched), source_check__target_id__in=target_ids).exclude(
        verdict=Status.UNKNOWN
    ).update(verdict=Status.UNKNOWN, reason=NOT_MEASURED, since=now)
    settling.settle(board, now)


def _tell(check: Check) -> None:
    cache.bump("targets")
    announce("check.changed", [check.pk], check.target.environment_id)
