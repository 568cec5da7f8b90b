"""An e-mail channel from its making to the mailbox, with a mail server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.alerts.services import create_channel, replay_notification, send_test
from apps.core.outbound.handles import trusted_certificates
from tests.alerts.world import close_breakers, deliver, make_due, only
from tests.servers.listening import free_port
from tests.servers.mail import PASSWORD, USERNAME, MailServer, ScriptedMailServer
from tests.servers.tls import Authority, self_signed

pytestmark = pytest.mark.django_db

EVERYBODY = ["ops@example.com", "dev@example.com"]


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """One that this process trusts, by the environment variable a real one is added with."""
    made = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", made.ca_file)
    trusted_certificates.cache_clear()
    yield made
    trusted_certificates.cache_clear()


def make_email_channel(port: int, *, to: list[str] | None = None, language: str = "en", **config: Any) -> Channel:
    given = {"server": "127.0.0.1", "port": port, "security": "none", "from_address": "portal@example.com"}
    channel, _shown = create_channel(
        actor=None, name="Mail", kind="email", config={**given, "to": to or EVERYBODY, **config}
    )
    Channel.objects.filter(pk=channel.pk).update(language=language)
    return channel


def send_one(channel: Channel, actor: User, *, attempts: int = 1) -> Notification:
    """A message on its way, once tried."""
    sent = send_test(actor=actor, channel=channel)
    Notification.objects.filter(pk=sent.pk).update(attempts_allowed=attempts)
    deliver()
    sent.refresh_from_db()
    return sent


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_letter_arrives_encrypted_and_in_both_parts(authority: Authority, admin_user: User, language: str) -> None:
    with MailServer(authority.good()) as server:
        channel = make_email_channel(
            server.port, security="starttls", username=USERNAME, password=PASSWORD, language=language
        )
        sent = send_one(channel, admin_user)
        (letter,) = server.letters
    assert (sent.state, sent.reason) == ("sent", "delivered")
    assert (letter.encrypted, letter.authenticated, letter.recipients) == (True, True, tuple(EVERYBODY))
    assert letter.message["Message-ID"] == f"<{sent.pk}@example.com>"
    assert letter.message["Content-Language"] == language
    assert channel.name in letter.part("plain") and channel.name in letter.part("html")
    assert f'<html lang="{language}">' in letter.part("html")
    attempt = NotificationAttempt.objects.get()
    assert (attempt.status_code, attempt.succeeded) == (250, True)
    assert PASSWORD not in str(list(Channel.objects.values_list("config", flat=True)))


def test_a_wrong_password_is_given_up_and_says_so(authority: Authority, admin_user: User) -> None:
    with MailServer(authority.good()) as server:
        channel = make_email_channel(server.port, security="starttls", username=USERNAME, password="guessed")
        sent = send_one(channel, admin_user, attempts=15)
    assert (sent.state, sent.reason) == ("dead", "unauthorized")
    assert NotificationAttempt.objects.get().status_code == 535


def test_a_certificate_nobody_vouches_for_is_a_failure_that_may_be_mended(admin_user: User) -> None:
    with MailServer(self_signed()) as server:
        channel = make_email_channel(server.port, security="starttls", username=USERNAME, password=PASSWORD)
        sent = send_one(channel, admin_user, attempts=15)
        assert server.letters == []
    assert (sent.state, sent.reason) == ("pending", "tls_failed")


def test_a_server_that_refuses_the_connection_is_tried_again(admin_user: User) -> None:
    sent = send_one(make_email_channel(free_port()), admin_user, attempts=15)
    assert (sent.state, sent.reason) == ("pending", "connection_failed")


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [("550 5.1.1 nobody", "dead", "not_found"), ("554 5.7.1 no relaying", "dead", "refused")],
)
def test_a_refusal_is_given_up(admin_user: User, reply: str, state: str, reason: str) -> None:
    with ScriptedMailServer(replies={"RCPT": reply}) as server:
        sent = send_one(make_email_channel(server.port), admin_user, attempts=15)
    assert (sent.state, sent.reason) == (state, reason)
    assert reply[4:9] in NotificationAttempt.objects.get().answer


def test_a_greylisting_server_gets_the_same_letter_later(admin_user: User) -> None:
    with MailServer(replies={"*": ["451 4.7.1 greylisted", "451 4.7.1 greylisted"]}) as server:
        channel = make_email_channel(server.port)
        sent = send_one(channel, admin_user, attempts=15)
        assert (sent.state, sent.reason) == ("pending", "deferred")
        channel.refresh_from_db()
        assert channel.failures == 0, "it answers, so its breaker stays closed"
        make_due()
        deliver()
        (letter,) = server.letters
    assert only().state == "sent"
    assert letter.recipients == tuple(EVERYBODY)


def test_who_has_the_letter_is_not_sent_it_again_while_another_waits(admin_user: User) -> None:
    with MailServer(replies={"dev@example.com": ["450 4.2.0 later"]}) as server:
        channel = make_email_channel(server.port)
        sent = send_one(channel, admin_user, attempts=15)
        assert (sent.state, sent.reason) == ("pending", "deferred")
        make_due()
        deliver()
        assert (only().state, only().reason) == ("sent", "delivered")
        assert [letter.recipients for letter in server.letters] == [("ops@example.com",), ("dev@example.com",)]
        assert len({letter.message["Message-ID"] for letter in server.letters}) == 1
        replay_notification(actor=admin_user, notification=only())
        deliver()
        assert server.letters[-1].recipients == tuple(EVERYBODY), "sent again by hand, it goes to all"


def test_a_recipient_who_is_refused_does_not_keep_it_from_the_others(admin_user: User) -> None:
    with MailServer(replies={"dev@example.com": ["550 5.1.1 who"]}) as server:
        sent = send_one(make_email_channel(server.port), admin_user, attempts=15)
    assert (sent.state, sent.reason) == ("sent", "partly_delivered")
    assert "dev@example.com: 550 5.1.1 who" in NotificationAttempt.objects.get().answer


def test_korean_addresses_are_written_to(admin_user: User) -> None:
    with MailServer() as server:
        send_one(make_email_channel(server.port, to=["운영@예시.한국", "ops@예시.한국"]), admin_user)
        (letter,) = server.letters
    assert letter.recipients == ("운영@xn--vv4b11d.xn--3e0b707e", "ops@xn--vv4b11d.xn--3e0b707e")


def test_a_server_at_an_address_that_is_not_public_is_refused(settings: Any, admin_user: User) -> None:
    with MailServer() as server:
        channel = make_email_channel(server.port)
        close_breakers()
        settings.PORTAL_CHANNEL_ALLOW = ""
        sent = send_one(channel, admin_user)
        assert (sent.state, sent.reason) == ("dead", "address_denied")
        assert server.asked == []


def test_a_channel_is_made_with_the_form(client: Client, admin_user: User, authority: Authority) -> None:
    client.force_login(admin_user)
    with MailServer(authority.good()) as server:
        values = {
            "name": "On call",
            "enabled": "on",
            "language": "ko",
            "time_zone": "Asia/Seoul",
            "config.server": "127.0.0.1",
            "config.port": server.port,
            "config.security": "starttls",
            "config.username": USERNAME,
            "config.password": PASSWORD,
            "config.from_address": "portal@example.com",
            "config.to": "ops@example.com\r\n\r\n dev@example.com \r\n",
        }
        wrong = client.post("/alerts/channels/new/?kind=email", {**values, "config.to": "ops@example.com\r\ndev"})
        assert "Line 2: enter an address such as" in wrong.content.decode()
        made = client.post("/alerts/channels/new/?kind=email", values)
        assert made.status_code == 302, made.content.decode()
        page = client.get(made["Location"]).content.decode()
        assert PASSWORD not in page and "example.com" in page
        assert send_one(Channel.objects.get(), admin_user).state == "sent"
        assert server.letters[0].recipients == ("ops@example.com", "dev@example.com")
