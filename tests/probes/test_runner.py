"""What the runner does for every kind: time, slowness, secrets, surprises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.names import default_names
from apps.probes.base import AsyncProbeKind, HttpProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking
from apps.probes.runner import Prepared, judge_exchange, look, run_once
from tests.probes.exchanges import exchange
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer, free_port


class Nothing(msgspec.Struct, frozen=True):
    text: Annotated[str, msgspec.Meta(max_length=10)] = ""


class Scripted(AsyncProbeKind[Nothing]):
    """Does what the test says."""

    name = "scripted"
    Config = Nothing

    def __init__(self, script: Any) -> None:
        self._script = script

    async def look(self, config: Nothing, looking: Looking) -> Outcome:
        result = await self._script(looking)
        assert isinstance(result, Outcome)
        return result


class Faulty(HttpProbeKind[Nothing]):
    name = "faulty"
    Config = Nothing

    def build_request(self, config: Nothing) -> HttpRequest:
        return HttpRequest(url="http://127.0.0.1/")

    def judge(self, config: Nothing, exchange: Exchange) -> Outcome:
        raise ZeroDivisionError("a fault in the kind")


OK = Outcome(state=OutcomeState.OK, reason=Reason.OK)


def run_script(script: Any, timeout_seconds: float = 1.0, **more: Any) -> Outcome:
    options: dict[str, Any] = {"degraded_after_ms": None, "plain": {}, **more}
    prepared = Prepared(Scripted(script), Nothing(), timeout_seconds, **options)

    async def run() -> Outcome:
        looking = Looking(policy=probe_policy(), names=default_names(), timeout_seconds=timeout_seconds)
        return await look(prepared, looking)

    return asyncio.run(run())


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def test_an_outcome_is_given_its_time_and_phases() -> None:
    async def script(looking: Looking) -> Outcome:
        with looking.phase("query"):
            await asyncio.sleep(0.05)
        return OK

    outcome = run_script(script)
    assert 50 <= outcome.measurements["query_ms"] <= outcome.duration_ms < 1_000
    assert abs(outcome.started_at - time.time()) < 5


def test_a_look_without_end_is_a_timeout_that_says_how_far_it_came() -> None:
    async def script(looking: Looking) -> Outcome:
        with looking.phase("query"):
            await asyncio.Event().wait()
        return OK

    outcome = run_script(script, timeout_seconds=0.2)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.TIMEOUT)
    assert outcome.evidence["phase"] == "query"
    assert 200 <= outcome.duration_ms < 600


def test_a_look_that_will_not_be_cancelled_is_not_waited_for() -> None:
    async def script(looking: Looking) -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)
        return OK

    outcome = run_script(script, timeout_seconds=0.1)
    assert outcome.reason is Reason.TIMEOUT
    assert outcome.duration_ms < 400


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (ZeroDivisionError("oops"), OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR),
        (OutboundError(OutboundReason.TLS_EXPIRED), OutcomeState.FAILED, Reason.TLS_EXPIRED),
        (OutboundError(OutboundReason.INTERNAL_ERROR), OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR),
        (TimeoutError(), OutcomeState.FAILED, Reason.TIMEOUT),
        (ConnectionResetError(104, "reset"), OutcomeState.FAILED, Reason.CONNECTION_RESET),
        (ConnectionRefusedError(111, "refused"), OutcomeState.FAILED, Reason.CONNECT_REFUSED),
        (OSError(24, "Too many open files"), OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR),
        (OSError(113, "No route to host"), OutcomeState.FAILED, Reason.UNREACHABLE),
        (EOFError("gone"), OutcomeState.FAILED, Reason.CONNECTION_RESET),
    ],
)
def test_whatever_a_kind_raises_becomes_an_outcome(error: Exception, state: OutcomeState, reason: Reason) -> None:
    async def script(looking: Looking) -> Outcome:
        raise error

    outcome = run_script(script)
    assert (outcome.state, outcome.reason) == (state, reason)


def test_a_fault_in_judging_is_ours_and_not_the_targets() -> None:
    outcome = judge_exchange(Prepared(Faulty(), Nothing(), 1.0, None, {}), exchange(200))
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR)
    assert "ZeroDivisionError" in outcome.evidence["detail"]


def test_slow_is_degraded_and_says_how_slow(server: HttpServer) -> None:
    url = server.behave("/", http.after(0.15, http.answer()))
    slow = run_once("http", {"url": url}, 2.0, probe_policy(), degraded_after_ms=100)
    assert (slow.state, slow.reason, slow.evidence["expected"]) == (OutcomeState.DEGRADED, Reason.SLOW, 100)
    assert slow.evidence["actual"] >= 150
    assert run_once("http", {"url": url}, 2.0, probe_policy(), degraded_after_ms=1_500).state is OutcomeState.OK


def test_a_slow_failure_stays_a_failure(server: HttpServer) -> None:
    url = server.behave("/", http.after(0.15, http.answer(503)))
    assert run_once("http", {"url": url}, 2.0, probe_policy(), degraded_after_ms=100).state is OutcomeState.FAILED


def test_what_a_target_echoes_of_our_secrets_is_masked(server: HttpServer) -> None:
    def echo(connection: Any, received: Any) -> None:
        http.answer(500, str(dict(received.headers)), {"X-Echo": received.headers.get("authorization", "")})(
            connection, received
        )

    url = server.behave("/", echo)
    configs: list[dict[str, Any]] = [
        {"url": url, "bearer_token": "hunter2-token"},
        {"url": url, "basic_username": "me", "basic_password": "hunter2-token"},
        {"url": url, "headers": {"X-Api-Key": "hunter2-token", "Cookie": "hunter2-token"}},
    ]
    for config in configs:
        outcome = run_once("http", config, 2.0, probe_policy())
        assert outcome.reason is Reason.STATUS_MISMATCH
        assert "hunter2" not in str(outcome.evidence)
        assert "bWU6aHVudGVyMi10b2tlbg" not in str(outcome.evidence)
        assert "user-agent" in outcome.evidence["body"]


def test_looking_once_obeys_the_policy_and_never_raises(server: HttpServer) -> None:
    assert run_once("http", {"url": server.url()}, 2.0, channel_policy()).reason is Reason.ADDRESS_DENIED
    tcp = {"host": "127.0.0.1", "port": server.port}
    assert run_once("tcp", tcp, 2.0, channel_policy()).reason is Reason.ADDRESS_DENIED
    assert run_once("tcp", {"host": "127.0.0.1", "port": free_port()}, 2.0, probe_policy()).reason is (
        Reason.CONNECT_REFUSED
    )
    assert run_once("nonsense", {}, 2.0, probe_policy()).reason is Reason.INVALID_CONFIGURATION
    with SpeakingServer() as silent:
        config = {"host": "127.0.0.1", "port": silent.port, "expect": "x"}
        assert run_once("tcp", config, 0.3, probe_policy()).reason is Reason.TIMEOUT
