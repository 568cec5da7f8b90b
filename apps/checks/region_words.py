"""Regions as people choose them and read about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from apps.catalog.models import Region
from apps.checks.guards.selectors import line_of_regions
from apps.checks.regions.selectors import unserved


@dataclass(frozen=True)
class RegionChoice:
    """A region to look from. `note` is what is to be known before it is chosen; "" when all is well."""

    slug: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class RegionNote:
    """Something about a region that explains what its checks say. `tone` is that of a notice."""

    tone: str
    text: str
    since: datetime | None = None


def region_choices(also: Iterable[str] = ()) -> list[RegionChoice]:
    """Every region in use, and those of `also` (slugs) that are not any more. One query, one trip to the broker."""
    slugs = set(also)
    regions = [region for region in Region.objects.order_by("slug") if region.enabled or region.slug in slugs]
    if len(regions) < 2:
        return [RegionChoice(region.slug, region.name) for region in regions]
    quiet = set(unserved([region.slug for region in regions]))
    return [RegionChoice(region.slug, region.name, _choice_note(region, quiet)) for region in regions]


def _choice_note(region: Region, quiet: set[str]) -> str:
    if not region.enabled:
        return _("This region is switched off: nothing is looked at from there.")
    return _("No worker has been heard from there.") if region.slug in quiet else ""


def region_notes(regions: Sequence[Region]) -> dict[UUID, list[RegionNote]]:
    """What is to be said of each of these regions, by its id. Two queries, one trip to the broker."""
    quiet, lines = set(unserved([region.slug for region in regions])), line_of_regions()
    notes: dict[UUID, list[RegionNote]] = {region.pk: [] for region in regions}
    for region in regions:
        line = lines.get(region.pk)
        if region.slug in quiet:
            notes[region.pk].append(RegionNote("warn", _("No worker is heard from there, so nothing is looked at.")))
        elif line is not None and line.state == "lost":
            text = _("This region has lost its own line: its failures say nothing about the target.")
            notes[region.pk].append(RegionNote("warn", text, line.since))
    return notes
