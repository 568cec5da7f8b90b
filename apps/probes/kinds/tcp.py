"""`tcp`: connect to a port; say something and expect an answer, if asked to."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import Text, field
from apps.core.outbound.locations import BadLocation, parse_host
from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking, Stream

_MAX_HEARD = 4_096


class TcpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to connect, what to say, what to expect."""

    host: Annotated[
        str,
        field(_("Host"), _("A name or an address."), placeholder="db.example.com", min_length=1, max_length=253),
    ]
    port: Annotated[int, field(_("Port"), ge=1, le=65_535)]
    send: Annotated[
        str,
        field(_("Send"), _("Said after connecting. \\r, \\n and \\t are understood."), private=True, max_length=2_000),
    ] = ""
    expect: Annotated[
        str, field(_("Expect"), _("A text that must appear in what the other side says."), max_length=500)
    ] = ""

    def check(self) -> dict[str, list[Text]]:
        """Rules msgspec cannot express."""
        try:
            parse_host(self.host)
        except BadLocation as error:
            return {"host": [error.sentence]}
        return {}


class TcpKind(AsyncProbeKind[TcpConfig]):
    """Connects; without `expect`, an open port is enough."""

    name = "tcp"
    label = _("TCP port")
    summary = _("Connects to a port; can say something and expect an answer.")
    Config = TcpConfig

    def address(self, config: TcpConfig) -> str:
        return f"{config.host}:{config.port}"

    async def look(self, config: TcpConfig, looking: Looking) -> Outcome:
        stream = await looking.connect(config.host, config.port)
        try:
            return await self._talk(config, looking, stream)
        finally:
            stream.close()

    async def _talk(self, config: TcpConfig, looking: Looking, stream: Stream) -> Outcome:
        if config.send:
            stream.writer.write(_unescaped(config.send).encode())
            await stream.writer.drain()
        if not config.expect:
            return Outcome(state=OutcomeState.OK, reason=Reason.OK)
        with looking.phase("first_byte"):
            heard, complete = await _hear(stream, _unescaped(config.expect).encode(), looking)
        if complete:
            return Outcome(state=OutcomeState.OK, reason=Reason.OK)
        return Outcome(
            state=OutcomeState.FAILED,
            reason=Reason.UNEXPECTED_ANSWER if heard else Reason.EMPTY_RESPONSE,
            evidence={"expected": config.expect, "actual": heard.decode("utf-8", "replace")[:500]},
        )


async def _hear(stream: Stream, expected: bytes, looking: Looking) -> tuple[bytes, bool]:
    """Read until `expected` appears, the other side closes, or enough was heard; the deadline is the runner's."""
    heard = b""
    while len(heard) < _MAX_HEARD:
        chunk = await stream.reader.read(_MAX_HEARD)
        if not chunk:
            break
        heard += chunk
        # Kept where a timeout finds it.
        looking.evidence |= {"expected": expected.decode("utf-8", "replace"), "actual": heard[:500]}
        if expected in heard:
            return heard, True
    return heard, False


def _unescaped(text: str) -> str:
    return text.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t")


PROBE_KINDS.add("tcp", TcpKind())
