"""HTTP/2 when a server offers it, and every protection of HTTP/1.1 held under it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.core.kindconfig import ConfigError, decode
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.http import HttpConfig
from apps.probes.runner import run_once
from tests.probes.engines import RunningEngine, job
from tests.servers import http2
from tests.servers.http import HttpServer
from tests.servers.http2 import Http2Server
from tests.servers.tls import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(authority: Authority) -> Iterator[Http2Server]:
    with Http2Server(authority.good(), http2.answered()) as running:
        yield running


def looked(authority: Authority, url: str, **config: Any) -> Outcome:
    return run_once("http", {"url": url, **config}, 2.0, probe_policy(), ca_file=authority.ca_file)


def test_http2_is_spoken_when_offered_and_measured(authority: Authority, server: Http2Server) -> None:
    server.behaviour = http2.answered(201, b'{"state": "ready"}', {"x-trace": "a", "content-type": "application/json"})
    conditions = [{"field": "json.state", "value": "ready"}, {"field": "header.x-trace", "value": "a"}]
    outcome = looked(authority, server.url(), conditions=conditions)
    assert (outcome.state, outcome.status_code) == (OutcomeState.OK, 201)
    assert outcome.measurements["http_version"] == 2.0
    assert {"connect_ms", "tls_ms", "first_byte_ms", "transfer_ms", "certificate_days"} <= set(outcome.measurements)
    assert outcome.evidence["status_line"].startswith("HTTP/2 201")
    assert server.versions == ["2"]


def test_a_check_may_ask_for_http_1_and_a_server_may_know_nothing_else(
    authority: Authority, server: Http2Server
) -> None:
    assert looked(authority, server.url(), http_version="1.1").measurements["http_version"] == 1.1
    assert server.versions == ["1.1"]
    with Http2Server(authority.good(), http2.answered(), offers=()) as old:
        assert looked(authority, old.url()).measurements["http_version"] == 1.1
    with HttpServer() as plain:
        assert "http_version" not in looked(authority, plain.url()).measurements


def test_only_known_versions_may_be_written() -> None:
    with pytest.raises(ConfigError) as caught:
        decode(HttpConfig, {"url": "https://a.example/", "http_version": "3"})
    assert list(caught.value.errors) == ["http_version"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (http2.silent, Reason.TIMEOUT),
        (http2.huge, Reason.BODY_TOO_LARGE),
        (http2.endless_headers, Reason.PROTOCOL_ERROR),
        (http2.many_headers, Reason.PROTOCOL_ERROR),
        (http2.header_bomb, Reason.PROTOCOL_ERROR),
        (http2.endless_interim, Reason.PROTOCOL_ERROR),
        (http2.pings, Reason.PROTOCOL_ERROR),
        (http2.hangs_up, Reason.CONNECTION_RESET),
        (http2.refused, Reason.PROTOCOL_ERROR),
        (http2.speaks_http1, Reason.PROTOCOL_ERROR),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_fault_is_its_own_reason_within_the_timeout(
    authority: Authority, server: Http2Server, behaviour: http2.Behaviour, reason: Reason
) -> None:
    server.behaviour = behaviour
    started = time.monotonic()
    outcome = looked(authority, server.url(), body_limit_kilobytes=64)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, reason)
    assert time.monotonic() - started < 4
    assert outcome.sentence != outcome.reason.label


def test_a_server_that_goes_away_fails_by_what_arrives_first(authority: Authority, server: Http2Server) -> None:
    server.behaviour = http2.goes_away
    outcome = looked(authority, server.url())
    assert outcome.state is OutcomeState.FAILED
    # Its farewell and its reset race each other to us.
    assert outcome.reason in {Reason.PROTOCOL_ERROR, Reason.CONNECTION_RESET}


@pytest.mark.parametrize("behaviour", [http2.flood, http2.pings, http2.huge, http2.endless_interim])
def test_a_server_that_sends_without_end_delays_no_other_look(
    authority: Authority, server: Http2Server, behaviour: http2.Behaviour
) -> None:
    server.behaviour = behaviour
    with HttpServer() as good, RunningEngine(ca_file=authority.ca_file) as running:
        hostile = job("http", {"url": server.url(), "body_limit_kilobytes": 64}, 1.0)
        running.engine.submit([hostile])
        others = [job("http", {"url": good.url()}, 1.0) for _number in range(40)]
        assert {outcome.state for outcome in running.run(*others, within=3)} == {OutcomeState.OK}
        assert running.delivered.wait_for([hostile], within=4)[0].state is OutcomeState.FAILED
        assert running.engine.health().late_turns == 0


def test_redirects_are_followed_and_checked_under_http2(authority: Authority, server: Http2Server) -> None:
    with HttpServer() as other:
        server.behaviour = http2.answered(302, b"", {"location": other.url("/there")})
        outcome = looked(authority, server.url(), bearer_token="never-sent-on")
        assert outcome.state is OutcomeState.OK
        assert "authorization" not in other.received[0].headers
    server.behaviour = http2.answered(302, b"", {"location": "http://169.254.169.254/latest/"})
    assert looked(authority, server.url()).reason is Reason.ADDRESS_DENIED
    server.behaviour = http2.answered(302, b"", {"location": "/"})
    assert looked(authority, server.url()).reason is Reason.REDIRECT_LOOP


def test_the_socket_guard_stands_before_http2_too(authority: Authority, server: Http2Server) -> None:
    outcome = run_once("http", {"url": server.url()}, 2.0, channel_policy(), ca_file=authority.ca_file)
    assert outcome.reason is Reason.ADDRESS_DENIED
    assert server.connections == 0


@pytest.mark.parametrize("case", ["expired", "wrong_host"])
def test_a_bad_certificate_is_refused_before_a_word_of_http2(authority: Authority, case: str) -> None:
    context, reason = {
        "expired": (authority.expired(), Reason.TLS_EXPIRED),
        "wrong_host": (authority.wrong_host(), Reason.TLS_WRONG_HOST),
    }[case]
    with Http2Server(context, http2.answered()) as server:
        assert looked(authority, server.url()).reason is reason
        assert server.versions == []
        assert looked(authority, server.url(), verify_tls=False).measurements["http_version"] == 2.0
