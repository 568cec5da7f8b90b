"""`vendor_status`: what does a vendor say of itself on its status page?

It never says how a provider is, only what the vendor says; a page that cannot be read says nothing at all, so such a
look is `indeterminate`, never a failure.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import Text, field
from apps.core.outbound.answer import REDIRECT_STATUSES
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.locations import MAX_URL, BadLocation, parse_location, parse_redirect
from apps.core.outbound.showing import safe_url
from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking
from apps.probes.vendor_pages.finding import MAX_BYTES, candidates, is_same_place, read_page
from apps.probes.vendor_pages.judging import judge
from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage
from apps.probes.vendor_pages.reading import PageReading, PageStatus, VendorFormat
from apps.probes.vendor_pages.report import report_of

MAX_COMPONENTS = 50
_REDIRECTS = 3
# Somewhere else may have what is not here; whatever else is wrong is wrong with the page.
_LOOK_ELSEWHERE = frozenset({PageProblem.HTML, PageProblem.GARBAGE, PageProblem.UNKNOWN_SHAPE})
_NOT_HERE = frozenset({400, 401, 403, 404, 405, 406, 410})
# What is left of the timeout for telling how it went.
_RESERVE_SECONDS = 0.25

ComponentName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

_JUDGED: dict[PageStatus, tuple[OutcomeState, Reason]] = {
    PageStatus.OPERATIONAL: (OutcomeState.OK, Reason.OK),
    PageStatus.DEGRADED: (OutcomeState.DEGRADED, Reason.VENDOR_DEGRADED),
    PageStatus.OUTAGE: (OutcomeState.FAILED, Reason.VENDOR_OUTAGE),
    # Announced work is no fault: it is told and alarms nobody.
    PageStatus.MAINTENANCE: (OutcomeState.OK, Reason.VENDOR_MAINTENANCE),
}


class VendorStatusConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page, and which of its components matter."""

    url: Annotated[
        str,
        field(
            _("Status page"),
            _("The address of the page, or of its JSON document or feed; the format is found out."),
            widget="url",
            placeholder="https://status.openai.com",
            min_length=1,
            max_length=500,
        ),
    ]
    components: Annotated[
        list[ComponentName],
        field(
            _("Components"),
            _("Names of components that decide, one a line; none: the page as a whole."),
            max_length=MAX_COMPONENTS,
        ),
    ] = []
    quiet_days: Annotated[
        int,
        field(
            _("Longest silence"),
            _("A page without a change for longer counts as not kept up, so it is not believed."),
            unit=_("days"),
            ge=1,
            le=3_650,
        ),
    ] = 180

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        try:
            parse_location(self.url)
        except BadLocation as error:
            return {"url": [error.sentence]}
        return {}


@dataclass(frozen=True)
class _Page:
    """An answer that was read."""

    exchange: Exchange
    format: VendorFormat
    reading: PageReading


class VendorStatusKind(AsyncProbeKind[VendorStatusConfig]):
    """Reads the page in whatever format it is kept; several addresses are tried when only the page's own is known."""

    name = "vendor_status"
    label = _("Vendor's status page")
    summary = _("Reads what a vendor says of itself; it stands beside our own measurements and never changes them.")
    Config = VendorStatusConfig
    target_kinds = frozenset({"provider"})
    default_interval_seconds = 120
    default_timeout_seconds = 15.0
    default_failure_threshold = 1
    default_affects_status = False
    rung = 0

    def address(self, config: VendorStatusConfig) -> str:
        return safe_url(config.url)

    async def look(self, config: VendorStatusConfig, looking: Looking) -> Outcome:
        reserve = min(_RESERVE_SECONDS, looking.remaining() / 4)
        reader = _Reader(looking, until=looking.elapsed() + looking.remaining() - reserve)
        try:
            page = await reader.read(config)
            return _outcome(config, page, _now(looking))
        except UnreadablePage as problem:
            return _unreadable(problem, reader)
        except OutboundError as error:
            known = {key: value for key, value in error.evidence.items() if key != "detail"}
            gone = UnreadablePage(PageProblem.NO_ANSWER, **known, cause=error.reason.value, detail=error.reason.value)
            return _unreadable(gone, reader)


def _now(looking: Looking) -> datetime:
    return datetime.fromtimestamp(looking.now(), UTC)


