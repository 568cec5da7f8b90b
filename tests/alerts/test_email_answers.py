"""What an e-mail channel accepts as its configuration, and what each answer of a mail server means, as tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.channels.base import DeliveryReason as R
from apps.alerts.channels.email import PATIENCE, EmailConfig, EmailKind, judge_receipt, wire_address
from apps.core.kindconfig import ConfigError, decode
from apps.core.outbound.mail import MailReceipt, MailReply, MailStage

GIVEN: dict[str, Any] = {"server": "smtp.example.com", "from_address": "portal@example.com", "to": ["ops@example.com"]}
NOW, LATE = timedelta(0), PATIENCE + timedelta(seconds=1)


def errors(**changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(EmailConfig, {**GIVEN, **changes})
    return sorted(caught.value.errors)


def test_only_server_sender_and_recipients_must_be_given() -> None:
    config = decode(EmailConfig, GIVEN)
    assert (config.port, config.security, config.username) == (587, "starttls", "")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"server": ""}, ["server"]),
        ({"server": "smtp example"}, ["server"]),
        ({"server": "smtp.example.com:25"}, ["server"]),
        ({"server": "smtp.example.com\r\nQUIT"}, ["server"]),
        ({"port": 0}, ["port"]),
        ({"port": 70_000}, ["port"]),
        ({"security": "ssl3"}, ["security"]),
        ({"to": []}, ["to"]),
        ({"to": ["ops@example.com"] * 51}, ["to"]),
        ({"to": ["ops@example.com", "nobody"]}, ["to"]),
        ({"to": ["ops@example.com\r\nBcc: eve@example.com"]}, ["to"]),
        ({"to": ["Ops <ops@example.com>"]}, ["to"]),
        ({"to": ["a@example.com, b@example.com"]}, ["to"]),
        ({"from_address": "Portal <portal@example.com>"}, ["from_address"]),
        ({"from_address": "portal@example.com\n"}, []),
        ({"username": "portal"}, ["password"]),
        ({"password": "sesame"}, ["password"]),
        ({"username": "portal", "password": "sesame", "security": "none"}, ["security"]),
        ({"username": "portal", "password": "sesame\r\nQUIT"}, ["password"]),
    ],
)
def test_what_could_not_be_sent_is_refused_by_field(changes: dict[str, Any], fields: list[str]) -> None:
    if fields:
        assert errors(**changes) == fields
    else:
        assert decode(EmailConfig, {**GIVEN, **changes})


def test_the_line_that_is_wrong_is_named() -> None:
    with pytest.raises(ConfigError, match="Line 3"):
        decode(EmailConfig, {**GIVEN, "to": ["a@example.com", "b@example.com", "c", "d"]})


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ops@example.com", "ops@example.com"),
        (" first.last+portal@Example.COM ", "first.last+portal@example.com"),
        ("Ops@localhost", "Ops@localhost"),
        ("운영@예시.한국", "운영@xn--vv4b11d.xn--3e0b707e"),
        ("ops@bücher.example", "ops@xn--bcher-kva.example"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("@example.com", None),
        ("ops@", None),
        ("ops", None),
        ("a@b@example.com", None),
        (".ops@example.com", None),
        ("o..ps@example.com", None),
        ('"o ps"@example.com', None),
        ("ops@[127.0.0.1]", None),
        ("ops@127.0.0.1", None),
        ("ops@exa mple.com", None),
        ("o\u202eps@example.com", None),
        ("=?utf-8?q?x=0D=0ABcc?=@example.com", None),
        ("x" * 65 + "@example.com", None),
        ("ops@" + "x" * 250 + ".com", None),
    ],
)
def test_an_address_is_written_as_the_protocol_wants_it_or_refused(address: str, wire: str | None) -> None:
    assert wire_address(address) == wire


def test_readers_see_the_domains_and_no_mailbox() -> None:
    kind = EmailKind()
    assert kind.destination(GIVEN) == "example.com"
    many = {"to": [f"ops@example{number}.com" for number in range(5)]}
    assert kind.destination(many) == "example0.com, example1.com, example2.com, …"
    assert kind.destination({}) == ""
    assert kind.addresses({"server": "0x7f.1"}) == {"server": "127.0.0.1"}
    assert kind.addresses(GIVEN) == kind.addresses({"server": "a b"}) == {}


# --- What an answer means ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "retryable", "reason"),
    [
        (MailStage.GREETING, 421, "4.3.2", True, R.DEFERRED),
        (MailStage.GREETING, 454, "4.7.0", True, R.DEFERRED),
        (MailStage.GREETING, 554, "5.7.1", False, R.REFUSED),
        (MailStage.LOGIN, 454, "4.7.0", True, R.DEFERRED),
        (MailStage.LOGIN, 535, "5.7.8", False, R.UNAUTHORIZED),
        (MailStage.LOGIN, 534, "", False, R.UNAUTHORIZED),
        (MailStage.LOGIN, 500, "", False, R.UNAUTHORIZED),
        (MailStage.LOGIN, 0, "", False, R.MISSING_EXTENSION),
        (MailStage.SENDER, 530, "5.7.0", False, R.UNAUTHORIZED),
        (MailStage.SENDER, 552, "", False, R.TOO_LARGE),
        (MailStage.SENDER, 553, "5.1.8", False, R.REFUSED),
        (MailStage.RECIPIENT, 450, "4.2.0", True, R.DEFERRED),
        (MailStage.RECIPIENT, 451, "4.7.1", True, R.DEFERRED),
        (MailStage.RECIPIENT, 452, "4.2.2", True, R.DEFERRED),
        (MailStage.RECIPIENT, 550, "5.1.1", False, R.NOT_FOUND),
        (MailStage.RECIPIENT, 550, "5.7.1", False, R.REFUSED),
        (MailStage.RECIPIENT, 550, "", False, R.REFUSED),
        (MailStage.RECIPIENT, 0, "", False, R.MISSING_EXTENSION),
        (MailStage.CONTENT, 451, "4.3.0", True, R.DEFERRED),
        (MailStage.CONTENT, 552, "5.3.4", False, R.TOO_LARGE),
        (MailStage.CONTENT, 554, "5.6.0", False, R.REFUSED),
    ],
)
def test_every_refusal_has_one_meaning(stage: MailStage, code: int, enhanced: str, retryable: bool, reason: R) -> None:
    delivery = judge_receipt(MailReceipt(reply=MailReply(stage, code, "words", enhanced)), LATE)
    assert (delivery.ok, delivery.retryable, delivery.reason) == (False, retryable, reason)
    assert delivery.status_code == (code or None)
    assert delivery.answer.endswith("words")
    assert not delivery.disable


def test_a_server_that_puts_letters_off_is_alive() -> None:
    for stage, alive in ((MailStage.GREETING, False), (MailStage.RECIPIENT, True)):
        assert judge_receipt(MailReceipt(reply=MailReply(stage, 451, "")), NOW).alive is alive


QUEUED = MailReply(MailStage.CONTENT, 250, "queued", "2.0.0")
GREY = MailReply(MailStage.RECIPIENT, 450, "come back", "4.7.1")
WHO = MailReply(MailStage.RECIPIENT, 550, "unknown", "5.1.1")


@pytest.mark.parametrize(
    ("refused", "waited", "ok", "reason"),
    [
        ({}, NOW, True, R.DELIVERED),
        ({"b@example.com": WHO}, NOW, True, R.PARTLY_DELIVERED),
        ({"b@example.com": GREY}, NOW, False, R.DEFERRED),
        ({"b@example.com": WHO, "c@example.com": GREY}, NOW, False, R.DEFERRED),
        ({"b@example.com": GREY}, LATE, True, R.PARTLY_DELIVERED),
    ],
)
def test_those_who_have_it_do_not_wait_for_ever_for_those_who_have_not(
    refused: dict[str, MailReply], waited: timedelta, ok: bool, reason: R
) -> None:
    delivery = judge_receipt(MailReceipt(reply=QUEUED, accepted=("a@example.com",), refused=refused), waited)
    assert (delivery.ok, delivery.retryable, delivery.reason) == (ok, not ok, reason)
    assert delivery.alive is not ok
    for address, reply in refused.items():
        assert f"{address}: {reply.code} {reply.enhanced} {reply.text}" in delivery.answer


def test_what_a_server_says_is_kept_short_and_plain() -> None:
    reply = MailReply(MailStage.CONTENT, 550, "no\x00\x1b[2J" + "x" * 2_000)
    answer = judge_receipt(MailReceipt(reply=reply), NOW).answer
    assert len(answer) <= 500 and answer.isprintable()
