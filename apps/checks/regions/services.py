"""Writing regions: make, rename, switch, remove. What checks have there follows in the same step."""

from __future__ import annotations

from typing import Any

from apps.accounts.models import User
from apps.catalog.models import Region


def create_region(*, actor: User | None, slug: str, name: str, enabled: bool = True) -> Region:
    """Make a region; every check that names no regions is looked at from there too. Raises ValidationError by field."""
    raise NotImplementedError


def update_region(*, actor: User | None, region: Region, **fields: Any) -> Region:
    """Change name or `enabled`. Raises ValidationError by field."""
    raise NotImplementedError


def delete_region(*, actor: User | None, region: Region) -> None:
    """Remove a region and what checks have there. Raises RegionInUse with a sentence when it must stay."""
    raise NotImplementedError


class RegionInUse(Exception):
    """The region cannot be removed, and why; a sentence for a person."""
