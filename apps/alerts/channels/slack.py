"""The `slack` kind: messages for people through an incoming webhook, as Block Kit.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/block-kit/blocks
Words from outside stand in `plain_text` only, where Slack reads no mark-up, and `&`, `<` and `>` are escaped all the
same: whoever names a target can neither mention a channel nor disguise a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import groupby
from typing import Annotated, Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.alerts.channels.answers import excerpt, judge, judge_failure
from apps.alerts.channels.base import CHANNEL_KINDS, ChannelKind, Client, Delivery, DeliveryReason, Message
from apps.alerts.channels.hooks import PlaceName, place, post_json, url_addresses, url_errors
from apps.alerts.wording import Line, Text, cut, size, write
from apps.core.kindconfig import SECRET, field
from apps.core.kindconfig import Text as Words
from apps.core.outbound.exchange import OutboundError

HEADER_CHARACTERS = 150
SECTION_CHARACTERS = 3_000
BUTTON_CHARACTERS = 75
BUTTON_URL_CHARACTERS = 3_000
FALLBACK_CHARACTERS = 3_000
# Slack takes 50 blocks; nobody reads so many alerts, and all texts together have a limit that is not written down.
LINES_SHOWN = 20
ALL_SECTIONS_CHARACTERS = 10_000

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MENTION = re.compile(r"@(?=(?:channel|here|everyone)\b)", re.IGNORECASE)
# The webhook itself was taken away; 404 alone may be a channel that comes back.
_GONE = ("no_service", "no_team", "no_active_hooks", "team_disabled")


class SlackConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The incoming webhook. Its URL is a password: whoever has it can post."""

    url: Annotated[
        str,
        field(
            _("Webhook URL"),
            _("In Slack: Apps, Incoming Webhooks. Whoever has this URL can post, so it is kept sealed."),
            max_length=2_000,
            placeholder="https://hooks.slack.com/services/…",
        ),
        SECRET,
    ]
    place: PlaceName = ""

    def check(self) -> dict[str, list[Words]]:
        return url_errors(self.url)


class SlackKind(ChannelKind[SlackConfig]):
    name = "slack"
    label = _("Slack")
    Config = SlackConfig

    def send(self, message: Message, config: SlackConfig, client: Client) -> Delivery:
        """Post once. A webhook that Slack no longer knows is gone for good."""
        try:
            exchange = post_json(client, config.url, body_of(write(message)))
        except OutboundError as error:
            return judge_failure(error)
        delivery = judge(exchange.status, exchange.headers, message.sent_at, answer=excerpt(exchange))
        if exchange.status == HTTPStatus.NOT_FOUND and delivery.answer.startswith(_GONE):
            return replace(delivery, reason=DeliveryReason.RECEIVER_GONE, disable=True)
        return delivery

    def destination(self, config: Mapping[str, Any]) -> str:
        return place(config) or "Slack"

    def urls(self, config: Mapping[str, Any]) -> dict[str, str]:
        return {"url": str(config.get("url", ""))}

    def addresses(self, config: Mapping[str, Any]) -> dict[str, str]:
        return url_addresses(config)


# --- What is sent -----------------------------------------------------------------------------------------


def escape(letter: str) -> str:
    """One character as Slack wants it, so that a cut never falls into an escape."""
    return _ESCAPES.get(letter, letter)


def body_of(text: Text) -> dict[str, Any]:
    """The message within every documented limit. The link stays, whatever is cut."""
    blocks = [_header(text), *_sections(text), *_actions(text.links)]
    if text.footer:
        blocks.append({"type": "context", "elements": [_plain(text.footer, SECTION_CHARACTERS)]})
    return {"text": _fallback(text), "mrkdwn": False, "blocks": blocks}


def _fallback(text: Text) -> str:
    """What a notification on a telephone shows, and a reader who cannot show blocks."""
    link = f" {text.link}" if text.link else ""
    return cut(_unmentioned(text.title), FALLBACK_CHARACTERS - size(link), escape) + link


def _header(text: Text) -> dict[str, Any]:
    return {"type": "header", "text": _plain(text.title, HEADER_CHARACTERS)}


def _sections(text: Text) -> Iterator[dict[str, Any]]:
    """The summary, one section an alert with a link of its own, and how many are left out."""
    if text.summary:
        yield {"type": "section", "text": _plain(text.summary, SECTION_CHARACTERS)}
    shown = text.shown(LINES_SHOWN)
    several = sum(bool(line.subject) for line in shown) > 1
    room = min(SECTION_CHARACTERS, ALL_SECTIONS_CHARACTERS // max(1, len(shown)))
    for has_subject, lines in groupby(shown, key=lambda line: bool(line.subject)):
        if not has_subject:
            words = "\n".join(line.sentence for line in lines)
            yield {"type": "section", "text": _plain(words, SECTION_CHARACTERS)}
            continue
        for line in lines:
            section = {"type": "section", "text": _plain(_words_of(line), room)}
            leads = several and 0 < len(line.url) <= BUTTON_URL_CHARACTERS
            yield {**section, "accessory": _button(_open_label(text), line.url)} if leads else section


def _words_of(line: Line) -> str:
    """Nothing of ours may be lost to a long name, so what is from outside is cut first."""
    head = f"{line.mark} · {cut(line.subject, 250)}"
    return "\n".join(part for part in (head, line.sentence, line.when, " · ".join(line.details)) if part)


def _open_label(text: Text) -> str:
    return text.links[0][0] if text.links else "→"


def _actions(links: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    buttons = [_button(label, url) for label, url in links if 0 < len(url) <= BUTTON_URL_CHARACTERS]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _button(label: str, url: str) -> dict[str, Any]:
    return {"type": "button", "text": _plain(label, BUTTON_CHARACTERS), "url": url}


def _plain(words: str, limit: int) -> dict[str, Any]:
    """Never empty, which Slack refuses."""
    return {"type": "plain_text", "text": cut(_unmentioned(words), limit, escape).strip() or "–", "emoji": False}


def _unmentioned(words: str) -> str:
    """A word that Slack may take for a mention, even where it reads no mark-up, is one no longer."""
    return _MENTION.sub("@\u200b", words)


CHANNEL_KINDS.add(SlackKind.name, SlackKind())
