"""The SMTP conversation itself (RFC 5321): lines and replies over a connected socket, every wait under one deadline.

The standard library's client gives each read a timeout of its own, which a server that sends one byte now and then
never meets, and reads a reply of any length. Here the time that is left goes down whatever happens, and a reply is
bounded.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.core.details import words
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.problems import Problem
from apps.core.outbound.sockets import tls_failure

MAX_REPLY_BYTES = 32 * 1024
_CHUNK_BYTES = 4_096
_FAREWELL_SECONDS = 1.0
_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: its code, and its lines without the code."""

    code: int
    lines: tuple[str, ...]

    @property
    def enhanced(self) -> str:
        """The status of RFC 3463, as "4.7.1"; empty when the server gives none."""
        found = _ENHANCED.match(self.lines[0])
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """What it says, without the enhanced status, as one line."""
        return " ".join(_ENHANCED.sub("", line, count=1).strip() for line in self.lines).strip()


class Conversation:
    """One conversation. `deadline` is a moment of `clock` (seconds); every method raises OutboundError."""

    def __init__(self, connected: socket.socket, deadline: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._socket: socket.socket = connected
        self._deadline = deadline
        self._clock = clock
        self._received = bytearray()
        self._heard_anything = False
        self.encrypted = False

    def reply(self) -> Reply:
        """The next reply, complete."""
        lines: list[str] = []
        size = 0
        while True:
            line = self._line(MAX_REPLY_BYTES - size)
            size += len(line) + 1
            found = _REPLY_LINE.fullmatch(line.rstrip(b"\r"))
            if found is None:
                raise OutboundError(OutboundReason.PROTOCOL_ERROR, words(Problem.NO_SMTP).to_evidence())
            lines.append((found[3] or b"").decode("utf-8", "replace"))
            if found[2] != b"-":
                return Reply(int(found[1]), tuple(lines))

    def ask(self, line: str) -> Reply:
        """Send one command and wait for its reply."""
        self.say([line])
        return self.reply()

    def say(self, lines: Sequence[str]) -> None:
        """Send commands. One with a control character in it would be two, and is refused."""
        for line in lines:
            if _CONTROL.search(line):
                problem = words(Problem.ADDRESS_CHARACTERS)
                raise OutboundError(OutboundReason.INVALID_CONFIGURATION, problem.to_evidence())
        self._send("".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace"))

    def send_content(self, content: bytes) -> Reply:
        """The message after DATA was granted, ended as the protocol wants it, and what the server makes of it."""
        lines = _LINE_END.sub(b"\r\n", content).removesuffix(b"\r\n").split(b"\r\n")
        stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
        self._send(b"\r\n".join(stuffed) + b"\r\n.\r\n")
        return self.reply()

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """TLS from here on. What was said in the clear is forgotten, and nothing may have been slipped in after it."""
        if self._received:
            raise OutboundError(OutboundReason.PROTOCOL_ERROR, words(Problem.SPOKE_BEFORE_TLS).to_evidence())
        self._socket.settimeout(self._remaining("tls"))
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except TimeoutError:
            raise OutboundError(OutboundReason.TIMEOUT, {"phase": "tls"}) from None
        except ssl.SSLError as error:
            raise tls_failure(error) from None
        except OSError:
            raise OutboundError(OutboundReason.CONNECTION_RESET, {"phase": "tls"}) from None
        self.encrypted = True

    def close(self) -> None:
        self._socket.close()

    def take_leave(self) -> None:
        """Say goodbye and wait a moment for the answer; what was decided stands whatever becomes of it."""
        self._deadline = min(self._deadline, self._clock() + _FAREWELL_SECONDS)
        with contextlib.suppress(OutboundError):
            self.ask("QUIT")

    # --- Bytes ------------------------------------------------------------------------------------------

    def _line(self, limit: int) -> bytes:
        """The next line without its end. A reply that is too long is no reply."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > limit:
                break
            self._receive()
        if not 0 <= end <= limit:
            problem = words(Problem.LARGE_REPLY, kilobytes=MAX_REPLY_BYTES // 1024)
            raise OutboundError(OutboundReason.PROTOCOL_ERROR, problem.to_evidence())
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self) -> None:
        self._socket.settimeout(self._remaining("reply"))
        try:
            chunk = self._socket.recv(_CHUNK_BYTES)
        except TimeoutError:
            raise OutboundError(OutboundReason.TIMEOUT, {"phase": "reply"}) from None
        except OSError:
            raise OutboundError(OutboundReason.CONNECTION_RESET, {"phase": "reply"}) from None
        if not chunk:
            reason = OutboundReason.CONNECTION_RESET if self._heard_anything else OutboundReason.EMPTY_RESPONSE
            raise OutboundError(reason, {"phase": "reply"})
        self._heard_anything = True
        self._received += chunk

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(self._remaining("send"))
            try:
                view = view[self._socket.send(view[:65_536]) :]
            except TimeoutError:
                raise OutboundError(OutboundReason.TIMEOUT, {"phase": "send"}) from None
            except OSError:
                raise OutboundError(OutboundReason.CONNECTION_RESET, {"phase": "send"}) from None

    def _remaining(self, phase: str) -> float:
        remaining = self._deadline - self._clock()
        if remaining <= 0:
            raise OutboundError(OutboundReason.TIMEOUT, {"phase": phase})
        return remaining
