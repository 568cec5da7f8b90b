"""Mail out: one letter to one server by SMTP, under the address policy and deadline of everything that leaves."""

from __future__ import annotations

import base64
import errno
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as LookupTimeout
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import msgspec

from apps.core.addresses import AddressPolicy
from apps.core.details import Words, words
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.handles import trusted_certificates
from apps.core.outbound.locations import BadLocation, parse_host
from apps.core.outbound.names import Names, default_names
from apps.core.outbound.problems import Problem
from apps.core.outbound.smtp import Conversation, Reply
from apps.core.outbound.sockets import as_the_system_says, connect_failure
from apps.core.outbound.transfer import MAX_LOOKUP_SECONDS

Security = Literal["starttls", "tls", "none"]
# What is kept of a reply.
MAX_TEXT_CHARACTERS = 300
_ADDRESS = re.compile(r"[^\x00-\x20\x7f<>@]{1,64}@[^\x00-\x20\x7f<>@]{1,255}")


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

    `code` is 0 when it lacks something the letter needs; `text` then names that as the protocol does.
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


def send_mail(
    mail: Mail,
    *,
    policy: AddressPolicy,
    timeout_seconds: float,
    hello: str = "",
    names: Names | None = None,
    ca_file: str = "",
) -> MailReceipt:
    """Hand one letter over, at most `timeout_seconds` in all. Raises OutboundError when no conversation comes about.

    `hello` is what we call ourselves, a domain name; without one it is our address. Certificates are always verified,
    and a password never travels in the clear.
    """
    deadline = time.monotonic() + timeout_seconds
    if mail.username and mail.security == "none":
        raise _bad(words(Problem.PLAIN_PASSWORD))
    try:
        host = parse_host(mail.server)
    except BadLocation as error:
        raise _bad(error.words) from None
    connected = _connect(host, mail.port, _addresses(host, policy, names, deadline), policy, deadline)
    conversation = Conversation(connected, deadline)
    try:
        return _Sending(mail, conversation, hello or _own_address(connected)).run(host, ca_file)
    finally:
        conversation.close()


def _bad(problem: Words) -> OutboundError:
    return OutboundError(OutboundReason.INVALID_CONFIGURATION, problem.to_evidence())


# --- The connection ---------------------------------------------------------------------------------------


def _addresses(host: str, policy: AddressPolicy, names: Names | None, deadline: float) -> tuple[str, ...]:
    allowed = max(min(deadline - time.monotonic(), MAX_LOOKUP_SECONDS), 0.0)
    try:
        found = (names or default_names()).look_up(host).result(timeout=allowed)
    except LookupTimeout:
        raise OutboundError(OutboundReason.DNS_TIMEOUT, {"host": host, "timeout_seconds": round(allowed, 3)}) from None
    for address in found:
        _refuse(host, address, policy)
    return found


def _refuse(host: str, address: str, policy: AddressPolicy) -> None:
    rule = policy.refusal(address)
    if rule is not None:
        raise OutboundError(OutboundReason.ADDRESS_DENIED, {"host": host, "address": address, "rule": rule})


def _connect(host: str, port: int, addresses: Sequence[str], policy: AddressPolicy, deadline: float) -> socket.socket:
    """A connection to the first address that takes one, each with its share of the time. The policy looks once more."""
    problem: OSError | None = None
    for tried, address in enumerate(addresses):
        share = max(deadline - time.monotonic(), 0.001) / (len(addresses) - tried)
        try:
            connected = socket.create_connection((address, port), timeout=share)
        except TimeoutError:
            problem = problem or as_the_system_says(errno.ETIMEDOUT)
        except OSError as error:
            problem = error
        else:
            try:
                _refuse(host, str(connected.getpeername()[0]), policy)
            except BaseException:
                connected.close()
                raise
            return connected
    failure = connect_failure(problem or as_the_system_says(errno.EHOSTUNREACH))
    raise OutboundError(failure.reason, {"host": host, "port": port, **failure.evidence})


def _own_address(connected: socket.socket) -> str:
    """What a machine without a name calls itself (RFC 5321, 4.1.3)."""
    address = str(connected.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or trusted_certificates())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


# --- The conversation -------------------------------------------------------------------------------------


class _DecidedError(Exception):
    """The server said no, in a way that ends it."""

    def __init__(self, reply: MailReply) -> None:
        self.reply = reply


