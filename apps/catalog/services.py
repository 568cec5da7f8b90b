"""Writing the catalog: make, edit, switch and remove targets. Each is one transaction with its status row and audit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog import provider_fields, signals
from apps.catalog.fields import CONTROL, check_link, check_text
from apps.catalog.models import AIModel, Environment, Provider, Service, Target, TargetKind, TargetStatus
from apps.core import cache, clock
from apps.core.news import announce

DEFAULT_ENVIRONMENT = "prod"
_MAX_TAGS = 20


# --- Making ---------------------------------------------------------------------------------------------------


@transaction.atomic
def create_provider(  # noqa: PLR0913 - each is a field of its form, named and with a default
    *,
    actor: User | None,
    name: str,
    environment: Environment | None = None,
    dialect: str = "openai_compatible",
    base_url: str = "",
    api_key: str = "",
    verify_tls: bool = True,
    paid_at_once: int = 4,
    status_page_url: str = "",
    status_components: Iterable[str] = (),
    monthly_cap: Decimal | None = None,
    tags: Iterable[str] = (),
) -> Provider:
    """Make a provider. Raises ValidationError by field; nothing is stored then.

    Without a base URL it is asked where its dialect's own API is. `monthly_cap` is in US dollars.
    """
    values = provider_fields.resolve_address(
        {
            "dialect": dialect,
            "base_url": base_url,
            "api_key": api_key,
            "verify_tls": verify_tls,
            "paid_at_once": paid_at_once,
            "status_page_url": status_page_url,
            "status_components": list(status_components),
            "monthly_cap": monthly_cap,
        }
    )
    errors = _collect(**provider_fields.rules_of(values))
    target = _create_target(actor, TargetKind.PROVIDER, name, environment, tags, errors=errors)
    provider = Provider.objects.create(target=target)
    provider_fields.write(actor=actor, provider=provider, values=values, is_new=True)
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
    errors = _collect(url=lambda: check_link(url), description=lambda: check_text(description, 2_000))
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
        namespace_id=namespace,
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

    `fields` may hold: name, tags, enabled, depends_on; `provider_fields.FIELDS` (provider); url, description (service).
    """
    # Not the key: whoever records a change of this target's status only needs it to exist.
    target = Target.objects.select_for_update(no_key=True).get(pk=target.pk)
    before = _picture(target)
    details = _details(target, fields)
    errors = _collect(
        **_rules_of_details(target, details),
        depends_on=lambda: check_dependencies(target, fields.get("depends_on", [])),
    )
    for name in _TARGET_FIELDS:
        if name in fields:
            setattr(target, name, fields[name].strip() if name == "name" else list(fields[name]))
    _validate_target(target, errors)
    target.save(update_fields=[*_TARGET_FIELDS, "updated_at"])
    if "depends_on" in fields:
        target.depends_on.set(fields["depends_on"])
    if "enabled" in fields and fields["enabled"] != target.enabled:
        switch_target(actor=actor, target=target, enabled=fields["enabled"])
    after = _picture(target)
    changes: dict[str, Any] = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    changes |= _update_details(actor, target, details)
    if changes:
        record_audit(actor=actor, action="update", subject=target, changes=changes)
        _tell(target)
    return target


def _picture(target: Target) -> dict[str, Any]:
    return {"name": target.name, "tags": list(target.tags), "enabled": target.enabled}


_SERVICE_FIELDS = ("url", "description")


def _details(target: Target, fields: dict[str, Any]) -> dict[str, Any]:
    """What of `fields` the kind of this target adds."""
    if target.kind == TargetKind.PROVIDER:
        given = {name: fields[name] for name in provider_fields.FIELDS if name in fields}
        return provider_fields.resolve_address(given, target.provider)
    if target.kind == TargetKind.SERVICE:
        return {name: fields[name] for name in _SERVICE_FIELDS if name in fields}
    return {}


def _rules_of_details(target: Target, details: dict[str, Any]) -> dict[str, Any]:
    if target.kind == TargetKind.PROVIDER:
        stays = {"api_key": lambda: provider_fields.check_key_stays(target.provider, details)}
        return stays | provider_fields.rules_of(details)
    return {
        "url": lambda: check_link(details.get("url", "")),
        "description": lambda: check_text(details.get("description", ""), 2_000),
    }


def _update_details(actor: User | None, target: Target, details: dict[str, Any]) -> dict[str, list[Any]]:
    """Write what the kind adds. Returns [before, after] of what changed, by field."""
    if target.kind == TargetKind.PROVIDER:
        return provider_fields.write(actor=actor, provider=target.provider, values=details)
    if target.kind == TargetKind.SERVICE:
        return _save_some(target.service, details)
    return {}


def _save_some(row: models.Model, values: dict[str, Any]) -> dict[str, list[Any]]:
    changes = {name: [getattr(row, name), value] for name, value in values.items() if getattr(row, name) != value}
    for name, (_before, after) in changes.items():
        setattr(row, name, after)
    if changes:
        row.save(update_fields=list(changes))
    return changes


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


# --- Rules of the fields ---------------------------------------------------------------------------------------


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
    if CONTROL.search(target.name):
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
