"""The engine against real servers with faults: every fault its own reason, and no fault anybody else's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from apps.core.addresses import channel_policy
from apps.probes.base import OutcomeState, Reason
from tests.probes.engines import Delivered, RunningEngine, job, wait_until
from tests.servers import http
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer
from tests.servers.listening import free_port
from tests.servers.tls import Authority, self_signed


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_every_fault_is_its_own_reason_within_its_timeout_and_the_engine_lives_on(server: HttpServer) -> None:
    expected = {
        "/hang": Reason.TIMEOUT,
        "/drip": Reason.SLOW_RESPONSE,
        "/reset": Reason.CONNECTION_RESET,
        "/reset-halfway": Reason.CONNECTION_RESET,
        "/empty": Reason.EMPTY_RESPONSE,
        "/garbage": Reason.PROTOCOL_ERROR,
        "/huge": Reason.BODY_TOO_LARGE,
        "/bomb": Reason.DECOMPRESSION_BOMB,
        "/loop": Reason.REDIRECT_LOOP,
    }
    authority = Authority()
    with (
        RunningEngine(ca_file=authority.ca_file) as running,
        HttpServer(authority.expired()) as expired,
        HttpServer(authority.wrong_host()) as wrong_host,
        HttpServer(self_signed()) as own,
        HttpServer(authority.good()) as good,
    ):
        urls = {server.url(path): reason for path, reason in expected.items()}
        urls |= {
            expired.url(): Reason.TLS_EXPIRED,
            wrong_host.url(): Reason.TLS_WRONG_HOST,
            own.url(): Reason.TLS_UNTRUSTED,
            good.url(): Reason.OK,
            f"http://127.0.0.1:{free_port()}/": Reason.CONNECT_REFUSED,
            "http://169.254.169.254/": Reason.ADDRESS_DENIED,
        }
        started = time.monotonic()
        outcomes = running.run(*[job("http", {"url": url}, 1.5) for url in urls])
        took = time.monotonic() - started
        after = running.run(job("http", {"url": server.url()}))[0]
    assert [outcome.reason for outcome in outcomes] == list(urls.values())
    assert took < 3
    for outcome in outcomes:
        if outcome.reason is not Reason.OK:
            assert outcome.state is OutcomeState.FAILED
            assert outcome.evidence["host"]
            assert outcome.sentence not in ("", str(outcome.reason.label))
    assert after.state is OutcomeState.OK


def test_sixty_silent_names_delay_no_healthy_one(server: HttpServer) -> None:
    silent = {f"silent{number}.test": DnsServer.HANG for number in range(60)}
    good = {f"good{number}.test": ["127.0.0.1"] for number in range(5)}
    with DnsServer({**silent, **good}) as dns, RunningEngine(nameservers=[dns.address]) as running:
        hung = [job("http", {"url": f"http://{name}:{server.port}/"}, 3.0) for name in silent]
        healthy = [job("http", {"url": f"http://{name}:{server.port}/"}, 3.0) for name in good]
        started = time.monotonic()
        running.engine.submit(hung + healthy)
        quick = running.delivered.wait_for(healthy)
        assert time.monotonic() - started < 1.5
        assert [outcome.state for outcome in quick] == [OutcomeState.OK] * 5
        slow = running.delivered.wait_for(hung)
        assert time.monotonic() - started < 5
    assert {outcome.reason for outcome in slow} == {Reason.DNS_TIMEOUT}
    assert max(outcome.duration_ms for outcome in quick) < 1_000


def test_a_slow_target_delays_no_other_result(server: HttpServer) -> None:
    slow = job("http", {"url": server.url("/hang")}, 3.0)
    others = [job("http", {"url": server.url("/")}, 3.0) for _number in range(30)]
    with RunningEngine() as running:
        started = time.monotonic()
        running.engine.submit([slow, *others])
        outcomes = running.delivered.wait_for(others)
        assert time.monotonic() - started < 2
        assert slow.check not in running.delivered.arrived
        assert running.delivered.wait_for([slow])[0].reason is Reason.TIMEOUT
    assert {outcome.state for outcome in outcomes} == {OutcomeState.OK}


def test_a_name_with_a_public_and_a_denied_address_is_refused(server: HttpServer) -> None:
    with (
        DnsServer({"two.test": ["93.184.216.34", "127.0.0.1"]}) as dns,
        RunningEngine(policy=channel_policy(), nameservers=[dns.address]) as running,
    ):
        outcomes = running.run(
            job("http", {"url": f"http://two.test:{server.port}/"}),
            job("tcp", {"host": "two.test", "port": server.port}),
        )
    assert [outcome.reason for outcome in outcomes] == [Reason.ADDRESS_DENIED] * 2
    assert server.connections == 0


def test_dead_names_are_not_found_and_localhost_needs_no_name_server(server: HttpServer) -> None:
    with DnsServer({}) as dns, RunningEngine(nameservers=[dns.address]) as running:
        dead, local = running.run(
            job("http", {"url": "http://gone.test/"}), job("http", {"url": server.url(host="localhost")})
        )
        asked = dict(dns.asked)
    assert dead.reason is Reason.DNS_NOT_FOUND
    assert dead.sentence == "The name gone.test does not exist."
    assert local.state is OutcomeState.OK
    assert "localhost" not in asked


def test_a_timeout_seen_after_the_loop_stood_still_says_nothing_about_the_target(server: HttpServer) -> None:
    server.behave("/", http.after(0.3, http.answer()))
    looks = [job("http", {"url": server.url()}, 0.8) for _number in range(5)]
    with RunningEngine() as running:
        running.engine.submit(looks)
        wait_until(lambda: server.connections == 5)
        # What must never happen happens: something blocks the loop's thread beyond every deadline.
        running.engine._http._post(block_for(1.5))
        outcomes = running.delivered.wait_for(looks)
        honest = running.run(job("http", {"url": server.url("/hang")}, 0.6))[0]
        assert running.engine.health().late_turns >= 1
    assert {outcome.state for outcome in outcomes} <= {OutcomeState.INDETERMINATE, OutcomeState.OK}
    assert {outcome.reason for outcome in outcomes} <= {Reason.WORKER_LATE, Reason.OK}
    assert honest.reason is Reason.TIMEOUT


def test_outcomes_survive_a_broker_that_is_away(server: HttpServer) -> None:
    with RunningEngine(delivered=Delivered(failures=2)) as running:
        outcomes = running.run(*[job("http", {"url": server.url()}) for _number in range(3)])
        health = running.engine.health()
    assert len(outcomes) == 3
    assert (health.failed_deliveries, health.delivered, health.dropped) == (2, 3, 0)


def test_a_full_engine_hands_jobs_back_and_takes_new_ones_when_places_are_free(server: HttpServer) -> None:
    jobs = [job("http", {"url": server.url("/hang")}, 0.5) for _number in range(5)]
    with RunningEngine(max_in_flight=3) as running:
        refused = running.engine.submit(jobs)
        assert [left.check for left in refused] == [left.check for left in jobs[3:]]
        assert (running.engine.free_places(), running.engine.in_flight()) == (0, 3)
        running.delivered.wait_for(jobs[:3])
        wait_until(lambda: running.engine.free_places() == 3)
        assert running.engine.submit(refused) == []
        assert running.engine.health().refused == 2


def test_outcomes_leave_in_hand_overs_of_at_most_two_hundred() -> None:
    with RunningEngine() as running:
        running.run(*[job("no_such_kind", {}) for _number in range(450)])
        sizes = [len(batch) for batch in running.delivered.batches]
    assert max(sizes) == 200
    assert len(sizes) <= 4


def test_a_job_starts_at_its_own_moment(server: HttpServer) -> None:
    with RunningEngine() as running:
        due = time.time() + 0.6
        later, now = (
            job("http", {"url": server.url()}, due_at=due),
            job("tcp", {"host": "127.0.0.1", "port": server.port}),
        )
        outcomes = running.run(later, now)
    assert due <= outcomes[0].started_at < due + 0.5
    assert outcomes[1].started_at < due


def test_a_job_that_cannot_run_says_so_and_nothing_about_the_target() -> None:
    with RunningEngine() as running:
        unknown, broken = running.run(job("no_such_kind", {}), job("http", {"url": 5}))
    assert {unknown.state, broken.state} == {OutcomeState.INDETERMINATE}
    assert {unknown.reason, broken.reason} == {Reason.INVALID_CONFIGURATION}
    assert "no_such_kind" in unknown.evidence["detail"]


def test_a_stopped_engine_gives_up_quickly_and_takes_nothing_more(server: HttpServer) -> None:
    running = RunningEngine()
    with running:
        running.engine.submit([job("http", {"url": server.url("/hang")}, 30.0)])
        running.engine.submit([job("tcp", {"host": "127.0.0.1", "port": server.port, "expect": "x"}, 30.0)])
        wait_until(lambda: server.connections == 2)
        started = time.monotonic()
    assert time.monotonic() - started < 1.5
    assert not running.engine.health().alive
    late = job("http", {"url": server.url()})
    assert running.engine.submit([late]) == [late]


def block_for(seconds: float) -> Callable[[], None]:
    """Something that holds whoever runs it."""

    def block() -> None:
        threading.Event().wait(seconds)

    return block
