"""Many wake, one sends: wakes that meet hold one thread, delay nobody and are never lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import count
from threading import Barrier, Event

import pytest
from django.db import connection

from apps.alerts import delivery, tasks
from apps.alerts.channels import webhook
from apps.alerts.claims import PER_CHANNEL
from apps.alerts.models import Channel, Notification
from apps.alerts.tasks import route_and_send
from apps.alerts.turns import OneAtATime
from tests.alerts.world import make_channel, make_incident
from tests.servers.http import HttpServer, hang

# As many as a worker has.
THREADS = 8
PATIENCE_SECONDS = 30
HANG_SECONDS = 4.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=THREADS) as pool:
        yield pool


@pytest.fixture
def slow_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SEND_TIMEOUT_SECONDS", HANG_SECONDS)


def as_a_task(action: Callable[[], object]) -> Callable[[], None]:
    """The same on a thread of its own, which leaves no connection behind."""

    def act() -> None:
        try:
            action()
        finally:
            connection.close()

    return act


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        pause.wait(0.01)


def sent_through(channel: Channel) -> int:
    return Notification.objects.filter(channel=channel, state=Notification.State.SENT).count()


def test_who_asks_while_it_runs_leaves_at_once_and_it_runs_once_more(threads: ThreadPoolExecutor) -> None:
    running, finish, runs = Event(), Event(), count()

    def work() -> None:
        next(runs)
        running.set()
        assert finish.wait(PATIENCE_SECONDS)

    turns = OneAtATime(work)
    first = threads.submit(turns.ask)
    assert running.wait(PATIENCE_SECONDS)
    assert [threads.submit(turns.ask).result(timeout=5) for _asker in range(5)] == [False] * 5
    finish.set()
    assert first.result(timeout=5) is True
    assert next(runs) == 2, "five requests during one run are one more run"


def test_work_that_fails_can_be_asked_for_again() -> None:
    outcomes = iter([ValueError("no"), None])

    def work() -> None:
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome

    turns = OneAtATime(work)
    with pytest.raises(ValueError, match="no"):
        turns.ask()
    assert turns.ask() is True


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("slow_receivers")
def test_receivers_that_hang_hold_one_thread_and_delay_no_other_channel(
    receiver: HttpServer, threads: ThreadPoolExecutor
) -> None:
    hanging = receiver.behave("/hang", hang)
    good = make_channel(receiver.url("/hook"), name="Good")
    began = time.monotonic()
    wakes: set[Future[None]] = set()
    for number in range(THREADS):
        # Each wake finds something of its own to send, to a receiver that will hang.
        make_channel(hanging, name=f"Hanging {number}")
        make_incident(f"Service {number}")
        wakes.add(threads.submit(as_a_task(route_and_send)))
    wait_until(lambda: sum(wake.done() for wake in wakes) >= THREADS - 1, "all but one thread to be free")
    wait_until(lambda: sent_through(good) == THREADS, "the other channel's messages")
    make_incident("Late")
    route_and_send()
    wait_until(lambda: sent_through(good) == THREADS + 1, "what became due while others hang")
    assert time.monotonic() - began < HANG_SECONDS, "nobody waited for a receiver that hangs"
    assert sum(wake.done() for wake in wakes) == THREADS - 1, "one thread is still sending"
    finished, _none = wait(wakes, timeout=PATIENCE_SECONDS)
    assert [wake.exception() for wake in finished] == [None] * THREADS
    hung = Notification.objects.exclude(channel=good)
    assert not hung.filter(state=Notification.State.SENDING).exists()
    assert hung.filter(reason="timeout").count() >= THREADS


@pytest.mark.django_db(transaction=True)
def test_wakes_that_race_lose_nothing(receiver: HttpServer, threads: ThreadPoolExecutor) -> None:
    channel = make_channel(receiver.url("/hook"))
    rounds = 12
    together = Barrier(THREADS)

    def happen_and_wake(thread: int) -> None:
        for number in range(rounds):
            make_incident(f"Service {thread}-{number}")
            together.wait(PATIENCE_SECONDS)
            route_and_send()

    wakes = [threads.submit(as_a_task(partial(happen_and_wake, thread))) for thread in range(THREADS)]
    for wake in wakes:
        wake.result(timeout=PATIENCE_SECONDS * 2)
    assert sent_through(channel) == Notification.objects.count() == THREADS * rounds
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert len(ids) == len(set(ids)) == THREADS * rounds


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("slow_receivers")
def test_the_last_places_go_to_one_message_a_channel(
    receiver: HttpServer, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two receivers that hang could take every place there is; the third channel still finds one."""
    monkeypatch.setattr(tasks, "_stopping", Event())
    monkeypatch.setattr(delivery, "PLACES", 2 * PER_CHANNEL)
    monkeypatch.setattr(delivery, "LAST_PLACES", PER_CHANNEL)
    hanging = receiver.behave("/hang", hang)
    for name in ("Hanging", "Hanging too"):
        make_channel(hanging, name=name)
    for number in range(PER_CHANNEL):
        make_incident(f"Service {number}")
    began = time.monotonic()
    loop = threads.submit(as_a_task(route_and_send))
    wait_until(lambda: len(receiver.received) >= PER_CHANNEL, "receivers to hang")
    good = make_channel(receiver.url("/hook"), name="Good")
    make_incident("Late")
    route_and_send()
    wait_until(lambda: sent_through(good) == 1, "the third channel's message")
    assert time.monotonic() - began < HANG_SECONDS
    tasks.stop_sending()
    loop.result(timeout=PATIENCE_SECONDS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("slow_receivers")
def test_a_worker_that_stops_takes_nothing_new(
    receiver: HttpServer, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_stopping", Event())
    make_channel(receiver.behave("/hang", hang))
    make_incident()
    loop = threads.submit(as_a_task(route_and_send))
    wait_until(lambda: len(receiver.received) == 1, "the receiver to hang")
    tasks.stop_sending()
    make_incident("Late")
    route_and_send()
    done, _open = wait([loop], timeout=PATIENCE_SECONDS, return_when=FIRST_COMPLETED)
    assert done
    states = Notification.objects.order_by("created_at").values_list("state", "attempts")
    assert list(states) == [("pending", 1), ("pending", 0)], "the first one timed out, the second was left"
