"""Writing heartbeats: made with their check or by their short name, their addresses changed; ping keys.

Keyword arguments, one transaction each.
"""

from __future__ import annotations

import re
import secrets
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.models import Environment, Target, TargetKind
from apps.catalog.services import create_service
from apps.checks import services as checks
from apps.checks.heartbeats.following import SLUG_LENGTH
from apps.checks.models import Check, Heartbeat, PingKey
from apps.checks.models.heartbeat import new_push_token
from apps.core import clock
from apps.core.news import announce
from apps.core.secrets import digest, seal

KIND = "heartbeat"
# 24 random bytes: 32 characters that need no escaping in a URL.
_KEY_BYTES = 24
MOST_OPEN_KEYS = 10
# `?create=1` is open to whoever has the key: a client that makes names up must not fill the portal.
MOST_MADE_BY_PINGS = 1_000
_SLUG = re.compile(rf"[a-z0-9_-]{{1,{SLUG_LENGTH}}}")


# --- Heartbeats -----------------------------------------------------------------------------------------------


@transaction.atomic
def create_heartbeat(
    *, actor: User | None, target: Target, config: dict[str, Any], slug: str | None = None, **fields: Any
) -> Check:
    """Make a heartbeat check with its addresses. Raises ValidationError by field (`config.cron`, `slug`, …)."""
    if slug is not None:
        _check_slug(slug)
    check = checks.create_check(actor=actor, target=target, kind=KIND, config=config, **fields)
    if slug is not None:
        Heartbeat.objects.filter(pk=check.pk).update(slug=slug)
    return check


@transaction.atomic
def update_heartbeat(
    *, actor: User | None, check: Check, config: dict[str, Any], slug: str | None = None, **fields: Any
) -> Check:
    """Edit a heartbeat. Raises ValidationError by field."""
    if slug is not None:
        _check_slug(slug)
    row = checks.update_check(actor=actor, check=check, config=config, **fields)
    heartbeat = Heartbeat.objects.get(pk=check.pk)
    if slug is not None and slug != heartbeat.slug:
        before, heartbeat.slug = heartbeat.slug, slug
        heartbeat.save(update_fields=["slug"])
        record_audit(actor=actor, action="update", subject=row, changes={"slug": [before, slug]})
    return row


@transaction.atomic
def rotate_addresses(*, actor: User | None, check: Check) -> None:
    """New ping and push addresses; the old ones are unknown from now on. The short name stays."""
    changed = Heartbeat.objects.filter(pk=check.pk).update(ping_id=uuid4(), push_token=new_push_token())
    if not changed:
        raise checks.CheckGone(_("This check was removed."))
    record_audit(actor=actor, action="rotate", subject=check)
    announce("check.changed", [check.pk], check.target.environment_id)


def _check_slug(slug: str) -> None:
    if not _SLUG.fullmatch(slug):
        message = _("Use up to %(most)s small letters, digits, “-” and “_”, as in “nightly-backup”.")
        raise ValidationError({"slug": [message % {"most": SLUG_LENGTH}]})


# --- By short name --------------------------------------------------------------------------------------------


@transaction.atomic
def create_by_slug(*, environment_id: UUID, slug: str) -> UUID:
    """The id of the heartbeat check with this short name, made with a service of that name when there is none.

    Two at once make one. Raises ValidationError on `slug`: not a short name, or too many were made in this way.
    """
    _check_slug(slug)
    _one_at_a_time(environment_id)
    present = Heartbeat.objects.filter(
        source_check__target__environment_id=environment_id,
        source_check__deleted_at__isnull=True,
        source_check__target__deleted_at__isnull=True,
    )
    existing = present.filter(slug=slug).values_list("pk", flat=True).first()
    if existing is not None:
        return existing
    if present.filter(made_by_ping=True).count() >= MOST_MADE_BY_PINGS:
        message = _("Pings made %(most)s heartbeats here already. Remove some, or make this one by hand.")
        raise ValidationError({"slug": [message % {"most": MOST_MADE_BY_PINGS}]})
    target = _service(environment_id, slug)
    check = create_heartbeat(actor=None, target=target, config={}, slug=slug, name=_free_name(target, slug))
    Heartbeat.objects.filter(pk=check.pk).update(made_by_ping=True)
    return check.pk


def _one_at_a_time(environment_id: UUID) -> None:
    """Until the transaction ends: whoever makes the same name a moment later finds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('heartbeat'), hashtext(%s))", [str(environment_id)])


def _service(environment_id: UUID, slug: str) -> Target:
    """The service of that name, made when there is none."""
    named = Target.objects.present().filter(kind=TargetKind.SERVICE, name__iexact=slug)
    target = named.filter(environment_id=environment_id).first()
    if target is not None:
        return target
    environment = Environment.objects.get(pk=environment_id)
    return create_service(actor=None, name=slug, environment=environment).target


def _free_name(target: Target, slug: str) -> str:
    """The kind's own name, or the short name where the service has a check of that name."""
    label = str(checks.probe_kind(KIND).label)
    names = {name.lower() for name in Check.objects.present().filter(target=target).values_list("name", flat=True)}
    candidates = (label, slug, *(f"{slug} {number}" for number in range(2, len(names) + 3)))
    return next(name for name in candidates if name.lower() not in names)


# --- Ping keys ------------------------------------------------------------------------------------------------


@transaction.atomic
def open_ping_key(*, actor: User | None, environment: Environment) -> tuple[PingKey, str]:
    """A new key that opens every heartbeat of the environment by its short name; the key itself is second.

    Several may be open, so that clients can change over one by one. Raises ValidationError on `environment`.
    """
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    if PingKey.objects.filter(environment=environment, closed_at__isnull=True).count() >= MOST_OPEN_KEYS:
        message = _("This environment has %(most)s open ping keys; close one that nobody uses.")
        raise ValidationError({"environment": [message % {"most": MOST_OPEN_KEYS}]})
    plain = secrets.token_urlsafe(_KEY_BYTES)
    key = PingKey.objects.create(environment=environment, digest=digest(plain), sealed=seal(plain))
    record_audit(actor=actor, action="create", subject=key)
    return key, plain


@transaction.atomic
def close_ping_key(*, actor: User | None, key: PingKey) -> None:
    """Nobody can ping with this key any more. Closing a closed one changes nothing."""
    if PingKey.objects.filter(pk=key.pk, closed_at__isnull=True).update(closed_at=clock.now()):
        record_audit(actor=actor, action="close", subject=key)


@transaction.atomic
def rotate_ping_key(*, actor: User | None, key: PingKey) -> tuple[PingKey, str]:
    """Close the key and open another for the same environment."""
    close_ping_key(actor=actor, key=key)
    return open_ping_key(actor=actor, environment=key.environment)
