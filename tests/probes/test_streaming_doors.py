"""The other ways a stream comes in: on the thread that waits for it, for a conversation of its own, over HTTP/2."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.core.outbound.names import default_names
from apps.probes.base import AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.looking import Looking
from apps.probes.runner import Prepared, run_once
from apps.probes.runner import look as look_with
from tests.probes.listening_kind import NAME, ListeningConfig, ListeningKind
from tests.probes.test_streaming_engine import asking, kind, look, server
from tests.servers import http2
from tests.servers.http2 import Http2Server
from tests.servers.listening import Connection, SpeakingServer
from tests.servers.model_script import Script
from tests.servers.model_server import ModelServer
from tests.servers.tls import Authority

__all__ = ["kind", "server"]

Way = Callable[..., Outcome]
_DATA, _HEADERS, _END_STREAM, _END_HEADERS = 0, 1, 1, 4


def look_once(config: dict[str, Any], timeout_seconds: float = 5.0, **options: Any) -> Outcome:
    return run_once(NAME, config, timeout_seconds, probe_policy(), **options)


@pytest.fixture(params=[look, look_once], ids=["engine", "door"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    yield request.param


@pytest.mark.parametrize(
    ("model", "config", "reason", "cut"),
    [
        ("model-a", {}, Reason.OK, ""),
        ("packed", {}, Reason.OK, ""),
        ("invalid-key", {}, Reason.OK, ""),
        ("endless", {"enough_bytes": 2_000}, Reason.OK, "enough"),
        ("silent", {"first_seconds": 0.3}, Reason.STALLED, "late"),
        ("stall", {"first_seconds": 9, "gap_seconds": 0.3}, Reason.STALLED, "late"),
        ("headers-only", {"first_seconds": 0.3}, Reason.STALLED, "late"),
    ],
)
def test_both_ways_end_a_stream_alike(
    kind: ListeningKind, server: ModelServer, way: Way, model: str, config: dict[str, Any], reason: Reason, cut: str
) -> None:
    started = time.monotonic()
    outcome = way(asking(server, model, **config))
    assert (outcome.reason, kind.exchanges[0].cut) == (reason, cut)
    assert time.monotonic() - started < 3
    assert kind.exchanges[0].sent_at
    if cut and kind.exchanges[0].status == 0:
        assert outcome.status_code is None


@pytest.mark.parametrize(("model", "timeout"), [("endless", 0.5), ("cut", 5.0), ("reset", 5.0), ("silent", 0.5)])
def test_both_ways_fail_alike(kind: ListeningKind, server: ModelServer, way: Way, model: str, timeout: float) -> None:
    expected = {"endless": Reason.TRUNCATED, "silent": Reason.TIMEOUT}.get(model, Reason.CONNECTION_RESET)
    outcome = way(asking(server, model), timeout)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, expected)
    assert kind.errors[0].listener is kind.ears[0]
    assert kind.errors[0].sent_at


def test_connecting_has_a_clock_of_its_own_both_ways(kind: ListeningKind, way: Way) -> None:
    with SpeakingServer() as mute:
        outcome = way({"url": f"https://127.0.0.1:{mute.port}/", "connect_seconds": 0.3, "first_seconds": 4})
    assert (outcome.reason, outcome.evidence["phase"]) == (Reason.CONNECT_TIMEOUT, "tls")


def test_a_fault_of_the_listener_ends_one_look_both_ways(kind: ListeningKind, server: ModelServer, way: Way) -> None:
    outcome = way(asking(server, raises=True))
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR)


def streamed(parts: int) -> http2.Behaviour:
    """A body in so many frames, 50 ms apart."""

    def behave(connection: Connection, stream: int) -> None:
        headers = {"content-type": "text/event-stream"}
        connection.send(http2.frame(_HEADERS, _END_HEADERS, stream, http2.block(200, headers)))
        for number in range(parts):
            connection.hold(0.05)
            connection.send(http2.frame(_DATA, 0, stream, b"data: part%d\n\n" % number))
        connection.send(http2.frame(_DATA, _END_STREAM, stream, b"data: [DONE]\n\n"))

    return behave


def test_a_stream_over_http_2_is_heard_piece_by_piece(kind: ListeningKind, way: Way) -> None:
    authority = Authority()
    with Http2Server(authority.good(), streamed(4)) as h2:
        whole = way({"url": h2.url()}, ca_file=authority.ca_file)
        enough = way({"url": h2.url(), "enough_bytes": 20}, ca_file=authority.ca_file)
        h2.behaviour = http2.silent
        late = way({"url": h2.url(), "first_seconds": 0.3}, ca_file=authority.ca_file)
    assert {one.http_version for one in kind.exchanges[:2]} == {2.0}
    assert late.reason is Reason.STALLED
    assert [one.cut for one in kind.exchanges] == ["", "enough", "late"]
    assert (whole.state, enough.state) == (OutcomeState.OK, OutcomeState.OK)
    heard = [at for _chunk, at in kind.ears[0].chunks]
    assert len(heard) >= 4
    assert heard[-1] - heard[0] > 0.1
    assert kind.ears[0].text.endswith("data: part3\n\ndata: [DONE]\n\n")


class Asking(AsyncProbeKind[ListeningConfig]):
    """A conversation that asks twice."""

    name = "asking"
    Config = ListeningConfig

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    async def look(self, config: ListeningConfig, looking: Looking) -> Outcome:
        for _turn in range(2):
            self.exchanges.append(await looking.exchange(HttpRequest(url=config.url), 0.5))
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)


def converse(url: str, timeout_seconds: float = 3.0, **more: Any) -> tuple[Asking, Outcome]:
    asking_kind = Asking()
    prepared = Prepared(asking_kind, ListeningConfig(url=url), timeout_seconds, None, {})

    async def run() -> Outcome:
        options: dict[str, Any] = {"policy": probe_policy(), "names": default_names(), **more}
        return await look_with(prepared, Looking(timeout_seconds=timeout_seconds, **options))

    return asking_kind, asyncio.run(run())


def test_a_conversation_may_ask_over_http(server: ModelServer) -> None:
    asked, outcome = converse(f"{server.base_url()}/models")
    assert outcome.state is OutcomeState.OK
    assert [exchange.status for exchange in asked.exchanges] == [200, 200]
    authority = Authority()
    with ModelServer(tls=authority.good()) as encrypted:
        _asked, trusted = converse(f"{encrypted.base_url()}/models", ca_file=authority.ca_file)
    assert trusted.state is OutcomeState.OK


def test_a_conversation_is_held_to_the_same_rules_and_to_its_time(server: ModelServer) -> None:
    server.script = Script(headers_delay=30)
    url = f"{server.base_url()}/models"
    assert converse(url, policy=channel_policy())[1].reason is Reason.ADDRESS_DENIED
    started = time.monotonic()
    assert converse(url)[1].reason is Reason.TIMEOUT
    assert converse(url, timeout_seconds=0.2)[1].reason is Reason.TIMEOUT
    assert time.monotonic() - started < 3
