"""Following a vendor's page: one check a provider, made, edited and removed with the page's address."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.models import User
from apps.catalog.models import Provider, Region
from apps.catalog.status import Status
from apps.checks.models import Check, VendorChange, VendorIncident, VendorPage
from apps.checks.services import create_check, delete_check, masked_config, update_check
from apps.checks.vendors.pages import KIND, new_page
from apps.core import clock
from apps.probes.base import PROBE_KINDS

# Where an error of the check's config is shown: on the provider's own fields.
_FIELDS = {"config.url": "status_page_url", "config.components": "status_components"}


@transaction.atomic
def follow_page(provider: Provider, actor: User | None = None) -> Check | None:
    """Bring the check of the provider's status page in step with its address and components; None without an address.

    What somebody changed of the check by hand (interval, regions, whether it counts) stays. Raises ValidationError by
    field of the provider.
    """
    # So that two at once make one check. Not the key: whoever records only needs the row to exist.
    row = Provider.objects.select_for_update(no_key=True, of=("self",)).select_related("target").get(pk=provider.pk)
    checks = list(Check.objects.present().filter(target_id=row.pk, kind=KIND).order_by("pk"))
    if not row.status_page_url:
        for check in checks:
            delete_check(actor=actor, check=check)
        _forget(row)
        return None
    try:
        return _followed(row, checks, actor)
    except ValidationError as error:
        raise _on_the_provider(error) from error


def _followed(provider: Provider, checks: list[Check], actor: User | None) -> Check:
    wanted: dict[str, Any] = {"url": provider.status_page_url, "components": list(provider.status_components)}
    if not checks:
        VendorPage.objects.bulk_create([new_page(provider.pk, clock.now())], ignore_conflicts=True)
        return _make(provider, wanted, actor)
    check = checks[0]
    config = masked_config(check)
    if config.get("url") != wanted["url"]:
        _forget(provider)
        VendorPage.objects.create(**_values_of(new_page(provider.pk, clock.now())))
    if {name: config.get(name, []) for name in wanted} == wanted:
        return check
    return update_check(actor=actor, check=check, config={**config, **wanted})


def _values_of(page: VendorPage) -> dict[str, Any]:
    return {"provider_id": page.provider_id, "since": page.since, "problem": page.problem}


def _make(provider: Provider, config: dict[str, Any], actor: User | None) -> Check:
    kind = PROBE_KINDS.get(KIND)
    return create_check(
        actor=actor,
        target=provider.target,
        kind=KIND,
        config=config,
        name=_free_name(provider, str(kind.label)),
        interval_seconds=kind.default_interval_seconds,
        affects_status=kind.default_affects_status,
        only_regions=_one_region(),
    )


def _one_region() -> list[Region]:
    """A page reads the same from everywhere, and vendors limit how often one may ask."""
    enabled = sorted(Region.objects.filter(enabled=True), key=lambda region: (region.slug != "local", region.slug))
    return enabled[:1]


def _free_name(provider: Provider, name: str) -> str:
    taken = {
        known.casefold()
        for known in Check.objects.present().filter(target_id=provider.pk).values_list("name", flat=True)
    }
    names = [name, *(f"{name} {number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one.casefold() not in taken)


def _forget(provider: Provider) -> None:
    """Nobody reads this page any more: what is over stays as history, what was open will never be told the end of."""
    VendorIncident.objects.filter(provider=provider, resolved_at__isnull=True).delete()
    page = VendorPage.objects.filter(provider=provider).first()
    if page is not None:
        if page.status != Status.UNKNOWN:
            VendorChange.objects.create(provider=provider, at=clock.now(), status=Status.UNKNOWN)
        page.delete()


def _on_the_provider(error: ValidationError) -> ValidationError:
    errors: dict[str, list[str]] = {}
    for field, messages in error.message_dict.items():
        name = next((own for start, own in _FIELDS.items() if field.startswith(start)), "status_page_url")
        errors.setdefault(name, []).extend(messages)
    return ValidationError(errors)
