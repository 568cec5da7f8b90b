"""The little of the Redis protocol (RESP2) that a look needs, over a connection that was already checked.

A client library opens its own sockets to whatever the name leads to; this one is given ours.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.details import Words, words
from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.handles import trusted_certificates
from apps.core.outbound.locations import BadLocation, parse_host
from apps.probes.details import Detail
from apps.probes.looking import Looking, Stream

_MAX_REPLY = 64 * 1024

Reply = str | int | None


class RedisConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a Redis or Valkey server is and how to sign in: the part that kinds share."""

    host: Annotated[
        str, field(_("Host"), _("A name or an address."), destination=True, min_length=1, max_length=253)
    ] = "127.0.0.1"
    port: Annotated[int, field(_("Port"), destination=True, ge=1, le=65_535)] = 6379
    username: Annotated[str, field(_("User name"), _("Empty for the default user."), max_length=200)] = ""
    password: Annotated[str, field(_("Password"), max_length=500), SECRET] = ""
    tls: Annotated[bool, field(_("Use TLS"))] = False
    database: Annotated[int, field(_("Database number"), ge=0, le=1_000)] = 0

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        try:
            parse_host(self.host)
        except BadLocation as error:
            return {"host": [error.sentence]}
        return {}


class RespError(Exception):
    """The server answered with an error; `code` is its first word (`WRONGPASS`, `LOADING`)."""

    def __init__(self, message: str) -> None:
        self.code = message.partition(" ")[0].upper()
        super().__init__(message[:300])


class SignInRefused(RespError):
    """The server does not accept the user name or password, or wants one."""


_SIGN_IN_CODES = frozenset({"WRONGPASS", "NOAUTH", "NOPERM"})


class Resp:
    """A conversation with a Redis server. Every command may raise RespError, OSError or EOFError."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    async def command(self, *words: str) -> Reply:
        """Send one command and read its answer."""
        encoded = [word.encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self._stream.writer.write(b"".join(parts))
        await self._stream.writer.drain()
        return await self._reply()

    async def _reply(self) -> Reply:
        try:
            line = await self._stream.reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError as error:
            reason = OutboundReason.CONNECTION_RESET if error.partial else OutboundReason.EMPTY_RESPONSE
            raise OutboundError(reason) from None
        except asyncio.LimitOverrunError:
            raise _not_redis(words(Detail.NOT_REDIS_LINE)) from None
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            message = rest.decode("utf-8", "replace")
            raise (SignInRefused if message.partition(" ")[0].upper() in _SIGN_IN_CODES else RespError)(message)
        if kind == b"+":
            return rest.decode("utf-8", "replace")
        if kind == b":" and _is_number(rest):
            return int(rest)
        if kind == b"$" and _is_number(rest):
            return await self._bulk(int(rest))
        raise _not_redis(words(Detail.NOT_REDIS, said=line[:60].decode("utf-8", "replace").rstrip("\r\n")))

    async def _bulk(self, length: int) -> str | None:
        if length < 0:
            return None
        if length > _MAX_REPLY:
            raise _not_redis(words(Detail.NOT_REDIS_SIZE, count=length))
        try:
            data = await self._stream.reader.readexactly(length + 2)
        except asyncio.IncompleteReadError:
            raise OutboundError(OutboundReason.CONNECTION_RESET) from None
        return data[:-2].decode("utf-8", "replace")


def _is_number(text: bytes) -> bool:
    return text.removeprefix(b"-").isdigit() and len(text) < 20


def _not_redis(heard: Words) -> OutboundError:
    return OutboundError(OutboundReason.PROTOCOL_ERROR, heard.to_evidence())


async def sign_in(config: RedisConnection, looking: Looking) -> tuple[Stream, Resp]:
    """Connect, sign in and choose the database. Close the stream when done. Raises OutboundError and RespError."""
    context = ssl.create_default_context(cafile=trusted_certificates()) if config.tls else None
    stream = await looking.connect(config.host, config.port, context)
    resp = Resp(stream)
    try:
        if config.password:
            with looking.phase("sign_in"):
                user = [config.username] if config.username else []
                await _authenticated(resp, *user, config.password)
        if config.database:
            await resp.command("SELECT", str(config.database))
    except BaseException:
        stream.close()
        raise
    return stream, resp


async def _authenticated(resp: Resp, *credentials: str) -> None:
    try:
        await resp.command("AUTH", *credentials)
    except SignInRefused:
        raise
    except RespError as error:
        # Old servers answer a wrong password with a plain ERR.
        raise SignInRefused(str(error)) from None
