"""Receivers of a webhook, good and bad, and what becomes of the message and of the channel."""

from __future__ import annotations

import pytest

from apps.alerts.models import Notification
from tests.alerts.world import deliver, make_channel, make_incident, only
from tests.servers.http import Behaviour, HttpServer, Received, answer, empty, gzipped, huge, redirect
from tests.servers.listening import Connection

pytestmark = pytest.mark.django_db

METADATA = "http://169.254.169.254/latest/meta-data/iam/"
HTML = "<!doctype html><title>Sign in</title><script>alert(1)</script>" + "<p>Please sign in.</p>" * 500


def hundred_megabytes(connection: Connection, _received: Received) -> None:
    """Told that it went wrong, at great length."""
    connection.send(b"HTTP/1.1 400 No\r\nContent-Type: text/plain\r\nContent-Length: 104857600\r\n\r\n")
    for _turn in range(1_600):
        connection.send(b"x" * 65_536)


@pytest.mark.parametrize(
    ("behaviour", "state", "reason", "status"),
    [
        (answer(204, ""), "sent", "delivered", 204),
        (answer(200, HTML, {"Content-Type": "text/html"}), "sent", "delivered", 200),
        (huge, "sent", "delivered", 200),
        (gzipped("y" * 100_000), "sent", "delivered", 200),
        (answer(400, HTML, {"Content-Type": "text/html"}), "dead", "refused", 400),
        (answer(401), "dead", "unauthorized", 401),
        (answer(404), "dead", "not_found", 404),
        (answer(410), "dead", "receiver_gone", 410),
        (answer(413), "dead", "too_large", 413),
        (answer(422, {"detail": "no"}), "dead", "refused", 422),
        (hundred_megabytes, "dead", "refused", 400),
        (redirect(METADATA), "dead", "redirected", 302),
        (redirect(METADATA, 307), "dead", "redirected", 307),
        (answer(408), "pending", "receiver_timeout", 408),
        (answer(429, "", {"Retry-After": "30"}), "pending", "rate_limited", 429),
        (answer(500, HTML), "pending", "receiver_error", 500),
        (answer(503, "", {"Retry-After": "tomorrow"}), "pending", "receiver_error", 503),
        (empty, "pending", "connection_failed", None),
    ],
)
def test_every_receiver_has_its_end(
    receiver: HttpServer, behaviour: Behaviour, state: str, reason: str, status: int | None
) -> None:
    channel = make_channel(receiver.behave("/hook", behaviour))
    make_incident()
    deliver()
    row = only()
    attempt = row.attempt_rows.get()
    assert (row.state, row.reason, attempt.status_code) == (state, reason, status)
    assert [request.path for request in receiver.received] == ["/hook"]
    assert len(attempt.answer) <= 500 and attempt.answer.isprintable()
    channel.refresh_from_db()
    assert channel.enabled is (reason != "receiver_gone")


def test_nobody_at_the_address_is_tried_again(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    receiver.refuse()
    make_incident()
    deliver()
    assert list(Notification.objects.values_list("state", "reason")) == [("pending", "connection_failed")]
