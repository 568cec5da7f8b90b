"""Writing channels and asking for deliveries: one transaction each, with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Unpack
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.alerts.alert_messages import test_payload, web_url
from apps.alerts.channels.base import CHANNEL_KINDS, ChannelKind, MessageType
from apps.alerts.door import policy
from apps.alerts.loops import leads_home
from apps.alerts.messages import channel_test_payload
from apps.alerts.models import Channel, Notification
from apps.alerts.pipeline.enrolment import enrol_firing, is_machine
from apps.alerts.pipeline.lock import pipeline_lock
from apps.alerts.policy import ATTEMPTS_ALLOWED
from apps.alerts.speaking import Speaking, clean_speaking
from apps.alerts.tasks import wake
from apps.catalog.models import Environment
from apps.core import clock, kindconfig
from apps.core.addresses import RULE_LABELS
from apps.core.ids import uuid7
from apps.core.news import announce
from apps.core.registry import UnknownEntry
from apps.core.secrets import SecretUnreadable, seal, unseal

KEEP_FINISHED = timedelta(days=90)
_DELETE_AT_ONCE = 5_000
_FINISHED = (Notification.State.SENT, Notification.State.DEAD, Notification.State.DROPPED)


class DeliveryConflict(Exception):
    """The step is not possible as things stand; the message says why and what would be."""


# --- Channels ---------------------------------------------------------------------------------------------


def channel_kind(name: str) -> ChannelKind[Any]:
    """The kind called `name`. Raises ValidationError on `kind`, naming the known ones."""
    try:
        return CHANNEL_KINDS.get(name)
    except UnknownEntry as error:
        known = ", ".join(CHANNEL_KINDS.names())
        message = _("There is no channel kind “%(name)s”. Known: %(known)s.") % {"name": str(name)[:40], "known": known}
        raise ValidationError({"kind": [message]}) from error


def open_config(kind: ChannelKind[Any], config: object, stored: dict[str, Any] | None = None) -> OpenConfig:
    """A config from outside, every field valid, its secrets open. Raises ValidationError on `config.<path>`.

    `stored` (sealed) supplies the secrets a caller sent masked or left out.
    """
    if not isinstance(config, dict):
        raise ValidationError({"config": [_("Send an object with the settings of this kind.")]})
    try:
        given = kindconfig.merge(kind.Config, _unsealed(kind, stored, config), config) if stored else dict(config)
        kindconfig.decode(kind.Config, given)
    except kindconfig.ConfigError as error:
        raise ValidationError(
            {f"config.{path}" if path else "config": messages for path, messages in error.errors.items()}
        ) from error
    _refuse_addresses(kind, given)
    prepared = kind.prepare(given)
    paths = kindconfig.secret_paths(kind.Config)
    made = {path: prepared[path] for path in paths if path in prepared and prepared[path] != given.get(path)}
    return OpenConfig(prepared, made)


@dataclass(frozen=True)
class OpenConfig:
    """`values` with open secrets; `made` are those the portal has just made, which nobody has seen yet."""

    values: dict[str, Any] = field(repr=False)
    made: dict[str, Any] = field(repr=False)

    def sealed(self, kind: ChannelKind[Any]) -> dict[str, Any]:
        return kindconfig.seal(kind.Config, self.values, seal)

    def shown_once(self, kind: ChannelKind[Any]) -> dict[str, Any]:
        """As the answer to the write shows it: masked, but for what the portal made."""
        return {**kindconfig.mask(kind.Config, self.values), **self.made}


def _unsealed(kind: ChannelKind[Any], stored: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """The stored config, open. A secret of another key can be replaced, but not kept."""
    try:
        return kindconfig.unseal(kind.Config, stored, unseal)
    except SecretUnreadable as error:
        secrets = kindconfig.secret_paths(kind.Config)
        kept = [path for path in secrets if stored.get(path) and sent.get(path, kindconfig.MASK) == kindconfig.MASK]
        if kept:
            raise kindconfig.ConfigError({path: [str(error)] for path in kept}) from error
        return {name: value for name, value in stored.items() if name not in secrets}


def _refuse_addresses(kind: ChannelKind[Any], config: dict[str, Any]) -> None:
    """An address written out in a URL is judged when it is saved; a name, each time it is looked up.

    Nor may a channel lead to the portal itself: every message would make another.
    """
    errors: dict[str, list[str]] = {}
    for path, url in kind.urls(config).items():
        if leads_home(url):
            errors[f"config.{path}"] = [_("This is the portal itself. Enter the URL of whoever is to be told.")]
    for path, address in kind.addresses(config).items():
        rule = policy().refusal(address)
        if rule:
            sentence = _(
                "Channels reach public addresses only, and this one is not (%(rule)s). "
                "Whoever runs the portal can allow a range with PORTAL_CHANNEL_ALLOW."
            )
            errors.setdefault(f"config.{path}", []).append(sentence % {"rule": RULE_LABELS.get(rule, rule)})
    if errors:
        raise ValidationError(errors)


def made_secrets(kind: ChannelKind[Any], shown: dict[str, Any]) -> dict[str, str]:
    """Of a config as a write returned it: the secrets the portal has just made, by the field's label."""
    labels = {part.name: str(part.label) for part in kindconfig.form_fields(kind.Config)}
    paths = kindconfig.secret_paths(kind.Config)
    return {labels.get(path, path): shown[path] for path in paths if shown.get(path, "") not in ("", kindconfig.MASK)}


