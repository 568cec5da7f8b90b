"""What every kind of channel must hold, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings

from apps.accounts.models import AuditEntry, User
from apps.alerts.channels.base import CHANNEL_KINDS, ChannelKind, Delivery, DeliveryReason, Message
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.alerts.routing import route_all
from apps.core import kindconfig
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.handles import trusted_certificates
from apps.core.outbound.mail import Mail, MailReceipt, MailReply, MailStage
from tests.alerts.world import SECRET, deliver, make_incident
from tests.factories import api_client
from tests.servers.http import HttpServer, answer
from tests.servers.mail import PASSWORD, USERNAME, MailServer
from tests.servers.tls import Authority

KINDS = [kind for _name, kind in CHANNEL_KINDS.items()]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))

# A config of every kind that leads to a local receiver. A new kind adds its line here.
SAMPLES: dict[str, dict[str, Any]] = {
    "webhook": {"url": "http://127.0.0.1:{port}/hooks/sesame", "secret": SECRET},
    "slack": {"url": "http://127.0.0.1:{port}/hooks/sesame", "place": "#operations"},
    "discord": {"url": "http://127.0.0.1:{port}/hooks/sesame", "place": "#operations"},
    "email": {
        "server": "127.0.0.1",
        "port": "{number}",
        "security": "starttls",
        "username": USERNAME,
        "password": PASSWORD,
        "from_address": "portal@example.com",
        "to": ["ops@example.com", "dev@example.com"],
    },
}
# What a receiver says when it wants the same again later, where that is not what HTTP has for it.
LATER: dict[str, tuple[int, ...]] = {"email": (421, 450, 451, 452, 454)}
HTTP_LATER = (429, 500, 502, 503, 504)
MESSAGE = Message(
    id="0198f7a0-0000-7000-8000-000000000000",
    type="incident.opened",
    occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    sent_at=datetime(2026, 1, 1, tzinfo=UTC),
    data={"incident": {"id": "i"}, "target": {"id": "t", "name": "Shop"}, "change": {"evidence": {}}, "sequence": 1},
)


def sample(kind: ChannelKind[Any], port: int = 9) -> dict[str, Any]:
    text = json.dumps(SAMPLES[kind.name]).replace("{port}", str(port)).replace('"{number}"', str(port))
    config: dict[str, Any] = json.loads(text)
    return config


class StubbornClient:
    """A door that always comes back with the same answer or the same failure."""

    def __init__(self, outcome: Exchange | OutboundError) -> None:
        self._outcome = outcome

    def fetch(self, request: HttpRequest, *, timeout_seconds: float) -> Exchange:
        if isinstance(self._outcome, OutboundError):
            raise self._outcome
        return self._outcome

    def send_mail(self, mail: Mail, *, timeout_seconds: float) -> MailReceipt:
        if isinstance(self._outcome, OutboundError):
            raise self._outcome
        taken = mail.recipients if 200 <= self._outcome.status < 300 else ()
        return MailReceipt(
            reply=MailReply(MailStage.CONTENT, self._outcome.status, self._outcome.text()), accepted=taken
        )


def exchange(status: int, body: bytes = b"") -> Exchange:
    return Exchange(
        status=status,
        status_line=f"HTTP/1.1 {status}",
        headers={},
        body=body,
        body_bytes=len(body),
        wire_bytes=len(body),
        url="http://127.0.0.1/",
        address="127.0.0.1",
        phases={},
        duration_ms=1.0,
        started_at=0.0,
    )


def send(kind: ChannelKind[Any], outcome: Exchange | OutboundError) -> Delivery:
    return kind.send(MESSAGE, kindconfig.decode(kind.Config, sample(kind)), StubbornClient(outcome))


@EVERY_KIND
def test_a_kind_has_a_page_a_label_and_a_sample(kind: ChannelKind[Any]) -> None:
    page = Path(settings.BASE_DIR) / "docs" / "channels" / f"{kind.name}.md"
    assert page.is_file(), f"write {page}"
    assert str(kind.label)
    assert kind.name in SAMPLES


@EVERY_KIND
def test_the_config_goes_through_schema_form_and_storage_unchanged(kind: ChannelKind[Any]) -> None:
    given = sample(kind)
    config = kindconfig.decode(kind.Config, given)
    assert kindconfig.decode(kind.Config, msgspec.to_builtins(config)) == config
    sealed = kindconfig.seal(kind.Config, given, lambda plain: f"sealed({plain})")
    assert kindconfig.unseal(kind.Config, sealed, lambda stored: stored[7:-1]) == given
    names = {found.name for found in kindconfig.form_fields(kind.Config)}
    assert names == set(kindconfig.json_schema(kind.Config)["properties"])


@EVERY_KIND
@pytest.mark.parametrize("failure", list(OutboundReason))
def test_whatever_the_network_does_is_a_delivery(kind: ChannelKind[Any], failure: OutboundReason) -> None:
    delivery = send(kind, OutboundError(failure, {"host": "h", "detail": f"with {SECRET}"}))
    assert not delivery.ok
    assert isinstance(delivery.reason, DeliveryReason)
    assert SECRET not in repr(delivery)


@EVERY_KIND
def test_every_status_is_sent_tried_again_or_given_up(kind: ChannelKind[Any]) -> None:
    for status in range(100, 600):
        delivery = send(kind, exchange(status, b"x" * 5_000))
        assert not (delivery.ok and delivery.retryable)
        assert delivery.ok is (200 <= status < 300)
        if status in LATER.get(kind.name, HTTP_LATER):
            assert delivery.retryable, status
        assert len(delivery.answer) <= 500


@EVERY_KIND
def test_a_receivers_answer_may_be_any_bytes(kind: ChannelKind[Any]) -> None:
    for body in (b"\x00\xff\xfe", "\ud55c\uad6d\uc5b4".encode(), b"\x1b[2J", b"\xed\xa0\x80"):
        answered = send(kind, exchange(400, body)).answer
        assert "\x00" not in answered
        answered.encode()


@EVERY_KIND
def test_every_reason_has_words(kind: ChannelKind[Any]) -> None:
    labels = [reason.label for reason in DeliveryReason]
    assert all(labels)
    assert len(set(labels)) == len(labels)


@EVERY_KIND
@pytest.mark.django_db
@pytest.mark.parametrize("status", [200, 400, 410, 503])
def test_no_secret_leaks(
    kind: ChannelKind[Any],
    status: int,
    administrator: User,
    viewer: User,
    authority: Authority,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = api_client(administrator)
    with stand_in(kind, status, authority) as receiver:
        config = sample(kind, receiver.port)
        made = client.post("/api/v1/channels/", {"name": "Pager", "kind": kind.name, "config": config})
        assert made.status_code == 201, made.json()
        make_incident()
        route_all()
        deliver()
        heard = told_to(receiver)
    assert heard
    identifier, notification = made.json()["id"], Notification.objects.get()
    bad = client.patch(f"/api/v1/channels/{identifier}/", {"config": {**config, "nonsense": 1}, "colour": "red"})
    seen: list[bytes] = [made.content, bad.content]
    for reader in (client, api_client(viewer)):
        for url in ("channels/", f"channels/{identifier}/", "notifications/", f"notifications/{notification.pk}/"):
            seen.append(reader.get(f"/api/v1/{url}").content)
    told = capfd.readouterr()
    places = {
        "an answer of the API": b"".join(seen).decode(),
        "the log": told.out + told.err + caplog.text,
        "the audit log": str(list(AuditEntry.objects.values())),
        "the stored config": str(list(Channel.objects.values_list("config", flat=True))),
        "the payload": str(notification.payload),
        "an attempt": str(list(NotificationAttempt.objects.values())),
        "the message": heard,
    }
    secrets = kindconfig.secret_values(kind.Config, config)
    assert secrets
    for secret in secrets:
        for place, text in places.items():
            assert secret not in text, f"a secret of {kind.name} is in {place}"


@contextmanager
def stand_in(kind: ChannelKind[Any], status: int, authority: Authority) -> Iterator[HttpServer | MailServer]:
    """A receiver of this kind that answers with `status`, which means much the same in either protocol."""
    if "from_address" in SAMPLES[kind.name]:
        replies = {"*": [f"{status} I was told nothing"] * 2} if status >= 400 else {}
        with MailServer(authority.good(), replies=replies) as mail_server:
            yield mail_server
    else:
        with HttpServer() as server:
            server.behave("/hooks/sesame", answer(status, "I was told nothing"))
            yield server


def told_to(receiver: HttpServer | MailServer) -> str:
    if isinstance(receiver, MailServer):
        return "".join([*receiver.asked, *(repr(letter.content) for letter in receiver.letters)])
    return "".join(f"{request.headers}{request.body!r}" for request in receiver.received)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    """One that this process trusts, by the environment variable a real one is added with."""
    made = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", made.ca_file)
    trusted_certificates.cache_clear()
    yield made
    trusted_certificates.cache_clear()