class _Reader:
    """Fetches and reads within one look. `last` is the answer last seen, for the evidence."""

    def __init__(self, looking: Looking, *, until: float) -> None:
        self._looking = looking
        self._until = until
        self.last: Exchange | None = None

    async def read(self, config: VendorStatusConfig) -> _Page:
        """The first of the candidates that can be read. Raises UnreadablePage with the most telling problem."""
        telling: UnreadablePage | None = None
        for url in candidates(config.url):
            try:
                page = await self._read_one(url)
            except UnreadablePage as problem:
                missing = problem.problem is PageProblem.STATUS and problem.evidence.get("actual") in _NOT_HERE
                if not missing and problem.problem not in _LOOK_ELSEWHERE:
                    raise
                if telling is None or (not missing and telling.problem is PageProblem.STATUS):
                    telling = problem
            else:
                return await self._with_components(page, url, config)
        raise telling or UnreadablePage(PageProblem.UNKNOWN_SHAPE, detail="?")

    async def _with_components(self, page: _Page, url: str, config: VendorStatusConfig) -> _Page:
        """With the components of the other document, where the format has one and somebody asked for some."""
        companion = page.format.companion(url)
        if not companion or page.reading.components:
            return page
        try:
            other = await self._read_one(companion)
        except UnreadablePage:
            if config.components:
                raise
            return page
        components = other.reading.components
        reading = msgspec.structs.replace(page.reading, components=components, lists_components=bool(components))
        return _Page(page.exchange, page.format, reading)

    async def _read_one(self, url: str) -> _Page:
        exchange = await self._fetch(url)
        if exchange.status != 200:
            raise UnreadablePage(PageProblem.STATUS, actual=exchange.status, detail=f"HTTP {exchange.status}")
        now = _now(self._looking)
        # Megabytes of JSON must not hold up the loop that all other looks share.
        found, reading = await asyncio.to_thread(read_page, exchange.body, now)
        return _Page(exchange, found, reading)

    async def _fetch(self, url: str) -> Exchange:
        """The answer at `url`, after redirects that stay on its host."""
        asked = place = parse_location(url)
        for _step in range(_REDIRECTS + 1):
            exchange = self.last = await self._ask(place.url)
            location = exchange.headers.get("location", "")
            if exchange.status not in REDIRECT_STATUSES or not location:
                return exchange
            try:
                place = parse_redirect(place, location[:MAX_URL])
            except BadLocation:
                raise UnreadablePage(PageProblem.STATUS, actual=exchange.status, detail="Location ?") from None
            if not is_same_place(asked, place):
                raise UnreadablePage(PageProblem.REDIRECTED, location=safe_url(place.url), detail=place.host)
        raise OutboundError(OutboundReason.TOO_MANY_REDIRECTS, {"host": asked.host, "count": _REDIRECTS})

    async def _ask(self, url: str) -> Exchange:
        left = self._until - self._looking.elapsed()
        if left <= 0:
            raise OutboundError(OutboundReason.TIMEOUT, {"timeout_seconds": self._looking.timeout_seconds})
        request = HttpRequest(
            url=url,
            headers={"Accept": "application/json, application/atom+xml, application/rss+xml;q=0.9, */*;q=0.5"},
            max_bytes=MAX_BYTES,
            keep_bytes=MAX_BYTES,
        )
        return await self._looking.exchange(request, left)


def _outcome(config: VendorStatusConfig, page: _Page, now: datetime) -> Outcome:
    judged = judge(page.reading, config.components, quiet_days=config.quiet_days, now=now)
    state, reason = _JUDGED[judged.status]
    report = report_of(judged)
    evidence: dict[str, Any] = {
        **_seen(page.exchange),
        "format": page.format.name,
        "detail": judged.detail,
        "page": report.to_evidence(),
    }
    if judged.missing:
        evidence["missing"] = list(judged.missing)
    opened = sum(one.is_open for one in page.reading.incidents)
    measurements = {"components": float(len(page.reading.components)), "open_incidents": float(opened)}
    return Outcome(state=state, reason=reason, measurements=measurements, evidence=evidence)


def _unreadable(problem: UnreadablePage, reader: _Reader) -> Outcome:
    seen = _seen(reader.last) if reader.last is not None else {}
    evidence = {"detail": problem.problem.value, **seen, **problem.evidence, "problem": problem.problem.value}
    return Outcome(state=OutcomeState.INDETERMINATE, reason=Reason.VENDOR_PAGE_UNREADABLE, evidence=evidence)


def _seen(exchange: Exchange) -> dict[str, Any]:
    content_type = exchange.headers.get("content-type", "")[:100]
    return {
        "url": safe_url(exchange.url),
        "address": exchange.address,
        "status_line": exchange.status_line,
        "content_type": content_type,
    }


PROBE_KINDS.add("vendor_status", VendorStatusKind())
