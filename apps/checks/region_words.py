"""Regions as people choose them and read about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.catalog.models import Region


@dataclass(frozen=True)
class RegionChoice:
    """A region to look from. `note` is what is to be known before it is chosen; "" when all is well."""

    slug: str
    name: str
    note: str = ""


def region_choices(also: Iterable[str] = ()) -> list[RegionChoice]:
    """Every region in use, and those of `also` (slugs) that are not any more. One query."""
    slugs = set(also)
    return [
        RegionChoice(region.slug, region.name)
        for region in Region.objects.order_by("slug")
        if region.enabled or region.slug in slugs
    ]
