"""Claims: leases, poison, the breaker, and several processes at once."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from apps.alerts.claims import PER_CHANNEL, bury_hopeless, claim_due
from apps.alerts.delivery import Attempt, attempt, deliver_due, record_attempts
from apps.alerts.door import open_door
from apps.alerts.models import Channel, Notification
from apps.alerts.policy import BREAKER_THRESHOLD
from apps.alerts.routing import route_all
from apps.alerts.selectors import has_waiting
from apps.core import clock
from tests.alerts.test_pipeline import pass_time, people
from tests.alerts.world import (
    close_breakers,
    deliver,
    happen,
    lose_sender,
    make_channel,
    make_due,
    make_incident,
    only,
)
from tests.servers.http import HttpServer, answer

NOWHERE = "http://127.0.0.1:9/"


def send_first(count: int) -> list[Attempt]:
    """Claim and send, and stop there: as if the process died before it could write down how it went."""
    return [attempt(claimed, open_door()) for claimed in claim_due(count)]


@pytest.mark.django_db
def test_what_was_sent_but_not_marked_is_sent_again_with_the_same_id(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_incident()
    route_all()
    send_first(1)
    row = only()
    assert (row.state, row.attempts) == ("sending", 1)
    assert deliver() == 0, "a live lease is nobody else's"
    lose_sender(row)
    assert has_waiting()
    deliver()
    row = only()
    assert (row.state, row.attempts) == ("sent", 2)
    assert [request.headers["webhook-id"] for request in receiver.received] == [str(row.pk)] * 2
    first, second = row.attempt_rows.all()
    assert (first.reason, first.duration_ms, first.succeeded) == ("interrupted", None, False)
    assert second.succeeded


@pytest.mark.django_db
def test_a_sender_that_comes_back_after_its_lease_changes_nothing(receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(500)))
    make_incident()
    route_all()
    (late,) = send_first(1)
    lose_sender(only())
    receiver.behave("/hook", answer(200))
    deliver()
    record_attempts([late])
    row = only()
    assert (row.state, row.reason) == ("sent", "delivered")
    assert [entry.reason for entry in row.attempt_rows.all()] == ["interrupted", "delivered"]


@pytest.mark.django_db
def test_a_row_that_kills_its_process_runs_out_of_attempts() -> None:
    make_channel(NOWHERE)
    make_incident()
    route_all()
    Notification.objects.update(attempts_allowed=3)
    for _death in range(3):
        assert len(claim_due(10)) == 1
        lose_sender(only())
    assert claim_due(10) == []
    assert bury_hopeless() == 1
    row = only()
    assert (row.state, row.reason, row.attempts) == ("dead", "interrupted", 3)
    assert row.attempt_rows.count() == 3


@pytest.mark.django_db
def test_a_channel_takes_only_so_many_senders_at_once() -> None:
    make_channel(NOWHERE)
    make_channel(NOWHERE, name="Second")
    for number in range(10):
        make_incident(f"Service {number}")
    route_all()
    claimed = claim_due(100)
    by_channel = [entry.channel for entry in claimed]
    assert sorted(by_channel.count(channel) for channel in set(by_channel)) == [PER_CHANNEL, PER_CHANNEL]
    assert claim_due(100) == []
    assert not has_waiting(), "what has no place yet wakes nobody"


@pytest.mark.django_db
def test_after_failures_in_a_row_the_endpoint_is_left_alone_and_then_tried_with_one(receiver: HttpServer) -> None:
    channel = make_channel(receiver.behave("/hook", answer(500)))
    for number in range(BREAKER_THRESHOLD + 3):
        make_incident(f"Service {number}")
    route_all()
    while deliver_due(open_door()):
        pass
    channel.refresh_from_db()
    assert channel.failures >= BREAKER_THRESHOLD
    assert channel.open_until is not None and channel.open_until > clock.now()
    make_due()
    assert claim_due(100) == []

    Channel.objects.update(open_until=clock.now() - timedelta(seconds=1))
    assert len(claim_due(100)) == 1, "half open lets one through"
    assert claim_due(100) == []


@pytest.mark.django_db
def test_one_success_closes_the_breaker_and_the_rest_follows(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    for number in range(6):
        make_incident(f"Service {number}")
    Channel.objects.update(failures=BREAKER_THRESHOLD, open_until=clock.now() - timedelta(seconds=1))
    deliver()
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}
    channel = Channel.objects.get()
    assert (channel.failures, channel.open_until) == (0, None)


@pytest.mark.django_db
def test_a_broken_channel_does_not_hold_up_another(receiver: HttpServer) -> None:
    make_channel(NOWHERE, name="Broken")
    good = make_channel(receiver.url("/hook"), name="Good")
    make_incident()
    deliver()
    assert Notification.objects.get(channel=good).state == "sent"
    assert Notification.objects.exclude(channel=good).get().state == "pending"


@pytest.mark.django_db
def test_of_two_storm_cards_that_wait_the_first_goes_first_whatever_group_it_stands_for() -> None:
    people("Team")
    known = make_incident("Known")
    route_all()
    Notification.objects.update(state=Notification.State.SENT)
    pass_time(120)
    happen(known, "resolved", to="operational")
    for wave in range(2):
        for number in range(6):
            make_incident(f"Service {wave} {number}")
        route_all()
        pass_time(61)
    first, second = Notification.objects.filter(kind="alert.storm").order_by("created_at")
    assert (first.sequence, second.sequence) == (2, 1), "the first stands for a group that was told before"
    assert [claimed.id for claimed in claim_due(10)] == [first.pk]
    Notification.objects.filter(pk=first.pk).update(state=Notification.State.SENT)
    assert [claimed.id for claimed in claim_due(10)] == [second.pk]


@pytest.mark.django_db
def test_the_doorbell_rings_only_for_what_can_be_done() -> None:
    assert not has_waiting()
    channel = make_channel(NOWHERE)
    make_incident()
    assert has_waiting()
    deliver()
    Notification.objects.update(not_before=clock.now() + timedelta(hours=1))
    assert not has_waiting(), "a retry of later"
    make_due()
    assert has_waiting()
    Channel.objects.filter(pk=channel.pk).update(enabled=False)
    assert not has_waiting(), "it waits until the channel is on again"
    Channel.objects.filter(pk=channel.pk).update(deleted_at=clock.now())
    assert has_waiting(), "there is something to drop"
    deliver()
    assert not has_waiting()


@pytest.mark.django_db(transaction=True)
def test_several_processes_send_everything_once_and_in_order(receiver: HttpServer) -> None:
    make_channel(receiver.url("/hook"))
    make_channel(receiver.url("/hook"), name="Second")
    for number in range(20):
        make_incident(f"Service {number}")
    together = Barrier(4)
    problems: list[BaseException] = []

    def work() -> None:
        try:
            together.wait()
            route_all()
            deliver_due(open_door())
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    workers = [Thread(target=work) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert problems == []
    close_breakers()
    deliver()
    assert list(Notification.objects.values_list("state", flat=True)) == ["sent"] * 40
    sent = [request.headers["webhook-id"] for request in receiver.received]
    assert len(sent) == len(set(sent)) == 40
