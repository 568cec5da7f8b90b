"""Mail servers that hang, drip or talk without end: one deadline holds over all of it."""

from __future__ import annotations

import ssl
import time
from typing import Any

import pytest

from apps.core.outbound.exchange import OutboundError, OutboundReason
from tests.core.test_mail import hand_over, mail
from tests.servers.listening import Connection
from tests.servers.mail import ScriptedMailServer, dripping, endless_line, endless_lines, silent
from tests.servers.tls import Authority

SECONDS = 0.6


def ended(server: ScriptedMailServer, **changes: Any) -> OutboundError:
    """How it ended, in no more than the time there was."""
    started = time.monotonic()
    with pytest.raises(OutboundError) as caught:
        hand_over(mail(server.port, **changes), timeout_seconds=SECONDS)
    assert time.monotonic() - started < SECONDS + 1.0
    return caught.value


@pytest.mark.parametrize("scene", [silent, dripping], ids=lambda scene: scene.__name__)
def test_a_greeting_that_does_not_come_to_its_end_is_a_timeout(scene: Any) -> None:
    with ScriptedMailServer(greeting="", scene=scene) as server:
        assert ended(server).reason is OutboundReason.TIMEOUT


@pytest.mark.parametrize("scene", [endless_line, endless_lines], ids=lambda scene: scene.__name__)
def test_a_reply_without_end_is_cut_off(scene: Any) -> None:
    with ScriptedMailServer(greeting="", scene=scene) as server:
        error = ended(server)
        assert error.reason is OutboundReason.PROTOCOL_ERROR
        assert "32 kB" in error.evidence["detail"]


def test_a_server_that_hangs_in_the_handshake_is_a_timeout() -> None:
    with ScriptedMailServer(greeting="", scene=silent) as server:
        error = ended(server, security="tls")
        assert (error.reason, error.evidence["phase"]) == (OutboundReason.TIMEOUT, "tls")


def test_a_server_that_reads_nothing_more_is_a_timeout() -> None:
    def stops_reading(connection: Connection) -> None:
        for reply in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            connection.read_until(b"\r\n")
            connection.send(reply)
        connection.hold()

    with ScriptedMailServer(scene=stops_reading) as server:
        error = ended(server, content=b"x: y\r\n\r\n" + (b"z" * 998 + b"\r\n") * 20_000)
        assert (error.reason, error.evidence["phase"]) == (OutboundReason.TIMEOUT, "send")


def test_a_drip_after_the_handshake_is_a_timeout_too() -> None:
    authority = Authority()

    def drips_encrypted(connection: Connection) -> None:
        stream = authority.good().wrap_socket(connection.raw, server_side=True)
        dripping(_over(stream, connection))

    with ScriptedMailServer(greeting="", scene=drips_encrypted) as server:
        with pytest.raises(OutboundError) as caught:
            hand_over(mail(server.port, security="tls"), timeout_seconds=SECONDS, ca_file=authority.ca_file)
        assert (caught.value.reason, caught.value.evidence["phase"]) == (OutboundReason.TIMEOUT, "reply")


def _over(stream: ssl.SSLSocket, connection: Connection) -> Connection:
    return Connection(stream, connection.stopping)


def test_a_server_that_leaves_without_a_word_is_told_apart_from_one_that_leaves_in_between() -> None:
    with ScriptedMailServer(greeting="", scene=lambda connection: None) as server:
        assert ended(server).reason is OutboundReason.EMPTY_RESPONSE
    with ScriptedMailServer(scene=lambda connection: connection.reset()) as server:
        assert ended(server).reason is OutboundReason.CONNECTION_RESET


def test_a_server_that_never_says_goodbye_delays_a_delivered_letter_by_a_second_at_most() -> None:
    def forgets_goodbye(connection: Connection) -> None:
        for reply in (b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"):
            connection.read_until(b"\r\n")
            connection.send(reply)
        connection.read_until(b"\r\n.\r\n")
        connection.send(b"250 queued\r\n")
        connection.hold()

    with ScriptedMailServer(scene=forgets_goodbye) as server:
        started = time.monotonic()
        assert hand_over(mail(server.port), timeout_seconds=10.0).accepted
        assert time.monotonic() - started < 3.0
