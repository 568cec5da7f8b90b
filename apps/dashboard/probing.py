"""Whether the looking keeps up: what `/readyz` says of it, and what the overview warns of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.checks.regions.selectors import RegionState, RegionView
from apps.core import clock
from apps.dashboard import formatting, moments
from apps.dashboard.parts import NOT_READ, Part
from apps.dashboard.readings import LookingReading

# A start this much after its time, at the 95th percentile, means that the engine cannot keep up.
LATE_MILLISECONDS = 5_000
# A row that waits this long for its claim means that the tick cannot.
DUE_LAG_SECONDS = 30.0
# A clock this far from the portal's is said; times are taken from the database whatever it shows.
SKEW_SECONDS = 2.0
# What a worker finds due when it starts says nothing of how it keeps up; the figure is of the last minute.
SETTLING_SECONDS = 90.0
# Names in one sentence; more are dots, and the page of regions has them all.
NAMES_SHOWN = 4


def is_late(region: RegionView) -> bool:
    """Whether the region is heard and starts its checks too late."""
    late = lateness_of(region)
    return region.state == RegionState.WORKING and late is not None and late > LATE_MILLISECONDS


def lateness_of(region: RegionView) -> float | None:
    """Milliseconds at the 95th percentile, without workers that have only just begun to catch up."""
    if not region.workers:
        return region.late_ms_p95
    settled = clock.now() - timedelta(seconds=SETTLING_SECONDS)
    return max((worker.late_ms_p95 for worker in region.workers if worker.started_at <= settled), default=None)


def late_regions(reading: LookingReading) -> list[RegionView]:
    """Those that cannot keep up. None while the portal itself catches up after a gap: that is its own lateness."""
    ticking = reading.ticking_seconds
    if ticking is not None and ticking < SETTLING_SECONDS:
        return []
    return [region for region in reading.enabled if is_late(region)]


def is_missing(region: RegionView) -> bool:
    """Whether checks wait for a region that nothing is heard from."""
    return region.state in (RegionState.SILENT, RegionState.NEVER_HEARD) and region.checks > 0


def is_skewed(seconds: float | None) -> bool:
    """Whether a clock is off by so much that it is worth a word."""
    return seconds is not None and abs(seconds) > SKEW_SECONDS


def judge_looking(reading: LookingReading | None) -> Part:
    """Not well when checks start late where somebody looks, or when nobody looks at all.

    One region that is silent is no fault of the portal: its share is unknown, and the overview says so.
    """
    if reading is None:
        return Part(False, NOT_READ)
    late = [lateness_of(region) or 0.0 for region in late_regions(reading)]
    if late:
        return Part(False, gettext_lazy("Checks start late."), max(late) / 1000)
    served = [region for region in reading.enabled if region.state == RegionState.WORKING]
    waiting = max((reading.due_lag.get(region.slug, 0.0) for region in served), default=0.0)
    if waiting > DUE_LAG_SECONDS:
        return Part(False, gettext_lazy("Checks that are due are not sent."), waiting)
    needed = [region for region in reading.enabled if region.checks]
    if needed and all(is_missing(region) for region in needed):
        return Part(False, gettext_lazy("No worker looks."), _silence(needed))
    return Part(True, gettext_lazy("Checks start on time.") if served else gettext_lazy("Nothing is looked at."))


def _silence(regions: Iterable[RegionView]) -> float | None:
    return min((region.silent_seconds for region in regions if region.silent_seconds is not None), default=None)


# --- Notices --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """A sentence at the top of the overview, and where more is known. `tone` is "bad", "warn" or "info"."""

    text: str
    url: str
    label: str
    tone: str = "warn"


def notices_of(reading: LookingReading) -> list[Notice]:
    """What is wrong with the looking, one sentence a kind, the worst first; nothing while all is well."""
    enabled = reading.enabled
    kinds = (
        (_late, late_regions(reading)),
        (_line_lost, [region for region in enabled if region.line == "lost"]),
        (_missing, [region for region in enabled if is_missing(region)]),
        (_other_key, [region for region in enabled if region.key_differs]),
    )
    return [say(found) for say, found in kinds if found]


def _names(regions: Sequence[RegionView]) -> str:
    names = [region.slug for region in regions[:NAMES_SHOWN]]
    return ", ".join([*names, "…"] if len(regions) > NAMES_SHOWN else names)


def _late(regions: Sequence[RegionView]) -> Notice:
    worst = max(lateness_of(region) or 0.0 for region in regions)
    sentence = ngettext(
        "Checks start %(lateness)s late (95th percentile) in %(regions)s: the engine cannot keep up.",
        "Checks start up to %(lateness)s late (95th percentile) in %(regions)s: the engines cannot keep up.",
        len(regions),
    ) % {"lateness": formatting.duration(worst), "regions": _names(regions)}
    return Notice(sentence, reverse("dashboard:settings-health"), _("Health"))


def _line_lost(regions: Sequence[RegionView]) -> Notice:
    since = regions[0].line_since
    if since is not None and len(regions) == 1:
        words = {"region": regions[0].slug, "moment": _moment(since)}
        sentence = _("%(region)s has lost its own line since %(moment)s: its failures are not counted.") % words
    else:
        sentence = ngettext(
            "%(regions)s has lost its own line: its failures are not counted.",
            "%(regions)s have lost their own lines: their failures are not counted.",
            len(regions),
        ) % {"regions": _names(regions)}
    return _about(regions, sentence)


def _moment(since: datetime) -> str:
    """The time of today; the day with it where it was another one."""
    today = timezone.localtime(since).date() == timezone.localtime(clock.now()).date()
    return moments.clock_time(since) if today else moments.absolute(since)


def _missing(regions: Sequence[RegionView]) -> Notice:
    checks = max(region.checks for region in regions)
    words = {
        "region": _names(regions),
        "number": formatting.count(checks),
        "span": _coarse_span(regions[0].silent_seconds),
    }
    if len(regions) > 1:
        sentence = ngettext(
            "Nobody is heard from %(region)s: their shares of %(number)s check are unknown. Nobody is paged for this.",
            "Nobody is heard from %(region)s: their shares of up to %(number)s checks are unknown. "
            "Nobody is paged for this.",
            checks,
        )
    elif regions[0].silent_seconds is None:
        sentence = ngettext(
            "No worker has been heard from %(region)s: its share of %(number)s check is unknown. "
            "Nobody is paged for this.",
            "No worker has been heard from %(region)s: its share of %(number)s checks is unknown. "
            "Nobody is paged for this.",
            checks,
        )
    else:
        sentence = ngettext(
            "%(region)s has not been heard from for %(span)s: its share of %(number)s check is unknown. "
            "Nobody is paged for this.",
            "%(region)s has not been heard from for %(span)s: its share of %(number)s checks is unknown. "
            "Nobody is paged for this.",
            checks,
        )
    return _about(regions, sentence % words)


def _coarse_span(seconds: float | None) -> str:
    """Seconds beside minutes only make a page flicker."""
    return formatting.span(seconds if seconds is None or seconds < 60 else seconds // 60 * 60)


def _other_key(regions: Sequence[RegionView]) -> Notice:
    sentence = ngettext(
        "A worker of %(regions)s was started with another key: it cannot read what we send.",
        "Workers of %(regions)s were started with another key: they cannot read what we send.",
        len(regions),
    )
    return _about(regions, sentence % {"regions": _names(regions)})


def _about(regions: Sequence[RegionView], sentence: str) -> Notice:
    """With the way to the region, or to all of them where it is about several."""
    if len(regions) == 1:
        return Notice(sentence, reverse("dashboard:settings-region", args=[regions[0].slug]), _("Region"))
    return Notice(sentence, reverse("dashboard:settings-regions"), _("Regions"))
