"""Receivers that hang, talk without end or lead astray."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest

from apps.alerts.channels import webhook
from apps.alerts.models import Notification
from tests.alerts.world import deliver, make_channel, make_incident, only
from tests.servers.http import HttpServer, answer, hang, redirect

pytestmark = pytest.mark.django_db


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(webhook, "SEND_TIMEOUT_SECONDS", 3.0)
    return 3.0


def test_a_receiver_that_hangs_does_not_delay_another_channel(receiver: HttpServer, short_timeout: float) -> None:
    make_channel(receiver.behave("/hang", hang), name="Hanging")
    good = make_channel(receiver.url("/hook"), name="Good")
    for number in range(8):
        make_incident(f"Service {number}")
    started = time.monotonic()
    deliver()
    rows = Notification.objects.filter(channel=good)
    assert set(rows.values_list("state", flat=True)) == {"sent"}
    finished = [
        attempt.at.timestamp() + (attempt.duration_ms or 0) / 1_000
        for row in rows
        for attempt in row.attempt_rows.all()
    ]
    began = min(attempt.at.timestamp() for row in rows for attempt in row.attempt_rows.all())
    assert max(finished) - began < short_timeout / 2
    assert time.monotonic() - started >= short_timeout, "the hanging ones were waited for"
    hung = Notification.objects.exclude(channel=good)
    assert "timeout" in set(hung.values_list("reason", flat=True))


def test_an_answer_without_end_is_cut_off_and_still_counts(receiver: HttpServer) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    make_channel(receiver.url("/huge"))
    make_incident()
    deliver()
    row = only()
    assert (row.state, row.attempt_rows.get().status_code) == ("sent", 200)
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kilobytes < 50_000


def test_the_kept_answer_is_short_plain_text(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(400, "no\x00\r\n\x1b[31m" + "x" * 5_000)))
    make_incident()
    deliver()
    kept = only().attempt_rows.get().answer
    assert len(kept) <= 500
    assert kept.isprintable()
    assert kept.startswith("no")


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/meta-data/", "/elsewhere", "file:///etc/passwd"])
def test_a_redirect_is_not_followed(receiver: HttpServer, target: str) -> None:
    make_channel(receiver.behave("/hook", redirect(target)))
    make_incident()
    deliver()
    assert (only().state, only().reason) == ("dead", "redirected")
    assert [request.path for request in receiver.received] == ["/hook"]


@pytest.mark.parametrize("name", ["/reset", "/reset-halfway", "/empty", "/garbage", "/endless-headers", "/bomb"])
def test_a_receiver_that_misbehaves_ends_in_a_reason(receiver: HttpServer, name: str) -> None:
    make_channel(receiver.url(name))
    make_incident()
    deliver()
    assert only().reason not in ("", "internal_error")


def test_an_address_that_is_not_public_is_refused_unless_it_is_listed(receiver: HttpServer, settings: Any) -> None:
    make_channel(receiver.url("/hook"))
    named = make_channel(receiver.url("/hook", host="localhost"), name="Named")
    make_incident()
    settings.PORTAL_CHANNEL_ALLOW = ""
    deliver()
    assert set(Notification.objects.values_list("state", "reason")) == {("dead", "address_denied")}
    assert Notification.objects.filter(channel=named).exists()
    assert receiver.received == []


def test_names_never_reach_a_header(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"), name="Pager — 당직")
    make_incident("Shop: X-Injected: 1 ☃")
    deliver()
    (request,) = receiver.received
    assert set(request.headers) == {
        "host",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "portal-instance",
    }
