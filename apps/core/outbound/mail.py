"""Mail out: one letter to one server by SMTP, under the address policy and deadline of everything that leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import msgspec

from apps.core.addresses import AddressPolicy
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.names import Names

Security = Literal["starttls", "tls", "none"]


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One letter and the server that takes it. `content` is the whole message with CRLF line ends.

    `message_id` is what the message calls itself, the same on every attempt.
    """

    server: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    content: bytes
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Mail(server={self.server!r}, port={self.port!r}, message_id={self.message_id!r})"


class MailStage(StrEnum):
    """How far the conversation had come when the server said what decided it."""

    GREETING = "greeting"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class MailReply:
    """What the server said: `code` as in 250, `enhanced` as in "4.7.1" (may be empty).

    `code` is 0 when it lacks something the letter needs; `text` then says what.
    """

    stage: MailStage
    code: int
    text: str
    enhanced: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReceipt:
    """A conversation that came to its end, however it ended. `reply` is the one that decided.

    `accepted` are the recipients the server has taken the letter for, `refused` what it said of the others.
    """

    reply: MailReply
    accepted: tuple[str, ...] = ()
    refused: Mapping[str, MailReply] = field(default_factory=dict)
    address: str = ""


def send_mail(
    mail: Mail, *, policy: AddressPolicy, timeout_seconds: float, names: Names | None = None, ca_file: str = ""
) -> MailReceipt:
    """Hand one letter over, at most `timeout_seconds` in all. Raises OutboundError when no conversation comes about."""
    raise OutboundError(OutboundReason.INTERNAL_ERROR, {"detail": "mail cannot be sent yet"})
