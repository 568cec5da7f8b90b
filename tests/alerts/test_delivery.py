"""One channel and a receiver that behaves, or does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from apps.accounts.models import User
from apps.alerts.models import Channel, Notification, NotificationAttempt
from apps.alerts.services import replay_notification, send_test
from apps.core import clock
from tests.alerts.world import SECRET, close_breakers, deliver, happen, make_channel, make_due, make_incident, only
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db


def test_a_delivered_webhook_verifies_and_says_what_happened(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    incident = make_incident()
    assert deliver() == 1
    (request,) = receiver.received
    body = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert (body["type"], body["data"]["sequence"]) == ("incident.opened", 1)
    assert list(body["data"]) == ["incident", "alert", "target", "change", "sequence"]
    assert body["data"]["incident"]["id"] == str(incident.pk)
    assert request.headers["webhook-id"] == str(only().pk)
    row = only()
    assert (row.state, row.reason, row.attempts, row.finished_at is None) == ("sent", "delivered", 1, False)
    attempt = NotificationAttempt.objects.get()
    assert (attempt.number, attempt.succeeded, attempt.status_code, attempt.answer) == (1, True, 200, "fine")
    assert attempt.duration_ms is not None and attempt.duration_ms > 0


def test_a_retry_and_a_replay_carry_the_same_id(receiver: HttpServer, admin_user: User) -> None:
    make_channel(receiver.behave("/hook", answer(500, "no")))
    make_incident()
    deliver()
    make_due()
    receiver.behave("/hook", answer(200))
    deliver()
    assert only().state == "sent"
    replay_notification(actor=admin_user, notification=only())
    assert only().state == "pending"
    deliver()
    row = only()
    assert (row.state, row.attempts, row.attempts_allowed) == ("sent", 3, 17)
    assert {request.headers["webhook-id"] for request in receiver.received} == {str(row.pk)}
    assert [attempt.number for attempt in row.attempt_rows.all()] == [1, 2, 3]


def test_a_receiver_in_trouble_is_tried_again_later_until_it_is_given_up(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(503, "busy")))
    make_incident()
    deliver()
    Notification.objects.update(attempts_allowed=3)
    first = only()
    assert (first.state, first.reason) == ("pending", "receiver_error")
    assert clock.now() - timedelta(seconds=5) < first.not_before < clock.now() + timedelta(seconds=6)
    for _round in range(2):
        make_due()
        deliver()
    row = only()
    assert (row.state, row.reason, row.attempts) == ("dead", "receiver_error", 3)
    make_due()
    assert deliver() == 0
    assert len(receiver.received) == 3


def test_a_dead_notification_can_be_replayed_and_arrives(receiver: HttpServer, admin_user: User) -> None:
    make_channel(receiver.behave("/hook", answer(404)))
    make_incident()
    deliver()
    assert (only().state, only().reason, only().attempts) == ("dead", "not_found", 1)
    receiver.behave("/hook", answer(204, ""))
    replay_notification(actor=admin_user, notification=only())
    deliver()
    assert only().state == "sent"


def test_what_comes_later_waits_for_what_comes_first(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(500)))
    incident = make_incident()
    happen(incident, "acknowledged")
    happen(incident, "resolved", to="operational")
    other = make_incident("Search")
    deliver()
    tried = [request.headers["webhook-id"] for request in receiver.received]
    firsts = Notification.objects.filter(sequence=1).values_list("pk", flat=True)
    assert sorted(tried) == sorted(str(pk) for pk in firsts)
    receiver.received.clear()
    receiver.behave("/hook", answer(200))
    close_breakers()
    make_due()
    deliver()
    mine = Notification.objects.exclude(incident=other).order_by("sequence").values_list("pk", flat=True)
    arrived = [request.headers["webhook-id"] for request in receiver.received]
    assert [key for key in arrived if key in {str(pk) for pk in mine}] == [str(pk) for pk in mine]


def test_what_comes_later_goes_on_once_the_first_is_given_up(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(400)))
    incident = make_incident()
    happen(incident, "resolved", to="operational")
    deliver()
    assert list(Notification.objects.order_by("sequence").values_list("state", flat=True)) == ["dead", "dead"]
    assert len(receiver.received) == 2


def test_a_wish_to_wait_is_respected_and_holds_the_whole_channel(receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(429, "slow down", {"Retry-After": "120"})))
    make_incident()
    deliver()
    row = only()
    assert (row.state, row.reason) == ("pending", "rate_limited")
    assert row.not_before > clock.now() + timedelta(seconds=100)
    channel.refresh_from_db()
    assert channel.open_until is not None and channel.open_until > clock.now() + timedelta(seconds=100)
    make_incident("Search")
    assert deliver() == 0


def test_a_receiver_that_is_gone_switches_its_channel_off(receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(410)))
    incident = make_incident()
    happen(incident, "resolved", to="operational")
    deliver()
    channel.refresh_from_db()
    assert (channel.enabled, channel.disabled_reason) == (False, "receiver_gone")
    rows = list(Notification.objects.order_by("sequence").values_list("state", "reason"))
    assert rows == [("dead", "receiver_gone"), ("pending", "")], "what was not sent waits until it is on again"
    make_incident("Search")
    deliver()
    assert len(receiver.received) == 1


def test_a_deleted_channels_messages_are_dropped(receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(500)))
    make_incident()
    deliver()
    Channel.objects.filter(pk=channel.pk).update(deleted_at=clock.now())
    deliver()
    assert (only().state, only().reason) == ("dropped", "channel_deleted")


def test_a_test_message_is_tried_once_and_has_the_shape_of_a_real_one(receiver: HttpServer, admin_user: User) -> None:
    channel = make_channel(receiver.behave("/hook", answer(500)))
    sent = send_test(actor=admin_user, channel=channel)
    again = send_test(actor=admin_user, channel=channel)
    assert again.pk == sent.pk
    deliver()
    (request,) = receiver.received
    body = Webhook(SECRET).verify(request.body, dict(request.headers))
    assert body["type"] == "channel.test"
    assert set(body["data"]) == {"incident", "target", "change", "sequence"}
    assert (only().state, only().reason) == ("dead", "receiver_error")


def test_a_channel_whose_secret_cannot_be_read_says_so(receiver: HttpServer) -> None:
    channel = make_channel(receiver.url("/hook"))
    Channel.objects.filter(pk=channel.pk).update(config={**channel.config, "secret": "sealed:1:of-another-key"})
    make_incident()
    deliver()
    assert (only().state, only().reason) == ("dead", "secret_unreadable")
    assert receiver.received == []


def test_a_kind_that_is_no_longer_installed_says_so(receiver: HttpServer) -> None:
    channel = make_channel(receiver.url("/hook"))
    Channel.objects.filter(pk=channel.pk).update(kind="pigeon")
    make_incident()
    deliver()
    assert (only().state, only().reason) == ("dead", "unknown_kind")
