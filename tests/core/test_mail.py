"""Mail through the one door out, against real servers: it arrives, or there is a reason of its own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.mail import Mail, MailReceipt, MailStage, send_mail
from apps.core.outbound.names import Names
from tests.servers.dns import DnsServer
from tests.servers.listening import SpeakingServer, free_port
from tests.servers.mail import PASSWORD, USERNAME, MailServer, ScriptedMailServer
from tests.servers.tls import Authority, self_signed

POLICY = probe_policy()
CONTENT = b"Subject: Hello\r\n\r\nOne line\r\n.\r\n.. and dots\r\nthe end\r\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def plain() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


def mail(port: int, **changes: Any) -> Mail:
    """To one recipient, in the clear, unless told otherwise."""
    given: dict[str, Any] = {
        "server": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "portal@example.com",
        "recipients": ("ops@example.com",),
        "message_id": "<1@example.com>",
        "content": CONTENT,
    }
    return Mail(**{**given, **changes})


def with_login(port: int, security: str = "starttls", password: str = PASSWORD) -> Mail:
    return mail(port, security=security, username=USERNAME, password=password)


def hand_over(letter: Mail, **options: Any) -> MailReceipt:
    return send_mail(letter, **{"policy": POLICY, "timeout_seconds": 5.0, **options})


def failure(letter: Mail, **options: Any) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        hand_over(letter, **options)
    return caught.value


# --- It arrives -------------------------------------------------------------------------------------------


def test_a_letter_arrives_byte_by_byte(plain: MailServer) -> None:
    receipt = hand_over(mail(plain.port), hello="portal.example.com")
    (letter,) = plain.letters
    assert letter.content == CONTENT
    assert (letter.sender, letter.recipients) == ("portal@example.com", ("ops@example.com",))
    assert letter.hello == "portal.example.com"
    assert receipt.accepted == ("ops@example.com",)
    assert (receipt.reply.code, receipt.reply.enhanced, receipt.reply.text) == (250, "2.0.0", "queued")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"a: b\n\nc\n", b"a: b\r\n\r\nc\r\n"), (b"a: b\r\n\r\nc", b"a: b\r\n\r\nc\r\n"), (b"a\rb", b"a\r\nb\r\n")],
)
def test_line_ends_are_those_of_the_protocol(plain: MailServer, content: bytes, expected: bytes) -> None:
    hand_over(mail(plain.port, content=content))
    assert plain.letters[0].content == expected


def test_without_a_name_we_call_ourselves_by_our_address(plain: MailServer) -> None:
    hand_over(mail(plain.port))
    assert plain.letters[0].hello == "[127.0.0.1]"


@pytest.mark.parametrize(("implicit", "security"), [(False, "starttls"), (True, "tls")])
def test_it_is_encrypted_before_the_password_is_told(authority: Authority, implicit: bool, security: str) -> None:
    with MailServer(authority.good(), implicit=implicit) as server:
        hand_over(with_login(server.port, security), ca_file=authority.ca_file)
        (letter,) = server.letters
        assert letter.encrypted and letter.authenticated


def test_a_server_that_knows_only_the_old_login_is_given_that(authority: Authority) -> None:
    with MailServer(authority.good(), mechanisms_refused=["PLAIN"]) as server:
        hand_over(with_login(server.port), ca_file=authority.ca_file)
        assert server.letters[0].authenticated


def test_a_server_without_ehlo_is_spoken_to_in_the_old_way() -> None:
    with ScriptedMailServer(replies={"EHLO": "502 what"}) as server:
        assert hand_over(mail(server.port)).accepted
        assert server.heard[:2] == ["EHLO [127.0.0.1]", "HELO [127.0.0.1]"]
        assert server.heard[-1] == "QUIT"


def test_fifty_recipients_are_named_in_one_go_where_that_is_allowed() -> None:
    everybody = tuple(f"person{number}@example.com" for number in range(50))
    for extensions in ([], ["PIPELINING", "SIZE 1000000"]):
        with ScriptedMailServer(extensions=extensions) as server:
            assert hand_over(mail(server.port, recipients=everybody)).accepted == everybody
            told = [line for line in server.heard if line.startswith("RCPT")]
            assert told == [f"RCPT TO:<{name}>" for name in everybody]
            assert any(line == "MAIL FROM:<portal@example.com>" for line in server.heard) is (not extensions)


def test_the_second_address_is_tried_when_the_first_does_not_answer(plain: MailServer) -> None:
    with DnsServer({"mail.example": ["::1", "127.0.0.1"]}) as server, closing(Names([server.address])) as names:
        assert hand_over(mail(plain.port, server="mail.example"), names=names).accepted


# --- The server says no -----------------------------------------------------------------------------------


def test_a_wrong_password_is_an_answer_of_the_login(authority: Authority) -> None:
    with MailServer(authority.good()) as server:
        receipt = hand_over(with_login(server.port, password="guessed"), ca_file=authority.ca_file)
        assert (receipt.reply.stage, receipt.reply.code, receipt.accepted) == (MailStage.LOGIN, 535, ())
        assert server.letters == []


def test_a_server_without_a_login_we_know_gets_no_password(authority: Authority) -> None:
    with MailServer(authority.good(), mechanisms_refused=["PLAIN", "LOGIN"]) as server:
        receipt = hand_over(with_login(server.port), ca_file=authority.ca_file)
        assert (receipt.reply.stage, receipt.reply.code) == (MailStage.LOGIN, 0)
        assert receipt.reply.text == "AUTH PLAIN, AUTH LOGIN", "the protocol's names, which are of no language"


@pytest.mark.parametrize(
    ("told", "stage", "code"),
    [
        ({"greeting": "554 5.7.1 not you"}, MailStage.GREETING, 554),
        ({"greeting": "421-busy\r\n421 4.3.2 later"}, MailStage.GREETING, 421),
        ({"replies": {"EHLO": "550 no"}}, MailStage.GREETING, 550),
        ({"replies": {"MAIL": "553 5.1.8 who"}}, MailStage.SENDER, 553),
        ({"replies": {"RCPT": "550 5.1.1 unknown"}}, MailStage.RECIPIENT, 550),
        ({"replies": {"DATA": "451 4.3.0 disk"}}, MailStage.CONTENT, 451),
    ],
)
def test_a_refusal_tells_at_which_step_it_came(told: dict[str, Any], stage: MailStage, code: int) -> None:
    with ScriptedMailServer(**told) as server:
        receipt = hand_over(mail(server.port))
        assert (receipt.reply.stage, receipt.reply.code, receipt.accepted) == (stage, code, ())


def test_a_letter_that_is_refused_once_it_was_read_was_accepted_by_nobody() -> None:
    with MailServer(replies={"DATA": ["552 5.3.4 too big"]}) as server:
        receipt = hand_over(mail(server.port))
        assert (receipt.reply.stage, receipt.reply.code, receipt.accepted) == (MailStage.CONTENT, 552, ())


def test_those_who_are_accepted_get_it_and_the_others_are_named() -> None:
    everybody = ("a@example.com", "b@example.com", "c@example.com")
    with MailServer(replies={"b@example.com": ["450 4.2.1 later"], "c@example.com": ["550 5.1.1 who"]}) as server:
        receipt = hand_over(mail(server.port, recipients=everybody))
        assert server.letters[0].recipients == receipt.accepted == ("a@example.com",)
        assert {name: reply.code for name, reply in receipt.refused.items()} == {everybody[1]: 450, everybody[2]: 550}


def test_if_one_may_be_taken_later_the_answer_is_later() -> None:
    with MailServer(replies={"a@example.com": ["550 5.1.1 who"], "b@example.com": ["450 4.7.1 grey"]}) as server:
        receipt = hand_over(mail(server.port, recipients=("a@example.com", "b@example.com")))
        assert (receipt.reply.code, receipt.accepted, len(receipt.refused)) == (450, (), 2)


def test_an_address_beyond_ascii_is_only_told_to_a_server_that_takes_them() -> None:
    both = ("운영@example.com", "ops@example.com")
    with MailServer() as server:
        assert hand_over(mail(server.port, recipients=both)).accepted == both
    with MailServer(unicode=False) as server:
        receipt = hand_over(mail(server.port, recipients=both))
        assert receipt.accepted == ("ops@example.com",)
        refused = receipt.refused["운영@example.com"]
        assert (refused.code, refused.text) == (0, "SMTPUTF8")
        assert server.asked == ["ops@example.com"]


# --- No conversation comes about --------------------------------------------------------------------------


def test_a_server_without_starttls_gets_no_letter() -> None:
    with ScriptedMailServer(extensions=["AUTH PLAIN"]) as server:
        assert failure(with_login(server.port)).reason is OutboundReason.TLS_ERROR
        assert server.heard == ["EHLO [127.0.0.1]"]


def test_a_password_never_travels_in_the_clear(plain: MailServer) -> None:
    letter = with_login(plain.port, security="none")
    assert failure(letter).reason is OutboundReason.INVALID_CONFIGURATION
    assert PASSWORD not in repr(letter)


def test_words_slipped_in_before_the_encryption_are_noticed() -> None:
    with ScriptedMailServer(extensions=["STARTTLS"], replies={"STARTTLS": "220 go\r\n250 slipped in"}) as server:
        assert failure(mail(server.port, security="starttls")).reason is OutboundReason.PROTOCOL_ERROR


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ("expired", OutboundReason.TLS_EXPIRED),
        ("wrong_host", OutboundReason.TLS_WRONG_HOST),
        ("self_signed", OutboundReason.TLS_UNTRUSTED),
    ],
)
def test_a_certificate_that_is_no_good_ends_it(
    authority: Authority, which: str, reason: OutboundReason, implicit: bool
) -> None:
    contexts: dict[str, ssl.SSLContext] = {
        "expired": authority.expired(),
        "wrong_host": authority.wrong_host(),
        "self_signed": self_signed(),
    }
    with MailServer(contexts[which], implicit=implicit) as server:
        letter = with_login(server.port, "tls" if implicit else "starttls")
        assert failure(letter, ca_file=authority.ca_file).reason is reason
        assert server.letters == []


def test_tls_spoken_to_a_server_without_it_is_a_failure_of_tls(plain: MailServer) -> None:
    assert failure(mail(plain.port, security="tls")).reason is OutboundReason.TLS_ERROR


def test_nothing_listening_is_a_refused_connection() -> None:
    error = failure(mail(free_port()))
    assert (error.reason, error.evidence["host"]) == (OutboundReason.CONNECT_REFUSED, "127.0.0.1")


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [(b"SSH-2.0-OpenSSH_9.2\r\n", OutboundReason.PROTOCOL_ERROR), (b"220", OutboundReason.TIMEOUT)],
)
def test_a_server_of_another_kind_is_told_apart(greeting: bytes, reason: OutboundReason) -> None:
    with SpeakingServer(greeting) as server:
        assert failure(mail(server.port), timeout_seconds=0.5).reason is reason


@pytest.mark.parametrize(
    "line", ["ops@example.com\r\nRCPT TO:<eve@example.com", "a@b\n", "a b@c", "a@b>", "nobody", ""]
)
@pytest.mark.parametrize("field", ["sender", "recipients"])
def test_an_address_cannot_bring_a_command_with_it(plain: MailServer, line: str, field: str) -> None:
    letter = mail(plain.port, **{field: line if field == "sender" else (line,)})
    assert failure(letter).reason is OutboundReason.INVALID_CONFIGURATION
    assert plain.asked == [] and plain.letters == []


def test_a_name_we_call_ourselves_cannot_bring_a_command_with_it(plain: MailServer) -> None:
    assert failure(mail(plain.port), hello="a\r\nMAIL FROM:<b>").reason is OutboundReason.INVALID_CONFIGURATION


# --- Where it goes ----------------------------------------------------------------------------------------


def test_a_name_that_leads_to_a_private_address_is_refused(plain: MailServer) -> None:
    with DnsServer({"mail.example": ["127.0.0.1"]}) as server, closing(Names([server.address])) as names:
        error = failure(mail(plain.port, server="mail.example"), names=names, policy=channel_policy())
        assert (error.reason, error.evidence["rule"]) == (OutboundReason.ADDRESS_DENIED, "loopback")
    assert failure(mail(plain.port), policy=channel_policy()).reason is OutboundReason.ADDRESS_DENIED
    assert failure(mail(25, server="169.254.169.254")).evidence["rule"] == "metadata"


def test_a_name_nobody_answers_for_costs_no_more_than_the_time_there_is() -> None:
    with DnsServer({"mail.example": DnsServer.HANG}) as server, closing(Names([server.address])) as names:
        error = failure(mail(25, server="mail.example"), names=names, timeout_seconds=0.3)
        assert error.reason is OutboundReason.DNS_TIMEOUT


def test_a_host_that_is_none_is_refused() -> None:
    assert failure(mail(25, server="mail example")).reason is OutboundReason.INVALID_CONFIGURATION
