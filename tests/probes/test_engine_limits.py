"""What the HTTP loop does with many requests to one host, and with a turn that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from apps.probes.base import OutcomeState, Reason
from apps.probes.engine.host_limits import COUNTED_WAIT_SECONDS
from tests.probes.engines import RunningEngine, job, wait_until
from tests.servers import http
from tests.servers.dns import DnsServer
from tests.servers.http import Behaviour, HttpServer, Received
from tests.servers.listening import Connection


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def once(gate: threading.Event) -> Behaviour:
    """Answers when the gate opens."""

    def behave(connection: Connection, received: Received) -> None:
        gate.wait(10)
        http.answer()(connection, received)

    return behave


def test_a_host_gets_no_more_requests_at_once_than_the_limit_and_delays_no_other_host(server: HttpServer) -> None:
    gate = threading.Event()
    looks = [job("http", {"url": server.behave("/", once(gate))}, 5.0) for _number in range(9)]
    with HttpServer() as other, RunningEngine(max_per_host=3) as running:
        running.engine.submit(looks)
        wait_until(lambda: server.connections == 3)
        assert running.run(job("http", {"url": other.url()}))[0].state is OutcomeState.OK
        assert (server.connections, running.engine.health().waiting_for_host) == (3, 6)
        held_since = time.monotonic()
        wait_until(lambda: time.monotonic() - held_since > 0.3)
        gate.set()
        outcomes = running.delivered.wait_for(looks)
        wait_until(lambda: running.engine.health().in_flight == 0)
        assert running.engine.health().waiting_for_host == 0
    assert {outcome.state for outcome in outcomes} == {OutcomeState.OK}
    # Three were with the server while it held back; what the other six waited for was our limit, not the server.
    assert sorted(outcome.duration_ms > 300 for outcome in outcomes) == [False] * 6 + [True] * 3


def test_the_queue_of_a_host_is_served_in_order(server: HttpServer) -> None:
    looks = [job("http", {"url": server.url(f"/{number}")}, 5.0) for number in range(12)]
    with RunningEngine(max_per_host=1) as running:
        running.run(*looks)
    assert [received.path for received in server.received] == [f"/{number}" for number in range(12)]


def test_a_look_held_back_for_its_whole_timeout_says_nothing_about_the_target(server: HttpServer) -> None:
    holding = [job("http", {"url": server.url("/hang")}, 1.5) for _number in range(2)]
    held = [job("http", {"url": server.url("/")}, 0.4) for _number in range(3)]
    patient = job("http", {"url": server.url("/")}, 5.0)
    with RunningEngine(max_per_host=2) as running:
        running.engine.submit(holding)
        wait_until(lambda: server.connections == 2)
        outcomes = running.run(*held)
        last = running.run(patient)[0]
        ended = running.delivered.wait_for(holding)
    for outcome in outcomes:
        assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.HOST_BUSY)
        assert outcome.duration_ms == 0
    assert outcomes[0].sentence == (
        "2 requests to 127.0.0.1 were in flight, which is our own limit for one host, and none ended within 0.4 s: "
        "this look was not taken."
    )
    assert {outcome.reason for outcome in ended} == {Reason.TIMEOUT}
    assert last.state is OutcomeState.OK
    assert last.duration_ms < 1_000


def test_a_look_that_waited_long_for_a_silent_host_ends_in_time_and_says_nothing_about_it(server: HttpServer) -> None:
    looks = [job("http", {"url": server.url("/hang")}, seconds) for seconds in (4.5, 5.0)]
    with RunningEngine(max_per_host=1) as running:
        began = time.monotonic()
        first, second = running.run(*looks)
        took = time.monotonic() - began
    assert first.reason is Reason.TIMEOUT
    assert (second.state, second.reason) == (OutcomeState.INDETERMINATE, Reason.WORKER_LATE)
    assert second.evidence["seen"] == "timeout"
    assert took < 5.0 + COUNTED_WAIT_SECONDS + 1.0, "its lease would be over, and somebody else would look again"


def test_a_failed_connection_and_a_redirect_give_their_places_back(server: HttpServer) -> None:
    server.behave("/there", http.redirect("/"))
    reset = [job("http", {"url": server.url("/reset")}) for _number in range(4)]
    redirected = [job("http", {"url": server.url("/there")}) for _number in range(4)]
    with RunningEngine(max_per_host=2) as running:
        assert {outcome.reason for outcome in running.run(*reset)} == {Reason.CONNECTION_RESET}
        assert {outcome.reason for outcome in running.run(*redirected)} == {Reason.OK}


def test_many_names_in_flight_at_once_each_lead_where_they_should(server: HttpServer) -> None:
    """Handles take turns with names, and each removes what the one before left in libcurl's cache."""
    with HttpServer() as other:
        names = {f"name{number}.test": ["127.0.0.1"] for number in range(40)}
        with DnsServer(names) as dns, RunningEngine(nameservers=[dns.address], max_per_host=20) as running:
            looks = [
                job("http", {"url": f"http://{name}:{port}/{name}"}, 5.0)
                for _round in range(5)
                for name in names
                for port in (server.port, other.port)
            ]
            outcomes = running.run(*looks)
        assert {outcome.reason for outcome in outcomes} == {Reason.OK}
        for one in (server, other):
            arrived = sorted((received.path, received.headers["host"]) for received in one.received)
            assert arrived == sorted((f"/{name}", f"{name}:{one.port}") for name in names for _round in range(5))


def test_what_a_failed_turn_was_busy_with_ends_and_gives_its_place_back(server: HttpServer) -> None:
    calls = iter(range(1_000))

    def failing() -> float:
        # 0 dates the batch, 1 the look: that one fails, and so does 2, where the loop would date the failure.
        if next(calls) in (1, 2):
            raise OSError("no clock today")
        return time.time()

    with RunningEngine(wall_clock=failing) as running:
        lost, next_one = running.run(job("http", {"url": server.url()}), job("http", {"url": server.url()}))
        wait_until(lambda: running.engine.in_flight() == 0)
        assert running.engine.health().alive
    assert (lost.state, lost.reason) == (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR)
    assert "no clock today" in lost.evidence["detail"]
    assert next_one.state is OutcomeState.OK


def test_a_check_keeps_its_connection_between_looks_when_it_says_so() -> None:
    config = {"reuse_connection": True, "bearer_token": "mine"}
    with HttpServer(keep_alive=True) as server, RunningEngine() as running:
        first, second = (running.run(job("http", {"url": server.url(), **config}))[0] for _look in range(2))
        fresh = running.run(job("http", {"url": server.url()}))[0]
        other = running.run(job("http", {"url": server.url(), **config, "bearer_token": "another's"}))[0]
        again = running.run(job("http", {"url": server.url(), **config}))[0]
        connections = server.connections
    kept = [outcome.measurements.get("reused_connection", 0) for outcome in (first, second, fresh, other, again)]
    assert kept == [0, 1, 0, 0, 1]
    assert "connect_ms" not in second.measurements
    assert connections == 3
