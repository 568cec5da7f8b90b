"""Whether the looking keeps up: what `/readyz` says of it, and what the overview warns of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
# More notices than these are one: the page of regions has them all.
NOTICES_SHOWN = 4


def is_late(region: RegionView) -> bool:
    """Whether the region is heard and starts its checks too late."""
    late = region.late_ms_p95
    return region.state == RegionState.WORKING and late is not None and late > LATE_MILLISECONDS


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
    late = [region.late_ms_p95 or 0.0 for region in reading.enabled if is_late(region)]
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
    """A sentence at the top of the overview, and where more is known. `tone` is "warn" or "info"."""

    text: str
    url: str
    label: str
    tone: str = "warn"


def notices_of(regions: Sequence[RegionView]) -> list[Notice]:
    """What is wrong with the looking, the worst first; nothing while all is well."""
    enabled = [region for region in regions if region.enabled]
    found = [
        *(_late(region) for region in enabled if is_late(region)),
        *(_line_lost(region) for region in enabled if region.line == "lost"),
        *(_missing(region) for region in enabled if is_missing(region)),
        *(_other_key(region) for region in enabled if region.key_differs),
    ]
    if len(found) <= NOTICES_SHOWN + 1:
        return found
    return [*found[:NOTICES_SHOWN], _more(len(found) - NOTICES_SHOWN)]


def _late(region: RegionView) -> Notice:
    sentence = _("Checks start %(lateness)s late (95th percentile) in %(region)s: the engine cannot keep up.") % {
        "lateness": formatting.duration(region.late_ms_p95),
        "region": region.slug,
    }
    return Notice(sentence, reverse("dashboard:settings-health"), _("Health"))


def _line_lost(region: RegionView) -> Notice:
    if region.line_since is None:
        sentence = _("%(region)s has lost its own line: its failures are not counted.") % {"region": region.slug}
    else:
        words = {"region": region.slug, "moment": _moment_of(region)}
        sentence = _("%(region)s has lost its own line since %(moment)s: its failures are not counted.") % words
    return _about(region, sentence)


def _moment_of(region: RegionView) -> str:
    """The time of today; the day with it where it was another one."""
    since = region.line_since or clock.now()
    today = timezone.localtime(since).date() == timezone.localtime(clock.now()).date()
    return moments.clock_time(since) if today else moments.absolute(since)


def _missing(region: RegionView) -> Notice:
    words = {
        "region": region.slug,
        "number": formatting.count(region.checks),
        "span": _coarse_span(region.silent_seconds),
    }
    if region.silent_seconds is None:
        sentence = ngettext(
            "No worker has been heard from %(region)s: its share of %(number)s check is unknown. "
            "Nobody is paged for this.",
            "No worker has been heard from %(region)s: its share of %(number)s checks is unknown. "
            "Nobody is paged for this.",
            region.checks,
        )
    else:
        sentence = ngettext(
            "%(region)s has not been heard from for %(span)s: its share of %(number)s check is unknown. "
            "Nobody is paged for this.",
            "%(region)s has not been heard from for %(span)s: its share of %(number)s checks is unknown. "
            "Nobody is paged for this.",
            region.checks,
        )
    return _about(region, sentence % words)


def _coarse_span(seconds: float | None) -> str:
    """Seconds beside minutes only make a page flicker."""
    return formatting.span(seconds if seconds is None or seconds < 60 else seconds // 60 * 60)


def _other_key(region: RegionView) -> Notice:
    sentence = _("A worker of %(region)s was started with another key: it cannot read what we send.")
    return _about(region, sentence % {"region": region.slug})


def _about(region: RegionView, sentence: str) -> Notice:
    return Notice(sentence, reverse("dashboard:settings-region", args=[region.slug]), _("Region"))


def _more(number: int) -> Notice:
    sentence = ngettext("%(number)s more warning about regions.", "%(number)s more warnings about regions.", number) % {
        "number": formatting.count(number)
    }
    return Notice(sentence, reverse("dashboard:settings-regions"), _("Regions"))
