"""Who said it first: our troubles and the vendor's, matched in time and told in one sentence. Pure.

Troubles of several models that overlap and began within an hour of each other are one trouble; one that goes on for
days takes nothing in that begins later. A trouble of ours and one of the vendor's are about the same thing when they
overlap, an hour's grace on either side: vendors write their entries late and close them early. Of several the one that
began nearest counts, and none that the vendor told of more than a day before ours began.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

GRACE = timedelta(hours=1)
# What ended longer ago is history, not news.
RECENT = timedelta(hours=24)
# Both look about every two minutes or slower: what lies closer together was seen together.
TOGETHER_SECONDS = 60


class Verdict(StrEnum):
    """Codes are sent: never rename one."""

    WE_FIRST = "we_first"
    VENDOR_FIRST = "vendor_first"
    TOGETHER = "together"
    NOT_SAID = "not_said"
    NEVER_SAID = "never_said"
    NOT_SEEN = "not_seen"
    NOT_READABLE = "not_readable"


_SENTENCES: dict[Verdict, Any] = {
    Verdict.WE_FIRST: gettext_lazy("We saw it %(span)s before the vendor said so."),
    Verdict.VENDOR_FIRST: gettext_lazy("We saw it %(span)s after the vendor said so."),
    Verdict.TOGETHER: gettext_lazy("We saw it in the same minute as the vendor said so."),
    Verdict.NOT_SAID: gettext_lazy("We have seen it for %(span)s; the vendor has not said so."),
    Verdict.NEVER_SAID: gettext_lazy("We saw a problem for %(span)s; the vendor has not said so."),
    Verdict.NOT_SEEN: gettext_lazy("The vendor has reported a problem for %(span)s; we have not seen it."),
    Verdict.NOT_READABLE: gettext_lazy(
        "We have seen it for %(span)s; whether the vendor says so is not known, for its page cannot be read."
    ),
}


@dataclass(frozen=True)
class Trouble:
    """A stretch in which something was wrong; `end` None while it still is."""

    start: datetime
    end: datetime | None = None

    def touches(self, other: Trouble, grace: timedelta = timedelta(0)) -> bool:
        return (other.end is None or self.start <= other.end + grace) and (
            self.end is None or other.start <= self.end + grace
        )

    def is_news(self, now: datetime) -> bool:
        return self.end is None or self.end > now - RECENT


@dataclass(frozen=True)
class Comparison:
    """The verdict on the latest trouble: `seconds` between the two, or since when (or for how long) only one saw it."""

    verdict: Verdict
    seconds: float
    seen_at: datetime | None
    said_at: datetime | None

    @property
    def sentence(self) -> str:
        """In the active language."""
        return str(_SENTENCES[self.verdict]) % {"span": span(self.seconds)}


def compare(ours: Iterable[Trouble], vendors: Iterable[Trouble], *, readable: bool, now: datetime) -> Comparison | None:
    """What to say of the latest trouble; None when there was none in the last day. `readable`: the page, now."""
    seen, said = merged(ours), merged(vendors)
    latest = max((one for one in seen if one.is_news(now)), key=_recency, default=None)
    told = max((one for one in said if one.is_news(now)), key=_recency, default=None)
    if latest is not None:
        began = latest.start
        about_it = [one for one in said if one.touches(latest, GRACE) and one.start > began - RECENT]
        if about_it:
            return _both(latest, min(about_it, key=lambda one: (abs(one.start - began), one.start)))
        if latest.end is None or told is None or told.end is not None:
            return _only_ours(latest, readable=readable, now=now)
    if told is not None and told.end is None:
        if any(one.touches(told, GRACE) for one in seen):
            return None
        return Comparison(Verdict.NOT_SEEN, (now - told.start).total_seconds(), None, told.start)
    return None


def _recency(trouble: Trouble) -> tuple[bool, datetime]:
    return trouble.end is None, trouble.start


def _both(seen: Trouble, said: Trouble) -> Comparison:
    ahead = (said.start - seen.start).total_seconds()
    verdict = Verdict.WE_FIRST if ahead > 0 else Verdict.VENDOR_FIRST
    if abs(ahead) < TOGETHER_SECONDS:
        verdict = Verdict.TOGETHER
    return Comparison(verdict, abs(ahead), seen.start, said.start)


def _only_ours(seen: Trouble, *, readable: bool, now: datetime) -> Comparison:
    verdict = Verdict.NOT_SAID if seen.end is None else Verdict.NEVER_SAID
    if not readable:
        verdict = Verdict.NOT_READABLE
    return Comparison(verdict, ((seen.end or now) - seen.start).total_seconds(), seen.start, None)


def merged(troubles: Iterable[Trouble]) -> list[Trouble]:
    """Troubles in time order, those made one that overlap and began soon after one another."""
    joined: list[Trouble] = []
    began = None
    for trouble in sorted(troubles, key=lambda one: one.start):
        soon = began is not None and trouble.start - began <= GRACE
        began = trouble.start
        if soon and joined[-1].touches(trouble):
            last = joined[-1]
            ends = (last.end, trouble.end)
            end = None if None in ends else max(end for end in ends if end is not None)
            joined[-1] = Trouble(last.start, end)
        else:
            joined.append(trouble)
    return joined


def span(seconds: float) -> str:
    """ "40 s", "14 min", "2 h 5 min", "3 d 4 h": whole minutes from one minute on."""
    whole = max(0, int(seconds))
    values = {
        "days": whole // 86_400,
        "hours": whole % 86_400 // 3_600,
        "minutes": whole % 3_600 // 60,
        "seconds": whole % 60,
    }
    if values["days"]:
        text = _("%(days)s d %(hours)s h") if values["hours"] else _("%(days)s d")
    elif values["hours"]:
        text = _("%(hours)s h %(minutes)s min") if values["minutes"] else _("%(hours)s h")
    elif values["minutes"]:
        text = _("%(minutes)s min")
    else:
        text = _("%(seconds)s s")
    return text % values