class _Sending:
    """One letter on its way through one conversation."""

    def __init__(self, mail: Mail, conversation: Conversation, hello: str) -> None:
        self._mail = mail
        self._talk = conversation
        self._hello = hello
        self._extensions: dict[str, str] = {}

    def run(self, host: str, ca_file: str) -> MailReceipt:
        try:
            self._open(host, ca_file)
            self._log_in()
            return self._hand_over()
        except _DecidedError as decided:
            self._talk.take_leave()
            return MailReceipt(reply=decided.reply)

    def _open(self, host: str, ca_file: str) -> None:
        if self._mail.security == "tls":
            self._talk.encrypt(_tls_context(ca_file), host)
        self._expect(MailStage.GREETING, self._talk.reply(), 220)
        self._greet()
        if self._mail.security != "starttls":
            return
        if "STARTTLS" not in self._extensions:
            raise OutboundError(OutboundReason.TLS_ERROR, {"host": host, **words(Problem.NO_STARTTLS).to_evidence()})
        self._expect(MailStage.GREETING, self._talk.ask("STARTTLS"), 220)
        self._talk.encrypt(_tls_context(ca_file), host)
        # What was offered in the clear counts for nothing: somebody in between may have written it.
        self._greet()

    def _greet(self) -> None:
        reply = self._talk.ask(f"EHLO {self._hello}")
        if reply.code in (500, 502) and self._mail.security == "none":
            reply = self._talk.ask(f"HELO {self._hello}")
        self._expect(MailStage.GREETING, reply, 250)
        offered = (line.strip().partition(" ") for line in reply.lines[1:])
        self._extensions = {name.upper(): rest.strip().upper() for name, _space, rest in offered}

    def _log_in(self) -> None:
        if not self._mail.username:
            return
        mechanisms = self._extensions.get("AUTH", "").split()
        name, password = self._mail.username.encode(), self._mail.password.encode()
        if "PLAIN" in mechanisms:
            initial = _encoded(b"\0".join((b"", name, password)))
            reply = self._talk.ask(f"AUTH PLAIN {initial}")
        elif "LOGIN" in mechanisms:
            reply = self._talk.ask("AUTH LOGIN")
            for answer in (name, password):
                if reply.code == 334:
                    reply = self._talk.ask(_encoded(answer))
        else:
            raise _DecidedError(MailReply(MailStage.LOGIN, 0, "AUTH PLAIN, AUTH LOGIN"))
        self._expect(MailStage.LOGIN, reply, 235)

    def _hand_over(self) -> MailReceipt:
        """MAIL, RCPT, DATA: it goes to those recipients the server takes, and what it said of the others is kept."""
        unicode = "SMTPUTF8" in self._extensions
        self._expect(MailStage.SENDER, self._talk.ask(self._mail_from(unicode)), 250)
        replies = self._recipients(unicode)
        accepted = tuple(name for name, reply in replies.items() if reply.code in (250, 251, 252))
        refused = {name: reply for name, reply in replies.items() if name not in accepted}
        if not accepted:
            # If one of them may be taken later, all may be tried again.
            self._talk.take_leave()
            decisive = min(refused.values(), key=lambda reply: (not 400 <= reply.code < 500, reply.code))
            return MailReceipt(reply=decisive, refused=refused)
        self._expect(MailStage.CONTENT, self._talk.ask("DATA"), 354)
        reply = self._expect(MailStage.CONTENT, self._talk.send_content(self._mail.content), 250)
        self._talk.take_leave()
        return MailReceipt(reply=reply, accepted=accepted, refused=refused)

    def _mail_from(self, unicode: bool) -> str:
        line = f"MAIL FROM:<{_checked(self._mail.sender)}>"
        if "SIZE" in self._extensions:
            line += f" SIZE={len(self._mail.content)}"
        everybody = (self._mail.sender, *self._mail.recipients)
        return f"{line} SMTPUTF8" if unicode and not all(name.isascii() for name in everybody) else line

    def _recipients(self, unicode: bool) -> dict[str, MailReply]:
        """What the server says of each. Asked in one go where it allows that: fifty turns take seconds."""
        unknown = MailReply(MailStage.RECIPIENT, 0, "SMTPUTF8")
        asked = [name for name in self._mail.recipients if unicode or name.isascii()]
        lines = [f"RCPT TO:<{_checked(name)}>" for name in asked]
        replies = {name: unknown for name in self._mail.recipients if name not in asked}
        size = len(lines) if "PIPELINING" in self._extensions else 1
        for start in range(0, len(lines), size or 1):
            self._talk.say(lines[start : start + size])
            for name in asked[start : start + size]:
                replies[name] = _as_mail_reply(MailStage.RECIPIENT, self._talk.reply())
        return replies

    @staticmethod
    def _expect(stage: MailStage, reply: Reply, code: int) -> MailReply:
        told = _as_mail_reply(stage, reply)
        if reply.code != code:
            raise _DecidedError(told)
        return told


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _checked(address: str) -> str:
    """An address that stays inside its angle brackets."""
    if not _ADDRESS.fullmatch(address):
        raise _bad(words(Problem.ADDRESS_UNREADABLE))
    return address


def _as_mail_reply(stage: MailStage, reply: Reply) -> MailReply:
    return MailReply(stage, reply.code, reply.text[:MAX_TEXT_CHARACTERS], reply.enhanced)
