"""The `discord` kind: messages for people through a channel's webhook, as one embed.

https://docs.discord.com/developers/resources/webhook#execute-webhook
https://docs.discord.com/developers/resources/message#embed-object
Discord reads Markdown nearly everywhere, so every sign of it in words from outside is escaped, and
`allowed_mentions` keeps anything that is left from calling anybody.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.channels.answers import MAX_RETRY_AFTER_SECONDS, excerpt, judge, judge_failure
from apps.alerts.channels.base import CHANNEL_KINDS, ChannelKind, Client, Delivery, DeliveryReason, Message
from apps.alerts.channels.hooks import PlaceName, place, post_json, url_addresses, url_errors
from apps.alerts.wording import Line, Text, cut, size, write
from apps.core.kindconfig import SECRET, field
from apps.core.kindconfig import Text as Words
from apps.core.outbound.exchange import Exchange, OutboundError

TITLE_CHARACTERS = 256
DESCRIPTION_CHARACTERS = 4_096
FIELD_NAME_CHARACTERS = 256
FIELD_VALUE_CHARACTERS = 1_024
FIELDS = 25
FOOTER_CHARACTERS = 2_048
ALL_CHARACTERS = 6_000
URL_CHARACTERS = 2_048
# One of the fields says how many alerts are left out.
LINES_SHOWN = FIELDS - 1
_LEAST_VALUE_CHARACTERS = 160

_COLOURS = {
    "critical": 0xC62828,
    "warning": 0xB26A00,
    "info": 0x3367A8,
    "acknowledged": 0x6B5B95,
    "resolved": 0x2E7D32,
}
# Escaping the colon keeps an address from becoming a link by itself.
_MARKDOWN = frozenset("\\*_~`|>#-+[]()<:@")
_EVERYBODY = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_UNKNOWN_WEBHOOK = 10_015


class DiscordConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The webhook of one channel. Its URL is a password: whoever has it can post."""

    url: Annotated[
        str,
        field(
            _("Webhook URL"),
            _("In Discord: Edit channel, Integrations, Webhooks. Whoever has this URL can post, so it is kept sealed."),
            max_length=2_000,
            placeholder="https://discord.com/api/webhooks/…",
        ),
        SECRET,
    ]
    place: PlaceName = ""

    def check(self) -> dict[str, list[Words]]:
        return url_errors(self.url)


class DiscordKind(ChannelKind[DiscordConfig]):
    name = "discord"
    label = _("Discord")
    Config = DiscordConfig

    def send(self, message: Message, config: DiscordConfig, client: Client) -> Delivery:
        """Post once. 204 is what success looks like here; a webhook that was deleted is gone for good.

        A success may say that it was the last for a while: the next message waits, instead of being refused.
        """
        try:
            exchange = post_json(client, config.url, body_of(write(message), sent_at=message.occurred_at.isoformat()))
        except OutboundError as error:
            return judge_failure(error)
        delivery = judge(exchange.status, exchange.headers, message.sent_at, answer=excerpt(exchange))
        told = _answer_of(exchange)
        if exchange.status == HTTPStatus.NOT_FOUND and told.get("code") == _UNKNOWN_WEBHOOK:
            return replace(delivery, reason=DeliveryReason.RECEIVER_GONE, disable=True)
        if exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
            return replace(delivery, retry_after_seconds=_wait(exchange, told, delivery.retry_after_seconds))
        if delivery.ok and exchange.headers.get("x-ratelimit-remaining", "").strip() == "0":
            return replace(delivery, retry_after_seconds=_seconds(exchange.headers.get("x-ratelimit-reset-after")))
        return delivery

    def destination(self, config: Mapping[str, Any]) -> str:
        return place(config) or "Discord"

    def urls(self, config: Mapping[str, Any]) -> dict[str, str]:
        return {"url": str(config.get("url", ""))}

    def addresses(self, config: Mapping[str, Any]) -> dict[str, str]:
        return url_addresses(config)


# --- What comes back --------------------------------------------------------------------------------------


