"""Writing regions: make, rename, switch, remove. What checks have there follows, a few hundred targets at a time.

The region itself changes in one transaction and the rows of its checks in others after it: thousands of statuses
locked at once would hold up every result. Each of them is right by itself, and saving the region again goes on where
a broken step ended.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.models import Region
from apps.checks.board import Board
from apps.checks.models import Check, CheckRegion
from apps.checks.services import SETTLED_AT_ONCE, follow_region, settle_targets
from apps.core import cache

EDITABLE = ("name", "enabled")


class RegionInUse(Exception):
    """The region cannot be removed, and why: a sentence for a person."""


def create_region(*, actor: User | None, slug: str, name: str, enabled: bool = True) -> Region:
    """Make a region; every check that names no regions is looked at from there too. Raises ValidationError by field."""
    region = Region(slug=slug, name=name.strip(), enabled=enabled)
    with transaction.atomic():
        region.full_clean()
        # Without the signal of a save, so that the checks follow in transactions of their own.
        Region.objects.bulk_create([region])
        record_audit(actor=actor, action="create", subject=region)
        cache.bump("targets")
    follow_region(region=region)
    return region


def update_region(*, actor: User | None, region: Region, **fields: Any) -> Region:
    """Change `name` or `enabled`; the short name stays, because its workers are started with it.

    Raises ValidationError by field.
    """
    with transaction.atomic():
        row = Region.objects.select_for_update().get(pk=region.pk)
        if fields.get("slug", row.slug) != row.slug:
            raise ValidationError(
                {"slug": [_("The short name cannot be changed: workers are started with it. Make another region.")]}
            )
        before = {name: getattr(row, name) for name in EDITABLE}
        values = {name: fields[name] for name in EDITABLE if name in fields}
        for name, value in values.items():
            setattr(row, name, value.strip() if isinstance(value, str) else value)
        row.full_clean()
        Region.objects.filter(pk=row.pk).update(name=row.name, enabled=row.enabled)
        changes = {name: [before[name], getattr(row, name)] for name in EDITABLE if before[name] != getattr(row, name)}
        if changes:
            record_audit(actor=actor, action="update", subject=row, changes=changes)
            cache.bump("targets")
    if "enabled" in changes:
        follow_region(region=row)
    return row


def delete_region(*, actor: User | None, region: Region) -> None:
    """Remove a region and what checks have there; results already found stay. Raises RegionInUse when it must stay."""
    with transaction.atomic():
        row = Region.objects.select_for_update().get(pk=region.pk)
        _refuse_when_needed(row)
        # From here on nothing new is claimed there.
        Region.objects.filter(pk=row.pk).update(enabled=False)
    rows = CheckRegion.objects.filter(region=row)
    targets = sorted(set(rows.values_list("source_check__target_id", flat=True)))
    for start in range(0, len(targets), SETTLED_AT_ONCE):
        _remove_rows(row, targets[start : start + SETTLED_AT_ONCE])
    with transaction.atomic():
        record_audit(actor=actor, action="delete", subject=row)
        row.delete()
        cache.bump("targets")


def _refuse_when_needed(region: Region) -> None:
    if region.slug == settings.PORTAL_REGION:
        raise RegionInUse(_("The portal itself looks from here; its region cannot be removed."))
    # Without its only region a check would be looked at from everywhere, which nobody asked for.
    chosen = Check.objects.present().filter(only_regions=region)
    only_there = sum(1 for check in chosen.prefetch_related("only_regions") if len(check.only_regions.all()) == 1)
    if only_there:
        raise RegionInUse(
            ngettext(
                "%(number)s check is looked at only from there: choose another region for it first.",
                "%(number)s checks are looked at only from there: choose other regions for them first.",
                only_there,
            )
            % {"number": only_there}
        )


@transaction.atomic
def _remove_rows(region: Region, target_ids: list[Any]) -> None:
    """The rows go and the other regions decide. Statuses are locked first, as by everybody."""
    Board.load(target_ids)
    CheckRegion.objects.filter(region=region, source_check__target_id__in=target_ids).delete()
    settle_targets(target_ids)
