"""RSS 2.0 feeds of incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.feeds import MAX_ENTRIES, Entry, reading_of
from apps.probes.vendor_pages.markup import Element
from apps.probes.vendor_pages.reading import MAX_TITLE, VENDOR_FORMATS, PageReading, VendorFormat


class Rss(VendorFormat):
    name = "rss"
    label = _("RSS")
    media = "xml"

    def recognises(self, document: Any) -> bool:
        return document.name == "rss" and document.first("channel") is not None

    def read(self, document: Any, now: datetime) -> PageReading:
        channel = document.first("channel") or document
        return reading_of(
            self.name,
            [_entry(item) for item in channel.all("item")[:MAX_ENTRIES]],
            channel.said("title"),
            # `lastBuildDate` is when the answer was made, which says nothing about the vendor.
            values.moment(channel.said("pubdate")),
            now,
        )


def _entry(item: Element) -> Entry:
    written_at = values.moment(item.said("pubdate", "date"))
    return Entry(
        id=values.text(item.said("guid", "link"), 200),
        title=values.text(item.said("title"), MAX_TITLE),
        body=item.said("encoded", "description"),
        written_at=written_at,
        updated_at=values.moment(item.said("updated")) or written_at,
        url=values.web_link(item.said("link")),
    )


VENDOR_FORMATS.add("rss", Rss())