@transaction.atomic
def create_channel(
    *,
    actor: User | None,
    name: str,
    kind: str,
    config: object,
    environment: Environment | None = None,
    enabled: bool = True,
    **speaking: Unpack[Speaking],
) -> tuple[Channel, dict[str, Any]]:
    """Make a channel. Returns it with its config as it may be shown this once: a secret we made is readable in it.

    `speaking` are `language`, `time_zone`, `wording` and `quiet_hours`. Raises ValidationError by field.
    """
    chosen = channel_kind(kind)
    spoken = clean_speaking(speaking)
    opened = open_config(chosen, config)
    channel = Channel(id=uuid7(), name=_clean_name(name), kind=kind, environment=environment, enabled=enabled, **spoken)
    channel.config = opened.sealed(chosen)
    _save(channel, new=True)
    changes = {"kind": [None, kind], "config": [None, _audited(chosen, channel.config)]}
    record_audit(actor=actor, action="create", subject=channel, changes=changes)
    return channel, opened.shown_once(chosen)


@transaction.atomic
def update_channel(
    *, actor: User | None, channel: Channel, config: object = None, **fields: Any
) -> tuple[Channel, dict[str, Any]]:
    """Edit `name`, `environment`, `enabled`, `language`, `time_zone`, `wording`, `quiet_hours` and the config.

    Switching on or a new config closes the breaker; one that is on again hears how things stand.

    Returns it with its config as it may be shown this once. Raises ValidationError by field.
    """
    if fields.get("enabled") and Channel.objects.filter(pk=channel.pk, enabled=False).exists():
        # Groups are the pipeline's, and its lock comes before that of the row, as where messages are made.
        with pipeline_lock():
            edited = _edit_channel(actor, channel, config, fields)
            enrol_firing(edited[0], clock.database_moment())
        transaction.on_commit(wake, robust=True)
        return edited
    return _edit_channel(actor, channel, config, fields)


def _edit_channel(
    actor: User | None, channel: Channel, config: object, fields: dict[str, Any]
) -> tuple[Channel, dict[str, Any]]:
    row = Channel.objects.select_for_update().get(pk=channel.pk)
    chosen = channel_kind(row.kind)
    changes: dict[str, Any] = {}
    for attribute, value in {**fields, **clean_speaking(fields)}.items():
        clean = _clean_name(value) if attribute == "name" else value
        if getattr(row, attribute) != clean:
            changes[attribute] = [getattr(row, attribute), clean]
            setattr(row, attribute, clean)
    shown = kindconfig.mask(chosen.Config, row.config)
    if config is not None:
        opened = open_config(chosen, config, stored=row.config)
        before, row.config = row.config, opened.sealed(chosen)
        changes["config"] = [_audited(chosen, before), _audited(chosen, row.config)]
        shown = opened.shown_once(chosen)
    if config is not None or "enabled" in changes:
        row.disabled_reason, row.failures, row.open_until, row.open_since = "", 0, None, None
    _save(row)
    record_audit(actor=actor, action="update", subject=row, changes=changes)
    return row, shown


@transaction.atomic
def delete_channel(*, actor: User | None, channel: Channel) -> None:
    """Remove a channel: out of every list at once, and nothing more is sent through it. Its history stays a while."""
    channel.deleted_at, channel.enabled = clock.now(), False
    channel.save(update_fields=["deleted_at", "enabled", "updated_at"])
    record_audit(actor=actor, action="delete", subject=channel)


