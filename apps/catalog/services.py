"""Writing the catalog: make, edit, switch and remove targets. Each is one transaction with its status row and audit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog import signals
from apps.catalog.models import AIModel, Environment, Provider, Service, Target, TargetKind, TargetStatus
from apps.core import cache, clock
from apps.core.addresses import RULE_LABELS, probe_policy
from apps.core.news import announce
from apps.core.secrets import seal

DEFAULT_ENVIRONMENT = "prod"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MAX_TAGS = 20
_URL = URLValidator(schemes=["http", "https"])


# --- Making ---------------------------------------------------------------------------------------------------


@transaction.atomic
def create_provider(
    *,
    actor: User | None,
    name: str,
    environment: Environment | None = None,
    base_url: str = "",
    api_key: str = "",
    tags: Iterable[str] = (),
) -> Provider:
    """Make a provider. Raises ValidationError by field; nothing is stored then."""
    errors = _collect(
        base_url=lambda: check_base_url(base_url),
        api_key=lambda: check_api_key(api_key),
    )
    target = _create_target(actor, TargetKind.PROVIDER, name, environment, tags, errors=errors)
    provider = Provider.objects.create(target=target, base_url=base_url, sealed_api_key=seal(api_key))
    _created(actor, target)
    return provider


@transaction.atomic
def create_model(*, actor: User | None, provider: Provider, name: str, tags: Iterable[str] = ()) -> AIModel:
    """Make a model of `provider`, in the provider's environment. Raises ValidationError by field."""
    environment = provider.target.environment
    target = _create_target(actor, TargetKind.MODEL, name, environment, tags, namespace=provider.pk)
    model = AIModel.objects.create(target=target, provider=provider)
    _created(actor, target)
    return model


@transaction.atomic
def create_service(
    *,
    actor: User | None,
    name: str,
    environment: Environment | None = None,
    url: str = "",
    description: str = "",
    tags: Iterable[str] = (),
) -> Service:
    """Make a service. Raises ValidationError by field."""
    errors = _collect(url=lambda: check_link(url), description=lambda: _check_text(description, 2_000))
    target = _create_target(actor, TargetKind.SERVICE, name, environment, tags, errors=errors)
    service = Service.objects.create(target=target, url=url, description=description)
    _created(actor, target)
    return service


def _create_target(
    actor: User | None,
    kind: TargetKind,
    name: str,
    environment: Environment | None,
    tags: Iterable[str],
    *,
    namespace: UUID | None = None,
    errors: dict[str, list[str]] | None = None,
) -> Target:
    """The target and its status row, `unknown` from birth, in one transaction."""
    del actor
    target = Target(
        kind=kind,
        name=name.strip(),
        namespace=namespace,
        environment=environment or Environment.objects.get(slug=DEFAULT_ENVIRONMENT),
        tags=list(tags),
    )
    _validate_target(target, errors or {})
    target.save(force_insert=True)
    TargetStatus.objects.create(target=target, since=clock.now())
    return target


def _created(actor: User | None, target: Target) -> None:
    record_audit(actor=actor, action="create", subject=target)
    _tell(target)


# --- Editing --------------------------------------------------------------------------------------------------

_TARGET_FIELDS = ("name", "tags")


@transaction.atomic
def update_target(*, actor: User | None, target: Target, **fields: Any) -> Target:
    """Change name, tags, enabled or what it depends on; what the kind adds too. Raises ValidationError by field.

    `fields` may hold: name, tags, enabled, depends_on; base_url, api_key (provider); url, description (service).
    """
    # Not the key: whoever records a change of this target's status only needs it to exist.
    target = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
    before = _picture(target)
    errors = _collect(
        base_url=lambda: check_base_url(fields.get("base_url", "")),
        api_key=lambda: _check_key_stays(target, fields),
        url=lambda: check_link(fields.get("url", "")),
        description=lambda: _check_text(fields.get("description", ""), 2_000),
        depends_on=lambda: check_dependencies(target, fields.get("depends_on", [])),
    )
    for name in _TARGET_FIELDS:
        if name in fields:
            setattr(target, name, fields[name].strip() if name == "name" else list(fields[name]))
    _validate_target(target, errors)
    target.save(update_fields=[*_TARGET_FIELDS, "updated_at"])
    _update_details(target, fields)
    if "depends_on" in fields:
        target.depends_on.set(fields["depends_on"])
    if "enabled" in fields and fields["enabled"] != target.enabled:
        switch_target(actor=actor, target=target, enabled=fields["enabled"])
    after = _picture(target)
    changes: dict[str, Any] = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if fields.get("api_key"):
        changes["api_key"] = ["••••••", "••••••"]
    if changes:
        record_audit(actor=actor, action="update", subject=target, changes=changes)
        _tell(target)
    return target


def _picture(target: Target) -> dict[str, Any]:
    return {"name": target.name, "tags": list(target.tags), "enabled": target.enabled}


def _update_details(target: Target, fields: dict[str, Any]) -> None:
    if target.kind == TargetKind.PROVIDER:
        _save_some(target.provider, fields, ("base_url",))
        if "api_key" in fields:
            target.provider.sealed_api_key = seal(fields["api_key"])
            target.provider.save(update_fields=["sealed_api_key"])
    elif target.kind == TargetKind.SERVICE:
        _save_some(target.service, fields, ("url", "description"))


