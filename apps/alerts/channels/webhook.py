"""The `webhook` kind: every event as one signed JSON request, after the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
A machine reads it, so nothing is grouped, summarised or worded.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets as system_secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from django.utils.translation import gettext_lazy as _
from standardwebhooks.webhooks import Webhook

from apps.alerts.channels.answers import ANSWER_LIMIT_BYTES, excerpt, judge, judge_failure
from apps.alerts.channels.base import (
    ANSWER_LIMIT_CHARACTERS,
    CHANNEL_KINDS,
    SEND_TIMEOUT_SECONDS,
    ChannelKind,
    Client,
    Delivery,
    Message,
)
from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound.exchange import HttpRequest, OutboundError
from apps.core.outbound.locations import BadLocation, Location, parse_location

# The specification asks for a body below 20 kB.
BODY_LIMIT_BYTES = 20_000

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix every such secret has
MIN_SECRET_BYTES, MAX_SECRET_BYTES, NEW_SECRET_BYTES = 24, 64, 32


class WebhookConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to, and what the receiver verifies our signature with."""

    # Private: the path or query of many a webhook URL is itself a password.
    url: Annotated[
        str,
        field(
            _("URL"),
            _("Where the messages are sent by POST."),
            widget="url",
            max_length=2_000,
            private=True,
            destination=True,
            placeholder="https://example.org/hooks/portal",
        ),
    ]
    secret: Annotated[
        str,
        field(
            _("Signing secret"),
            _("Starts with whsec_. Leave it empty and the portal makes one, shown once after saving."),
            max_length=200,
        ),
        SECRET,
    ] = ""
    grouped: Annotated[
        bool,
        field(
            _("Send groups"),
            _("Off: one message for each step of each incident or alert. On: grouped by the routes, as for people."),
        ),
    ] = False

    def check(self) -> dict[str, list[Text]]:
        """What the types cannot say: a usable URL, and a secret of the right form and length."""
        errors: dict[str, list[Text]] = {}
        if problem := _url_problem(self.url):
            errors["url"] = [problem]
        if self.secret and (problem := _secret_problem(self.secret)):
            errors["secret"] = [problem]
        return errors


class WebhookKind(ChannelKind[WebhookConfig]):
    name = "webhook"
    label = _("Webhook")
    Config = WebhookConfig

    def is_machine(self, config: Mapping[str, Any]) -> bool:
        return not config.get("grouped", False)

    def send(self, message: Message, config: WebhookConfig, client: Client) -> Delivery:
        """POST the signed body once. Redirects are not followed: the message would arrive where nobody put it."""
        body = encode_body(message)
        request = HttpRequest(
            url=config.url,
            method="POST",
            headers=signed_headers(message, body, config.secret),
            body=body,
            max_bytes=ANSWER_LIMIT_BYTES,
            keep_bytes=4 * ANSWER_LIMIT_CHARACTERS,
        )
        try:
            exchange = client.fetch(request, timeout_seconds=SEND_TIMEOUT_SECONDS)
        except OutboundError as error:
            return judge_failure(error)
        return judge(exchange.status, exchange.headers, message.sent_at, answer=excerpt(exchange))

    def prepare(self, config: dict[str, Any]) -> dict[str, Any]:
        """A signing secret where none was given: an unsigned message is one a receiver cannot trust."""
        return config if config.get("secret") else {**config, "secret": new_secret()}

    def destination(self, config: Mapping[str, Any]) -> str:
        """Scheme and host: the rest of the URL may be a password."""
        location = _location(config)
        if location is None:
            return ""
        parts = urlsplit(location.url)
        return f"{parts.scheme}://{parts.netloc}"

    def urls(self, config: Mapping[str, Any]) -> dict[str, str]:
        return {"url": str(config.get("url", ""))}

    def addresses(self, config: Mapping[str, Any]) -> dict[str, str]:
        location = _location(config)
        return {"url": location.address} if location and location.address else {}