def _answer_of(exchange: Exchange) -> dict[str, Any]:
    """The answer's JSON object; empty when it is anything else, such as a proxy's page."""
    try:
        told = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _wait(exchange: Exchange, told: Mapping[str, Any], header_seconds: float | None) -> float | None:
    """The longest of what Discord asks for: Retry-After, `retry_after` in the answer, or the end of the bucket."""
    asked = [header_seconds, _seconds(told.get("retry_after"))]
    asked += [_seconds(exchange.headers.get(name)) for name in ("retry-after", "x-ratelimit-reset-after")]
    found = [seconds for seconds in asked if seconds is not None]
    return max(found) if found else None


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) if math.isfinite(seconds) else None


# --- What is sent -----------------------------------------------------------------------------------------


def escape(letter: str) -> str:
    """One character so that it means itself: a backslash before whatever Markdown knows."""
    return f"\\{letter}" if letter in _MARKDOWN else letter


def body_of(text: Text, *, sent_at: str) -> dict[str, Any]:
    """The message as one embed within every documented limit. The links stay, whatever is cut."""
    title, links = _escaped(text.title, TITLE_CHARACTERS), _links(text)
    footer = cut(_nobody(text.footer), FOOTER_CHARACTERS // 8)
    room = ALL_CHARACTERS - size(title) - size(footer)
    description = _description(text, links, min(DESCRIPTION_CHARACTERS, room))
    embed: dict[str, Any] = {
        "title": title,
        "description": description,
        "color": _COLOURS.get(text.tone, _COLOURS["info"]),
        "timestamp": sent_at,
        "fields": _fields(text, room - size(description)),
    }
    if 0 < len(text.link) <= URL_CHARACTERS:
        embed["url"] = text.link
    if footer:
        embed["footer"] = {"text": footer}
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _description(text: Text, links: str, room: int) -> str:
    """The summary or the user's own words, and the links below them."""
    own_words = [line.sentence for line in text.shown(LINES_SHOWN) if not any(one.subject for one in text.lines)]
    words = "\n".join([*([text.summary] if text.summary else []), *own_words])
    parts = [_escaped(words, room - size(links) - 2) if words.strip() else "", links]
    return "\n\n".join(part for part in parts if part)


def _links(text: Text) -> str:
    """Our own links as Markdown: a webhook's message has no buttons."""
    found = [f"[{label}](<{url}>)" for label, url in text.links if 0 < len(url) <= URL_CHARACTERS // 2]
    return " · ".join(found)


def _fields(text: Text, room: int) -> list[dict[str, Any]]:
    """One field an alert, the worst first, as many as there is room for; the last says how many are left out."""
    if not any(line.subject for line in text.lines):
        return []
    for count in range(min(LINES_SHOWN, len(text.lines)), 0, -1):
        shown = text.shown(count)
        if room // len(shown) >= _LEAST_VALUE_CHARACTERS or count == 1:
            return [_field(line, room // len(shown)) for line in shown]
    return []


def _field(line: Line, room: int) -> dict[str, Any]:
    """One alert within `room` characters, its link among them."""
    if not line.subject:
        return {"name": "…", "value": _escaped(line.sentence, min(FIELD_VALUE_CHARACTERS, room - 1)), "inline": False}
    name = _escaped(f"{line.mark} · {line.subject}", min(FIELD_NAME_CHARACTERS, room // 3))
    words = "\n".join(part for part in (line.sentence, line.when, " · ".join(line.details)) if part)
    value = _escaped(words or line.mark, min(FIELD_VALUE_CHARACTERS, room - size(name)))
    return {"name": name, "value": value, "inline": False}


def _escaped(words: str, limit: int) -> str:
    """Never empty, which Discord refuses for a field."""
    return cut(_nobody(words), limit, escape).strip() or "–"


def _nobody(words: str) -> str:
    return _EVERYBODY.sub("@\u200b", words)


CHANNEL_KINDS.add(DiscordKind.name, DiscordKind())
