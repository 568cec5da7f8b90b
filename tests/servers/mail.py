"""Mail servers: a real one (aiosmtpd) that keeps what it is given, and one that says what it is told to say.

with MailServer(tls=authority.good()) as server:
    server.port, server.letters
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.servers.listening import Connection, ListeningServer, free_port

USERNAME, PASSWORD = "portal", "open sesame mail"


@dataclass(frozen=True)
class Letter:
    """One letter as it was handed over."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    authenticated: bool
    hello: str

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=SMTPUTF8)

    def part(self, subtype: Literal["plain", "html"]) -> str:
        """The text of one of its two parts, line ends as in Python."""
        found = self.message.get_body((subtype,))
        assert found is not None, f"there is no {subtype} part"
        return str(found.get_content()).replace("\r\n", "\n")


class _Keeper:
    """What aiosmtpd asks at each step. `replies` to a recipient, or to "*", are used up one after the other."""

    def __init__(self, replies: Mapping[str, Sequence[str]], *, encrypted: bool) -> None:
        self._encrypted = encrypted
        self.letters: list[Letter] = []
        self.asked: list[str] = []
        self._replies = {name: list(lines) for name, lines in replies.items()}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        self.asked.append(address)
        waiting = self._replies.get(address) or self._replies.get("*")
        reply = waiting.pop(0) if waiting else "250 2.1.5 taken"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        waiting = self._replies.get("DATA")
        reply = waiting.pop(0) if waiting else "250 2.0.0 queued"
        if reply.startswith("250"):
            taken = tuple(envelope.rcpt_tos)
            encrypted = self._encrypted or session.ssl is not None
            letter = Letter(
                envelope.mail_from, taken, envelope.content, encrypted, bool(session.authenticated), session.host_name
            )
            self.letters.append(letter)
        return reply


class MailServer:
    """A mail server on a free port of 127.0.0.1.

    `tls`: STARTTLS, or with `implicit` TLS from the first byte; user name and password are offered then.
    `replies`: to RCPT by recipient ("*": whoever it is), or to "DATA"; once used up all is well.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        implicit: bool = False,
        replies: Mapping[str, Sequence[str]] | None = None,
        unicode: bool = True,
        mechanisms_refused: Sequence[str] = (),
    ) -> None:
        self._keeper = _Keeper(replies or {}, encrypted=implicit)
        self._controller = Controller(
            self._keeper,
            hostname="127.0.0.1",
            port=free_port(),
            ssl_context=tls if implicit else None,
            tls_context=None if implicit else tls,
            require_starttls=tls is not None and not implicit,
            auth_required=tls is not None and not implicit,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=list(mechanisms_refused),
            authenticator=_authenticate,
            enable_SMTPUTF8=unicode,
        )

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def letters(self) -> list[Letter]:
        return self._keeper.letters

    @property
    def asked(self) -> list[str]:
        """Every recipient that was named, in order."""
        return self._keeper.asked

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    expected = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == expected, handled=False)


# --- One that says what it is told to ---------------------------------------------------------------------

Scene = Callable[[Connection], None]


class ScriptedMailServer(ListeningServer):
    """Greets, answers EHLO with `extensions`, and each command with the line `replies` has for its first word.

    "" as the greeting: it says nothing until `scene` does. `heard` keeps every line.
    """

    def __init__(
        self,
        *,
        greeting: str = "220 mail.example ESMTP",
        extensions: Sequence[str] = (),
        replies: Mapping[str, str] | None = None,
        scene: Scene | None = None,
    ) -> None:
        self._greeting = greeting
        self._extensions = ["mail.example", *extensions]
        self._replies = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", **(replies or {})}
        self._scene = scene
        self.heard: list[str] = []
        super().__init__()

    def serve(self, connection: Connection) -> None:
        if self._greeting:
            connection.send(f"{self._greeting}\r\n".encode())
        if self._scene is not None:
            self._scene(connection)
            return
        waiting = b""
        in_content = False
        while chunk := connection.raw.recv(65_536):
            *lines, waiting = (waiting + chunk).split(b"\r\n")
            for line in lines:
                text = line.decode("utf-8", "replace")
                self.heard.append(text)
                if in_content and text != ".":
                    continue
                answer = self._answer(text)
                in_content = answer.startswith("354")
                connection.send(f"{answer}\r\n".encode())

    def _answer(self, line: str) -> str:
        word = line.partition(" ")[0].upper()
        if word in self._replies:
            return self._replies[word]
        if word == "EHLO":
            names = self._extensions
            return "\r\n".join(f"250{'-' if name is not names[-1] else ' '}{name}" for name in names)
        return "250 ok"


def silent(connection: Connection) -> None:
    """Never says a word."""
    connection.hold()


def dripping(connection: Connection) -> None:
    """A greeting of one byte every 50 ms, without an end."""
    for letter in "220-" + "x" * 100_000:
        if connection.stopping.wait(0.05):
            return
        connection.send(letter.encode())


def endless_lines(connection: Connection) -> None:
    """A reply that always goes on."""
    while not connection.stopping.is_set():
        connection.send(b"220-and another thing\r\n" * 100)


def endless_line(connection: Connection) -> None:
    """A line that always goes on."""
    while not connection.stopping.is_set():
        connection.send(b"2" * 4_096)
