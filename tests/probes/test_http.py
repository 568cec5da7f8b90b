"""The `http` kind: what may be written, what is sent, how an answer is judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from apps.core.addresses import probe_policy
from apps.core.kindconfig import ConfigError, decode
from apps.core.outbound.exchange import Exchange
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.http import HttpConfig, HttpKind
from apps.probes.runner import run_once
from tests.probes.engines import RunningEngine, job
from tests.probes.exchanges import certificate, exchange
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.tls import Authority


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def looked(config: dict[str, Any], **options: Any) -> Outcome:
    return run_once("http", decode_and_back(config), 2.0, probe_policy(), **options)


def decode_and_back(config: dict[str, Any]) -> dict[str, Any]:
    """Only what may be written is ever run."""
    decode(HttpConfig, config)
    return config


def errors_of(**config: Any) -> dict[str, list[str]]:
    with pytest.raises(ConfigError) as caught:
        decode(HttpConfig, {"url": "https://a.example/", **config})
    return caught.value.errors


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        " https://a.example/",
        "HTTPS:a.example",
        "view-source:https://a.example/",
        "data:text/html,x",
        "file:///etc/passwd",
        "FiLe:///etc/passwd",
        "javascript:alert(1)",
        "a.example",
        "https://",
        "https://a.example/\nX: y",
        "https://a.example:99999/",
        "https://300.300.1.1/",
        "https://user:pass@a.example/",
        "https://a b.example/",
    ],
)
def test_an_address_that_is_no_plain_http_url_is_refused(url: str) -> None:
    assert list(errors_of(url=url)) == ["url"]


def test_credentials_in_the_url_are_sent_to_their_fields() -> None:
    assert "use the fields" in errors_of(url="https://me:secret@a.example/")["url"][0]


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"method": "TRACE"}, "method"),
        ({"method": "get"}, "method"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"headers": {"X-A\n": "a"}}, "headers"),
        ({"headers": {"Content-Length": "4"}}, "headers"),
        ({"headers": {"X-A": 5}}, "headers"),
        ({"bearer_token": "a\r\nb"}, "bearer_token"),
        ({"bearer_token": "a", "basic_username": "b"}, "bearer_token"),
        ({"bearer_token": "a", "headers": {"authorization": "b"}}, "bearer_token"),
        ({"basic_username": "a:b"}, "basic_username"),
        ({"body_limit_kilobytes": 0}, "body_limit_kilobytes"),
        ({"url": "http://a.example/", "conditions": [{"field": "certificate_days", "value": 3}]}, "conditions"),
        ({"method": "HEAD", "conditions": [{"field": "body", "operator": "contains", "value": "x"}]}, "conditions"),
        ({"conditions": [{"field": "stauts", "value": 200}]}, "conditions.0.field"),
        ({"conditions": [{"field": "status", "value": 200}] * 21}, "conditions"),
        ({"timeout": 5}, "timeout"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_field(config: dict[str, Any], path: str) -> None:
    assert list(errors_of(**config)) == [path]


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, OutcomeState.OK), (204, OutcomeState.OK), (399, OutcomeState.OK)]
    + [(status, OutcomeState.FAILED) for status in (400, 404, 500, 503)],
)
def test_without_conditions_every_status_below_400_is_good(
    server: HttpServer, status: int, state: OutcomeState
) -> None:
    outcome = looked({"url": server.behave("/", http.answer(status, "")), "follow_redirects": False})
    assert (outcome.state, outcome.status_code) == (state, status)


def test_a_failure_proves_itself(server: HttpServer) -> None:
    server.behave("/there", http.answer(503, "<h1>down</h1>", {"Set-Cookie": "session=hunter2", "X-Up": "no"}))
    server.behave("/", http.redirect("/there"))
    conditions = [{"field": "status", "operator": "==", "value": 200}, {"field": "header.x-up", "value": "yes"}]
    outcome = looked({"url": server.url(), "conditions": conditions})
    assert outcome.reason is Reason.STATUS_MISMATCH
    assert outcome.sentence == "Expected status 200, got 503."
    evidence = outcome.evidence
    assert evidence["status_line"] == "HTTP/1.1 503 Told So"
    assert evidence["body"] == "<h1>down</h1>"
    assert evidence["address"] == "127.0.0.1"
    assert evidence["redirects"][0]["location"].endswith("/there")
    assert [entry["actual"] for entry in evidence["conditions"]] == [503, "no"]
    assert evidence["headers"]["x-up"] == "no"
    assert "hunter2" not in str(evidence)
    assert {"dns_ms", "connect_ms", "first_byte_ms", "transfer_ms"} <= set(outcome.measurements)


def test_a_good_look_shows_its_conditions_with_their_values(server: HttpServer) -> None:
    server.behave("/", http.answer(200, {"state": "ready"}))
    conditions = [
        {"field": "json.state", "operator": "==", "value": "ready"},
        {"field": "response_time_ms", "operator": "<", "value": 1_500},
    ]
    outcome = looked({"url": server.url(), "conditions": conditions})
    assert (outcome.state, outcome.reason) == (OutcomeState.OK, Reason.OK)
    assert [entry["passed"] for entry in outcome.evidence["conditions"]] == [True, True, True]
    assert "body" not in outcome.evidence


def test_a_condition_on_the_body_alone_does_not_excuse_an_error_page(server: HttpServer) -> None:
    url = server.behave("/", http.answer(500, "all is fine"))
    condition = {"field": "body", "operator": "contains", "value": "fine"}
    assert looked({"url": url, "conditions": [condition]}).reason is Reason.STATUS_MISMATCH
    excused = [condition, {"field": "status", "value": 500}]
    assert looked({"url": url, "conditions": excused}).state is OutcomeState.OK


def test_what_is_configured_is_what_is_sent(server: HttpServer) -> None:
    looked({"url": server.url("/a?b=c"), "method": "POST", "body": "häll", "headers": {"X-One": "1", "X-Two": "zwö"}})
    looked({"url": server.url(), "bearer_token": "token-1"})
    looked({"url": server.url(), "basic_username": "me", "basic_password": "pass"})
    first, second, third = server.received
    assert (first.method, first.path, first.body.decode()) == ("POST", "/a?b=c", "häll")
    assert first.headers["x-one"] == "1"
    assert first.headers["user-agent"].startswith("monitor-portal")
    assert second.headers["authorization"] == "Bearer token-1"
    assert third.headers["authorization"] == "Basic bWU6cGFzcw=="


def test_a_large_answer_is_a_failure_from_its_limit_on(server: HttpServer) -> None:
    url = server.behave("/", http.answer(200, "x" * 5_000))
    assert looked({"url": url, "body_limit_kilobytes": 4}).reason is Reason.BODY_TOO_LARGE
    assert looked({"url": url, "body_limit_kilobytes": 5}).state is OutcomeState.OK


def test_days_left_of_the_certificate_are_measured_and_can_be_a_condition() -> None:
    authority = Authority()
    condition = {"field": "certificate_days", "operator": ">", "value": 14}
    with HttpServer(authority.good(days=10)) as server:
        outcome = looked({"url": server.url(), "conditions": [condition]}, ca_file=authority.ca_file)
    assert outcome.reason is Reason.CONDITION_FAILED
    assert 9 < outcome.measurements["certificate_days"] <= 10
    assert outcome.evidence["certificate"]["names"]
    assert outcome.sentence.startswith("Expected the certificate to have > 14 days left, it has ")


def test_a_certificate_is_not_verified_when_told_so() -> None:
    with HttpServer(Authority().expired()) as server:
        assert looked({"url": server.url()}).reason is not Reason.OK
        assert looked({"url": server.url(), "verify_tls": False}).state is OutcomeState.OK


ANSWERS = [
    exchange(200, "fine"),
    exchange(301),
    exchange(404, "fine"),
    exchange(200, {"state": "ready"}, {"x-up": "yes"}),
    exchange(500, {"state": "ready"}),
    exchange(200, "fine", url="https://service.example/", certificate=certificate(20), http_version=2.0),
    exchange(200, "fine", duration_ms=1.0, reused=True),
]
CONDITIONS: list[list[dict[str, Any]]] = [
    [],
    [{"field": "status", "operator": ">=", "value": 300}],
    [{"field": "json.state", "value": "ready"}],
    [
        {"field": "body", "operator": "contains", "value": "fine"},
        {"field": "header.x-up", "operator": "!=", "value": 1},
    ],
    [{"field": "response_time_ms", "operator": "<", "value": 100}],
    [{"field": "certificate_days", "operator": ">", "value": 14}],
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("conditions", CONDITIONS)
def test_what_passes_quickly_is_what_is_judged_ok(answer: Exchange, conditions: list[dict[str, Any]]) -> None:
    kind = HttpKind()
    config = msgspec.convert({"url": answer.url, "conditions": conditions}, HttpConfig)
    judged = kind.judge(config, answer)
    passed = kind.passes(config, answer)
    assert (passed is not None) == (judged.state is OutcomeState.OK)
    assert passed is None or passed == judged.measurements


def test_evidence_of_a_good_look_is_for_whoever_asked(server: HttpServer) -> None:
    config = {"url": server.url(), "conditions": [{"field": "status", "value": 200}]}
    with RunningEngine() as running:
        usual, asked, slow, bad = running.run(
            job("http", config),
            job("http", config, run="one"),
            job("http", config, degraded_after_ms=0.000_1),
            job("http", {**config, "conditions": [{"field": "status", "value": 201}]}),
        )
        tcp = running.run(job("tcp", {"host": "127.0.0.1", "port": server.port}))[0]
    assert (usual.state, usual.evidence, usual.status_code) == (OutcomeState.OK, {}, 200)
    assert {"connect_ms", "first_byte_ms", "body_bytes"} <= set(usual.measurements)
    assert (tcp.state, tcp.evidence) == (OutcomeState.OK, {})
    assert asked.evidence["conditions"][0]["passed"] is True
    assert (slow.state, slow.evidence["address"]) == (OutcomeState.DEGRADED, "127.0.0.1")
    assert bad.evidence["conditions"][0]["actual"] == 200