def _save_some(row: models.Model, fields: dict[str, Any], names: tuple[str, ...]) -> None:
    given = [name for name in names if name in fields]
    for name in given:
        setattr(row, name, fields[name])
    if given:
        row.save(update_fields=given)


@transaction.atomic
def switch_target(*, actor: User | None, target: Target, enabled: bool) -> None:
    """Look at the target again, or stop looking: its schedule follows in the same transaction."""
    target.enabled = enabled
    target.save(update_fields=["enabled", "updated_at"])
    signals.target_switched.send(sender=Target, target_ids=[target.pk], actor=actor)
    _tell(target)


@transaction.atomic
def delete_target(*, actor: User | None, target: Target) -> None:
    """Remove a target at once from every list; a provider's models go with it. The rows are purged later."""
    family = [target, *Target.objects.present().filter(namespace=target.pk).order_by("pk")]
    now = clock.now()
    identifiers = [member.pk for member in family]
    Target.objects.filter(pk__in=identifiers).update(deleted_at=now, updated_at=now)
    signals.target_deleted.send(sender=Target, target_ids=identifiers, actor=actor)
    for member in family:
        record_audit(actor=actor, action="delete", subject=member)
        _tell(member)


# --- Rules of the fields --------------------------------------------------------------------------------------


def check_base_url(url: str) -> None:
    """An http(s) URL without user and password in it (those have fields of their own). Raises ValidationError."""
    if not url:
        return
    check_link(url)
    parts = urlsplit(url)
    _refuse_address(parts.hostname or "")
    if "@" in parts.netloc:
        raise ValidationError(_("Leave the user and password out of the address; enter the key in its own field."))


def _refuse_address(host: str) -> None:
    """An address written out is judged when it is saved; a name is judged by what it leads to, at every look."""
    try:
        address = str(ip_address(host))
    except ValueError:
        return
    rule = probe_policy(settings.PORTAL_PROBE_DENY).refusal(address)
    if rule is not None:
        raise ValidationError(
            _("The portal must not contact %(address)s (%(rule)s). Enter another address.")
            % {"address": address, "rule": RULE_LABELS.get(rule, rule)}
        )


def _check_key_stays(target: Target, fields: dict[str, Any]) -> None:
    """A stored key goes to the server it was given for and to no other: a new address takes the key again."""
    check_api_key(fields.get("api_key", ""))
    if target.kind != TargetKind.PROVIDER or "base_url" not in fields or "api_key" in fields:
        return
    if target.provider.sealed_api_key and _server(fields["base_url"]) != _server(target.provider.base_url):
        raise ValidationError(_("The address leads to another server: enter the key for it, or leave it empty."))


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def check_link(url: str) -> None:
    if not url:
        return
    _check_text(url, 500)
    try:
        _URL(url)
    except ValidationError:
        if not _is_plain_http(url):
            raise ValidationError(
                _("Enter a full address that begins with http:// or https://, such as https://example.com.")
            ) from None


def _is_plain_http(url: str) -> bool:
    """Names without a dot and bracketed addresses are good addresses inside a network; URLValidator refuses some."""
    return bool(re.fullmatch(r"https?://[A-Za-z0-9._\-\[\]:]+(/[^\s]*)?", url))


def check_api_key(key: str) -> None:
    if _CONTROL.search(key) or key != key.strip():
        raise ValidationError(_("The key holds a line break or a space at its edge: paste it again without."))
    if len(key) > 2_000:
        raise ValidationError(_("The key is longer than 2,000 characters."))


def _check_text(text: str, limit: int) -> None:
    if "\x00" in text:
        raise ValidationError(_("The text holds a NUL character; leave it out."))
    if len(text) > limit:
        raise ValidationError(_("At most %(limit)s characters, please.") % {"limit": limit})


def check_dependencies(target: Target, parents: Iterable[Target]) -> None:
    """No target may depend on itself, directly or around a corner; parents live in the same environment."""
    wanted = list(parents)
    if any(parent.environment_id != target.environment_id for parent in wanted):
        raise ValidationError(_("A target can only depend on targets of its own environment."))
    through = Target.depends_on.through
    seen: set[UUID] = set()
    level = {parent.pk for parent in wanted}
    while level:
        if target.pk in level:
            raise ValidationError(_("This would make the target depend on itself."))
        seen |= level
        next_level = through.objects.filter(from_target_id__in=level).values_list("to_target_id", flat=True)
        level = set(next_level) - seen


def _validate_target(target: Target, errors: dict[str, list[str]]) -> None:
    """Every error at once, by field."""
    if _CONTROL.search(target.name):
        errors.setdefault("name", []).append(_("The name holds a line break or a control character; leave it out."))
    if len(target.tags) > _MAX_TAGS:
        errors.setdefault("tags", []).append(_("At most %(limit)s tags.") % {"limit": _MAX_TAGS})
    try:
        target.clean_fields(exclude=set(errors))
    except ValidationError as error:
        errors.update(error.message_dict)
    if "name" not in errors:
        try:
            target.validate_constraints()
        except ValidationError as error:
            errors["name"] = error.messages
    if errors:
        raise ValidationError(errors)


def _collect(**rules: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for field, rule in rules.items():
        try:
            rule()
        except ValidationError as error:
            errors[field] = error.messages
    return errors


def _tell(target: Target) -> None:
    cache.bump("targets")
    announce("target.changed", [target.pk], target.environment_id)
