"""What kinds share whose receiver gives out one secret URL to post JSON to. Pure; registers no kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _

from apps.alerts.channels.answers import ANSWER_LIMIT_BYTES
from apps.alerts.channels.base import ANSWER_LIMIT_CHARACTERS, SEND_TIMEOUT_SECONDS, Client
from apps.core.kindconfig import Text, field
from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.core.outbound.locations import BadLocation, parse_location

# What people call the place the messages go to: the URL says nothing that may be shown.
PlaceName = Annotated[
    str,
    field(
        _("Goes to"),
        _("What people call the place, such as #operations. Shown in lists; the URL is what counts."),
        max_length=100,
        placeholder="#operations",
    ),
]


def post_json(client: Client, url: str, body: Mapping[str, Any]) -> Exchange:
    """POST `body` once and wait for the answer, without following redirects. Raises OutboundError.

    A lone surrogate is not valid UTF-8; what a probe saw may hold one.
    """
    request = HttpRequest(
        url=url,
        method="POST",
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "Monitor-Portal"},
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"),
        max_bytes=ANSWER_LIMIT_BYTES,
        keep_bytes=4 * ANSWER_LIMIT_CHARACTERS,
    )
    return client.fetch(request, timeout_seconds=SEND_TIMEOUT_SECONDS)


def url_errors(url: str) -> dict[str, list[Text]]:
    """What is wrong with such a URL, as a config's `check` returns it. It never repeats the URL, which is a secret."""
    if "@" in url.partition("://")[2].partition("/")[0]:
        return {"url": [_("Leave user name and password out of the URL.")]}
    try:
        parse_location(url)
    except BadLocation as error:
        return {"url": [error.sentence]}
    return {}


def url_addresses(config: Mapping[str, Any]) -> dict[str, str]:
    """The address written out in the URL of an opened config, if one is."""
    try:
        location = parse_location(str(config.get("url", "")))
    except BadLocation:
        return {}
    return {"url": location.address} if location.address else {}


def place(config: Mapping[str, Any]) -> str:
    """What lists show: the name somebody gave, on one line."""
    return str(config.get("place") or "")
