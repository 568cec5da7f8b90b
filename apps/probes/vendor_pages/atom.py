"""Atom feeds of incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.feeds import MAX_ENTRIES, Entry, reading_of
from apps.probes.vendor_pages.markup import Element
from apps.probes.vendor_pages.reading import MAX_TITLE, VENDOR_FORMATS, PageReading, VendorFormat


class Atom(VendorFormat):
    name = "atom"
    label = _("Atom")
    media = "xml"

    def recognises(self, document: Any) -> bool:
        return bool(document.name == "feed")

    def read(self, document: Any, now: datetime) -> PageReading:
        return reading_of(
            self.name,
            [_entry(entry) for entry in document.all("entry")[:MAX_ENTRIES]],
            document.said("title"),
            values.moment(document.said("updated")),
            now,
        )


def _entry(entry: Element) -> Entry:
    links = entry.all("link")
    link = next((one for one in links if one.attributes.get("rel", "alternate") == "alternate"), None)
    published = values.moment(entry.said("published"))
    updated = values.moment(entry.said("updated"))
    return Entry(
        id=values.text(entry.said("id"), 200),
        title=values.text(entry.said("title"), MAX_TITLE),
        body=entry.said("content", "summary"),
        written_at=published or updated,
        updated_at=updated or published,
        url=values.web_link(link.attributes.get("href", "")) if link is not None else "",
    )


VENDOR_FORMATS.add("atom", Atom())
