"""The `redis` kind against the suite's own Valkey, and against servers that say other things."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings

from apps.core.addresses import probe_policy
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.runner import run_once
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer, free_port
from tests.servers.tls import Authority


def valkey(**more: Any) -> dict[str, Any]:
    """The config of the server the suite runs on."""
    parts = urlsplit(settings.REDIS_URL)
    return {
        "host": parts.hostname,
        "port": parts.port or 6379,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        **more,
    }


def looked(config: dict[str, Any], timeout_seconds: float = 1.0) -> Outcome:
    return run_once("redis", config, timeout_seconds, probe_policy())


def answering(reply: bytes, **more: Any) -> Outcome:
    with SpeakingServer(reply=reply) as server:
        return looked({"host": "127.0.0.1", "port": server.port, **more}, 0.5)


def test_a_running_server_answers() -> None:
    outcome = looked(valkey())
    assert outcome.state is OutcomeState.OK, outcome
    assert {"connect_ms", "first_byte_ms"} <= set(outcome.measurements)


def test_a_wrong_password_is_a_sign_in_that_failed() -> None:
    outcome = looked(valkey(username="default", password="not-the-password"))
    assert outcome.reason is Reason.AUTHENTICATION_FAILED
    assert "not-the-password" not in str(outcome.evidence)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"-NOAUTH Authentication required.\r\n", Reason.AUTHENTICATION_FAILED),
        (b"-LOADING Redis is loading the dataset in memory\r\n", Reason.QUERY_FAILED),
        (b"+WHAT\r\n", Reason.UNEXPECTED_ANSWER),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.PROTOCOL_ERROR),
        (b"$99999999999\r\n", Reason.PROTOCOL_ERROR),
        (b"$5\r\nPO", Reason.TIMEOUT),
        (b"+" + b"a" * 100_000, Reason.PROTOCOL_ERROR),
    ],
)
def test_every_other_answer_has_its_reason(reply: bytes, reason: Reason) -> None:
    outcome = answering(reply)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, reason)


@pytest.mark.parametrize(
    ("reply", "code", "values"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_redis", {"said": "HTTP/1.1 400 Bad Request"}),
        (b"$99999999999\r\n", "not_redis_size", {"count": 99_999_999_999}),
        (b"+" + b"a" * 100_000, "not_redis_line", None),
    ],
)
def test_what_is_no_redis_is_said_in_words_with_a_code(
    reply: bytes, code: str, values: dict[str, object] | None
) -> None:
    evidence = answering(reply).evidence
    assert (evidence["detail_code"], evidence.get("detail_values")) == (code, values)


def test_an_old_servers_plain_error_to_a_password_is_a_sign_in_that_failed() -> None:
    assert answering(b"-ERR invalid password\r\n", password="p").reason is Reason.AUTHENTICATION_FAILED


def test_a_server_that_is_not_there_or_says_nothing() -> None:
    assert looked({"host": "127.0.0.1", "port": free_port()}).reason is Reason.CONNECT_REFUSED
    with SpeakingServer() as silent, HttpServer() as closing:
        closing.behave("/", http.empty)
        assert looked({"host": "127.0.0.1", "port": silent.port}, 0.3).reason is Reason.TIMEOUT


def test_tls_to_a_server_with_an_unknown_certificate_is_refused() -> None:
    with HttpServer(Authority().good()) as server:
        outcome = looked({"host": "127.0.0.1", "port": server.port, "tls": True})
    assert outcome.reason is Reason.TLS_UNTRUSTED
    assert outcome.measurements["tls_ms"] > 0