# --- What is sent -----------------------------------------------------------------------------------------


def encode_body(message: Message) -> bytes:
    """The body as UTF-8 JSON of at most BODY_LIMIT_BYTES. Evidence gives way first; the links always stay.

    A group that is still too large loses its last alerts, the mildest, which then count as `omitted`.
    """
    data: Mapping[str, Any] = message.data
    body = _encode(message, data)
    for characters in (2_000, 500, 100, 0):
        if len(body) <= BODY_LIMIT_BYTES:
            return body
        data = _with_evidence(message.data, characters)
        body = _encode(message, data)
    while len(body) > BODY_LIMIT_BYTES and len(data.get("alerts") or ()) > 1:
        data = _with_fewer_alerts(data, len(body))
        body = _encode(message, data)
    return body


def _with_evidence(data: Mapping[str, Any], characters: int) -> dict[str, Any]:
    """The same with evidence of texts of at most so many characters, wherever it stands; 0: none."""

    def shorter(holder: Any) -> Any:
        if not isinstance(holder, dict) or not holder.get("evidence"):
            return holder
        kept = _trimmed(holder["evidence"], characters) if characters else {}
        return {**holder, "evidence": {**kept, "truncated": True}}

    changed = {name: shorter(data[name]) for name in ("change", "alert") if name in data}
    if isinstance(data.get("alerts"), list):
        changed["alerts"] = [shorter(entry) for entry in data["alerts"]]
    return {**data, **changed}


def _with_fewer_alerts(data: Mapping[str, Any], size: int) -> dict[str, Any]:
    alerts = data["alerts"]
    kept = alerts[: max(1, min(len(alerts) - 1, len(alerts) * BODY_LIMIT_BYTES // size))]
    return {**data, "alerts": kept, "omitted": data.get("omitted", 0) + len(alerts) - len(kept)}


def _encode(message: Message, data: Mapping[str, Any]) -> bytes:
    body = {"type": message.type, "timestamp": _timestamp(message.occurred_at), "data": data}
    # A lone surrogate is not valid UTF-8; what a probe saw may hold one.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trimmed(value: Any, characters: int, depth: int = 0) -> Any:
    """`value` with shorter texts and fewer entries, so that its shape still tells what it was."""
    entries = max(5, characters // 50)
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]}…"
    if depth >= 4:
        return None if isinstance(value, dict | list) else value
    if isinstance(value, dict):
        kept = list(value.items())[:entries]
        return {str(key)[:100]: _trimmed(entry, characters, depth + 1) for key, entry in kept}
    if isinstance(value, list):
        return [_trimmed(entry, characters, depth + 1) for entry in value[:entries]]
    return value


def signed_headers(message: Message, body: bytes, secret: str) -> dict[str, str]:
    """The three headers a receiver verifies, and what the body is.

    The package signs whatever wall clock it is given as if it were UTC, so the moment is turned into UTC here.
    """
    moment = message.sent_at.astimezone(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Monitor-Portal",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(message.id, moment, body.decode()),
    }


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(system_secrets.token_bytes(NEW_SECRET_BYTES)).decode()


# --- What is accepted -------------------------------------------------------------------------------------


def _location(config: Mapping[str, Any]) -> Location | None:
    try:
        return parse_location(str(config.get("url", "")))
    except BadLocation:
        return None


def _url_problem(url: str) -> Text | None:
    if "@" in url.partition("://")[2].partition("/")[0]:
        return _("Leave user name and password out of the URL: the signature proves who is calling.")
    try:
        parse_location(url)
    except BadLocation as error:
        return error.sentence
    return None


def _secret_problem(secret: str) -> Text | None:
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        return _("Enter whsec_ followed by 24 to 64 bytes in base64, or leave it empty to have one made.")
    return None


CHANNEL_KINDS.add(WebhookKind.name, WebhookKind())
