"""What a one-tap link carries: what it is for, what it is about, through which channel, and until when. Signed.

Nothing is stored, and a link is for one purpose: each has a salt of its own, so that the signature of one is worth
nothing to another. Whoever has the link may use it, as often as it takes, until it expires.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.core.signing import BadSignature, Signer

from apps.core import clock

LIFETIME = timedelta(days=7)
# About 95 characters; a longer one is none of ours.
MAX_TOKEN_CHARACTERS = 120
_SEPARATOR = "."
# Subject, channel, expiry in seconds since 1970.
_BODY = struct.Struct(">16s16sQ")


class Purpose(StrEnum):
    """What a link does. The letter stands first in the token; the salt is made from the name."""

    ACKNOWLEDGE_ALERT = "a"
    # All alerts of one message.
    ACKNOWLEDGE_MESSAGE = "m"
    SILENCE_ALERT = "s"
    SILENCE_TARGET = "t"


class ForgedToken(Exception):
    """It was not made here, or not as it came back."""


class ExpiredToken(Exception):
    """It was made here, and its time is over."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("expired")
        self.reply = reply


@dataclass(frozen=True)
class Reply:
    """What a link asks for. `subject` is an alert, a message or a target, as `purpose` says."""

    purpose: Purpose
    subject: UUID
    channel: UUID
    expires_at: datetime


def make_token(purpose: Purpose, *, subject: UUID, channel: UUID, lifetime: timedelta = LIFETIME) -> str:
    """A token good for `lifetime` from now."""
    expires = int((clock.now() + lifetime).timestamp())
    body = urlsafe_b64encode(_BODY.pack(subject.bytes, channel.bytes, expires)).rstrip(b"=").decode()
    return purpose.value + _signer(purpose).sign(body)


def read_token(token: str) -> Reply:
    """What `token` asks for. Raises ForgedToken, or ExpiredToken (with what it asked for)."""
    try:
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise ForgedToken
        purpose = Purpose(token[:1])
        body = _signer(purpose).unsign(token[1:])
        subject, channel, expires = _BODY.unpack(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (BadSignature, ValueError, struct.error) as error:
        raise ForgedToken from error
    reply = Reply(purpose, UUID(bytes=subject), UUID(bytes=channel), datetime.fromtimestamp(expires, UTC))
    if reply.expires_at <= clock.now():
        raise ExpiredToken(reply)
    return reply


def _signer(purpose: Purpose) -> Signer:
    return Signer(sep=_SEPARATOR, salt=f"alerts.replies.{purpose.name.lower()}")
