"""Where a page's data lies and in which format it is: found out from the address and from what comes back."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from apps.core.outbound.locations import Location
from apps.probes.vendor_pages.markup import Element, parse
from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage
from apps.probes.vendor_pages.reading import VENDOR_FORMATS, PageReading, VendorFormat

MAX_BYTES = 8 * 1024 * 1024
_DOCUMENT = re.compile(r"\.(json|rss|atom|xml)\Z|/api/v\d+/|/(rss|atom|feed)(/|\Z)", re.IGNORECASE)
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def candidates(url: str) -> list[str]:
    """Addresses to try, in this order: the one given if it names a document, else where the makers put theirs.

    Feeds are never guessed: one that was left behind would go on saying that all is well.
    """
    parts = urlsplit(url)
    if parts.query or _DOCUMENT.search(parts.path):
        return [url]
    base = url.partition("#")[0].rstrip("/")
    formats = sorted(VENDOR_FORMATS, key=lambda entry: entry.rank)
    paths = [path for place in range(2) for entry in formats for path in entry.paths[place : place + 1]]
    return [*(base + path for path in paths), *([url] if parts.path.strip("/") else [])]


def is_same_place(asked: Location, sent: Location) -> bool:
    """Whether a redirect stays where it was asked: the same host and port, or from http to https."""
    if asked.host != sent.host:
        return False
    return asked.port == sent.port or (asked.scheme, sent.scheme) == ("http", "https")


def read_page(body: bytes, now: datetime) -> tuple[VendorFormat, PageReading]:
    """The reading of an answer's body, and its format. Raises UnreadablePage."""
    document = _decoded(body)
    media = "xml" if isinstance(document, Element) else "json"
    for entry in VENDOR_FORMATS:
        if entry.media == media and entry.recognises(document):
            return entry, entry.read(document, now)
    raise UnreadablePage(PageProblem.UNKNOWN_SHAPE, detail=media.upper())


def _decoded(body: bytes) -> Any:
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise UnreadablePage(PageProblem.EMPTY, detail="0 B")
    if body.startswith(b"<"):
        if _HTML.search(body[:4_096]):
            raise UnreadablePage(PageProblem.HTML, detail="HTML")
        return parse(body)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UnreadablePage(PageProblem.GARBAGE, detail="? JSON") from None
    if document in (None, {}, []):
        raise UnreadablePage(PageProblem.EMPTY, detail="{}")
    return document
