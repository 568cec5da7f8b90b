"""Which regions a check is looked at from: those chosen for it, else every enabled one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.catalog.models import Region
from apps.checks.models import Check


@dataclass(frozen=True)
class Choice:
    """The regions of a check after an edit. `changed` is false when the caller said nothing about them.

    `enabled` is how many look when none is named; 0 where a quorum that stood before is not judged anew.
    """

    regions: list[Region]
    changed: bool
    enabled: int = 0

    @property
    def slugs(self) -> list[str]:
        return sorted(region.slug for region in self.regions)

    def errors(self, *, quorum: int | None, is_heard: bool) -> dict[str, list[str]]:
        """What is wrong, by field. `is_heard`: nothing looks at such a check, it is told."""
        if is_heard and self.regions:
            message = _("Such a check is heard by the portal itself; it is looked at from nowhere.")
            return {"regions": [message]}
        if is_heard and quorum is not None and quorum > 1:
            return {"quorum": [_("Such a check is heard in one place: enter 1, or leave it empty.")]}
        number = len(self.regions) or self.enabled
        if quorum is not None and number and quorum > number:
            message = ngettext(
                "Only %(number)s region looks at it: enter at most that.",
                "Only %(number)s regions look at it: enter at most that.",
                number,
            ) % {"number": number}
            return {"quorum": [message]}
        return {}


def choose(check: Check, wanted: Iterable[Region] | None, *, quorum_given: bool) -> Choice:
    """The choice after an edit: `wanted`, or what it was when the caller named none. At most two queries."""
    changed = wanted is not None
    if wanted is None:
        wanted = [] if check._state.adding else check.only_regions.all()
    regions = list(wanted)
    judged = quorum_given and not regions and check.quorum is not None
    return Choice(regions, changed, Region.objects.filter(enabled=True).count() if judged else 0)


def store(check: Check, choice: Choice) -> list[list[str]] | None:
    """Write the choice of a saved check; returns the short names before and after when they changed."""
    if not choice.changed:
        return None
    before = sorted(check.only_regions.values_list("slug", flat=True))
    if before == choice.slugs:
        return None
    check.only_regions.set(choice.regions)
    return [before, choice.slugs]