def _clean_name(name: str) -> str:
    clean = name.strip()
    if not clean or len(clean) > 200 or not clean.isprintable():
        raise ValidationError({"name": [_("Give the channel a name of 1 to 200 printable characters.")]})
    return clean


def _save(channel: Channel, *, new: bool = False) -> None:
    try:
        with transaction.atomic():
            channel.save(force_insert=new)
    except IntegrityError as error:
        if "alerts_channel_name_unique" not in str(error):
            raise
        raise ValidationError({"name": [_("A channel with this name exists.")]}) from error


def _audited(kind: ChannelKind[Any], config: dict[str, Any]) -> dict[str, Any]:
    """What the audit log keeps of a config: no secret, and of a URL only where it leads."""
    return {**kindconfig.without_private(kind.Config, config), "destination": kind.destination(config)}


# --- Deliveries -------------------------------------------------------------------------------------------


@transaction.atomic
def send_test(*, actor: User, channel: Channel) -> Notification:
    """Send one message now, tried once. Asking again while it is on its way gives the same one."""
    row = Channel.objects.select_for_update(of=("self",)).select_related("environment").get(pk=channel.pk)
    if not row.enabled or row.deleted_at is not None:
        raise DeliveryConflict(_("This channel is switched off. Switch it on to send a test."))
    waiting = row.notifications.filter(
        kind=MessageType.CHANNEL_TEST, state__in=[Notification.State.PENDING, Notification.State.SENDING]
    ).first()
    if waiting is not None:
        return waiting
    identifier, at = uuid7(), clock.now()
    notification = Notification.objects.create(
        id=identifier,
        channel=row,
        environment=row.environment,
        source=identifier,
        kind=MessageType.CHANNEL_TEST,
        payload=_test_payload(row, identifier, at),
        attempts_allowed=1,
        not_before=Now(),
        created_at=Now(),
    )
    notification.refresh_from_db(fields=["not_before", "created_at"])
    record_audit(actor=actor, action="test", subject=row)
    _set_going(notification)
    return notification


def _test_payload(channel: Channel, identifier: UUID, at: datetime) -> dict[str, Any]:
    if is_machine(channel):
        return channel_test_payload(channel, notification=identifier, at=at, web_url=web_url())
    return test_payload(channel, notification=identifier, at=at)


@transaction.atomic
def replay_notification(*, actor: User, notification: Notification) -> Notification:
    """Send it once more, with the same id, as often as a new one. Raises DeliveryConflict while it is on its way."""
    row = Notification.objects.select_for_update(of=("self",)).select_related("channel").get(pk=notification.pk)
    if row.state not in _FINISHED:
        raise DeliveryConflict(_("This notification is still on its way; there is nothing to repeat yet."))
    if row.channel.deleted_at is not None:
        raise DeliveryConflict(_("The channel of this notification was deleted, so it cannot be sent again."))
    if not row.channel.enabled:
        raise DeliveryConflict(_("The channel of this notification is switched off. Switch it on, then send it again."))
    before = row.state
    row.state, row.reason, row.finished_at, row.lease_until = Notification.State.PENDING, "", None, None
    row.attempts_allowed = row.attempts + (1 if row.kind == MessageType.CHANNEL_TEST else ATTEMPTS_ALLOWED)
    row.not_before = Now()
    row.save(update_fields=["state", "reason", "finished_at", "lease_until", "attempts_allowed", "not_before"])
    row.refresh_from_db(fields=["not_before"])
    record_audit(actor=actor, action="replay", subject=row, changes={"state": [before, row.state]})
    _set_going(row)
    return row


def _set_going(notification: Notification) -> None:
    announce("notification.pending", [notification.pk], notification.environment_id)
    transaction.on_commit(wake, robust=True)


# --- The broom --------------------------------------------------------------------------------------------


@transaction.atomic
def remove_old_notifications() -> int:
    """Remove finished notifications after 90 days, with their attempts. Returns how many rows went, in batches."""
    old = Notification.objects.filter(created_at__lt=clock.now() - KEEP_FINISHED, state__in=_FINISHED)
    identifiers = list(old.order_by("created_at").values_list("pk", flat=True)[:_DELETE_AT_ONCE])
    return Notification.objects.filter(pk__in=identifiers).delete()[0] if identifiers else 0


@transaction.atomic
def purge_deleted_channels() -> int:
    """Remove channels that were deleted and whose history has gone. Returns how many."""
    history = Notification.objects.filter(channel=OuterRef("pk"))
    return Channel.objects.filter(~Exists(history), deleted_at__isnull=False).delete()[0]
