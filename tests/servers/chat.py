"""Stand-ins for Slack and Discord: they take a message only if their documentation says they would.

https://docs.slack.dev/reference/block-kit/blocks and /messaging/sending-messages-using-incoming-webhooks
https://docs.discord.com/developers/resources/webhook#execute-webhook and /message#embed-object-embed-limits
What is wrong is kept in `complaints`, so that a test can say it; the answer is what the real one gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from tests.servers.http import Behaviour, HttpServer, Received, answer
from tests.servers.listening import Connection

Complaints = Iterator[str]


def length(text: str) -> int:
    """As JavaScript counts: what is outside the first plane counts twice."""
    return len(text.encode("utf-16-le")) // 2


class ChatServer(HttpServer):
    """Receives posted JSON at /hook, judges it, and answers as the service of that name does."""

    def __init__(self, judge: Callable[[dict[str, Any]], Complaints], good: Behaviour, bad: Behaviour) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        self._judge, self._good, self._bad = judge, good, bad
        self.hook = self.behave("/hook", self._receive)

    def _receive(self, connection: Connection, received: Received) -> None:
        found = list(self._look(received))
        self.complaints += found
        (self._bad if found else self._good)(connection, received)

    def _look(self, received: Received) -> Complaints:
        if received.method != "POST" or not received.headers.get("content-type", "").startswith("application/json"):
            yield "not a POST of JSON"
            return
        message = json.loads(received.body.decode("utf-8", "strict"))
        self.messages.append(message)
        yield from self._judge(message)


def slack() -> ChatServer:
    return ChatServer(slack_complaints, answer(200, "ok"), answer(400, "invalid_blocks"))


def discord() -> ChatServer:
    refusal = {"message": "Invalid Form Body", "code": 50035}
    return ChatServer(discord_complaints, answer(204, ""), answer(400, refusal))


# --- Slack ------------------------------------------------------------------------------------------------


def slack_complaints(message: dict[str, Any]) -> Complaints:
    if extra := set(message) - {"text", "blocks", "attachments", "mrkdwn", "thread_ts", "unfurl_links", "unfurl_media"}:
        yield f"unknown: {extra}"
    if not isinstance(message.get("text"), str) or not message["text"].strip():
        yield "no_text"
    else:
        yield from _mark_up(message["text"])
        if length(message["text"]) > 4_000:
            yield "the text is longer than Slack shows"
    blocks = message.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 50:
        yield "1 to 50 blocks"
        return
    for block in blocks:
        yield from _BLOCKS.get(block.get("type"), _unknown_block)(block)


def _unknown_block(block: dict[str, Any]) -> Complaints:
    yield f"no such block: {block.get('type')}"


def _header_block(block: dict[str, Any]) -> Complaints:
    if block["text"]["type"] != "plain_text":
        yield "a header is plain text"
    yield from _text_object(block["text"], 150)


def _section_block(block: dict[str, Any]) -> Complaints:
    if "text" not in block and not block.get("fields"):
        yield "a section has a text or fields"
    if "text" in block:
        yield from _text_object(block["text"], 3_000)
    if "accessory" in block:
        yield from _button_element(block["accessory"])


def _actions_block(block: dict[str, Any]) -> Complaints:
    if not 1 <= len(block["elements"]) <= 25:
        yield "1 to 25 elements"
    for element in block["elements"]:
        yield from _button_element(element)


def _context_block(block: dict[str, Any]) -> Complaints:
    if not 1 <= len(block["elements"]) <= 10:
        yield "1 to 10 elements"
    for element in block["elements"]:
        yield from _text_object(element, 3_000)


_BLOCKS: dict[Any, Callable[[dict[str, Any]], Complaints]] = {
    "header": _header_block,
    "section": _section_block,
    "actions": _actions_block,
    "context": _context_block,
    "divider": lambda block: iter(()),
}


def _button_element(button: dict[str, Any]) -> Complaints:
    if button["type"] != "button" or button["text"]["type"] != "plain_text":
        yield "a button with a plain text"
    yield from _text_object(button["text"], 75)
    if not re.match(r"https?://", button.get("url", "")) or length(button["url"]) > 3_000:
        yield "a URL of at most 3,000 characters"


def _text_object(text: dict[str, Any], limit: int) -> Complaints:
    if text["type"] not in ("plain_text", "mrkdwn"):
        yield f"no such text: {text['type']}"
    if ("emoji" in text and text["type"] != "plain_text") or ("verbatim" in text and text["type"] != "mrkdwn"):
        yield "a field of the other kind of text"
    if not 1 <= length(text["text"]) <= limit:
        yield f"{length(text['text'])} characters where 1 to {limit} are taken"
    yield from _mark_up(text["text"])


def _mark_up(text: str) -> Complaints:
    """Nothing our messages hold is meant as mark-up, so no control character may be left."""
    if re.search(r"[<>]", text) or re.search(r"&(?!amp;|lt;|gt;)", text):
        yield f"control characters: {text[:200]}"
    if re.search(r"@(channel|here|everyone)\b", text, re.IGNORECASE):
        yield f"a mention: {text[:200]}"


# --- Discord ----------------------------------------------------------------------------------------------


def discord_complaints(message: dict[str, Any]) -> Complaints:
    if extra := set(message) - {"content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "flags"}:
        yield f"unknown: {extra}"
    if not message.get("content") and not message.get("embeds"):
        yield "an empty message"
    if length(message.get("content", "")) > 2_000:
        yield "a content of at most 2,000 characters"
    if message.get("allowed_mentions") != {"parse": []}:
        yield "somebody may be mentioned"
    embeds = message.get("embeds", [])
    if len(embeds) > 10:
        yield "at most 10 embeds"
    if sum(map(_characters, embeds)) > 6_000:
        yield f"{sum(map(_characters, embeds))} characters in all"
    for embed in embeds:
        yield from _embed(embed)


def _characters(embed: dict[str, Any]) -> int:
    fields = embed.get("fields", [])
    texts = [embed.get("title", ""), embed.get("description", ""), embed.get("footer", {}).get("text", "")]
    texts += [field[part] for field in fields for part in ("name", "value")]
    return sum(map(length, texts))


def _embed(embed: dict[str, Any]) -> Complaints:
    if extra := set(embed) - {"title", "description", "url", "timestamp", "color", "footer", "author", "fields"}:
        yield f"unknown: {extra}"
    for name, limit in (("title", 256), ("description", 4_096)):
        if length(embed.get(name, "")) > limit:
            yield f"{name}: {length(embed[name])} characters"
    if length(embed.get("footer", {}).get("text", "")) > 2_048:
        yield "a footer of at most 2,048 characters"
    if not 0 <= embed.get("color", 0) <= 0xFFFFFF:
        yield "a colour"
    if "timestamp" in embed and datetime.fromisoformat(embed["timestamp"]).tzinfo is None:
        yield "a timestamp with its zone"
    if "url" in embed and not re.match(r"https?://", embed["url"]):
        yield "a URL"
    if len(embed.get("fields", [])) > 25:
        yield "at most 25 fields"
    for field in embed.get("fields", []):
        if not 1 <= length(field["name"].strip()) <= 256 or not 1 <= length(field["value"].strip()) <= 1_024:
            yield f"a field of {length(field['name'])} and {length(field['value'])} characters"
