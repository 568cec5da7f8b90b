"""What is said at a save that is right and will do nothing: nobody looks from there."""

from __future__ import annotations

from apps.catalog.models import Region
from apps.checks.models import Check
from apps.checks.regions.selectors import unserved, unserved_sentence


def warnings_of_region(region: Region) -> list[str]:
    """One sentence for an enabled region from which no worker was heard."""
    return [unserved_sentence(slug) for slug in unserved([region.slug])] if region.enabled else []


def warnings_of_check(check: Check) -> list[str]:
    """One sentence a region that looks at this check and has no worker. One query."""
    rows = check.regions.filter(enabled=True, passive=False, region__enabled=True)
    return [unserved_sentence(slug) for slug in unserved(sorted(rows.values_list("region__slug", flat=True)))]
