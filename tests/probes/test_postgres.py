"""The `postgres` kind against the suite's own PostgreSQL, and against servers that are none."""

from __future__ import annotations

import resource
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings

from apps.core.addresses import channel_policy, probe_policy
from apps.core.kindconfig import MASK, ConfigError, decode, merge
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.postgres import PostgresConfig
from apps.probes.runner import run_once
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer, free_port


def postgres(**more: Any) -> dict[str, Any]:
    """The config of the server the suite runs on."""
    parts = urlsplit(settings.DATABASE_URL)
    config = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "database": "postgres",
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        **more,
    }
    decode(PostgresConfig, config)
    return config


def looked(config: dict[str, Any], timeout_seconds: float = 3.0) -> Outcome:
    return run_once("postgres", config, timeout_seconds, probe_policy())


def test_a_running_server_answers() -> None:
    outcome = looked(postgres())
    assert outcome.state is OutcomeState.OK, outcome
    assert {"dns_ms", "connect_ms", "query_ms"} <= set(outcome.measurements)


@pytest.mark.parametrize(
    ("query", "expect", "state", "reason"),
    [
        ("SELECT 40 + 2", "42", OutcomeState.OK, Reason.OK),
        ("SELECT 40 + 2", "43", OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER),
        ("SELECT 'a' WHERE false", "a", OutcomeState.FAILED, Reason.UNEXPECTED_ANSWER),
        ("SELECT '100%'", "100%", OutcomeState.OK, Reason.OK),
        ("SHOW standard_conforming_strings;", "on", OutcomeState.OK, Reason.OK),
        ("SELECT nothing FROM nowhere", "", OutcomeState.FAILED, Reason.QUERY_FAILED),
        ("CREATE TABLE probes_must_not_write (a int)", "", OutcomeState.FAILED, Reason.QUERY_FAILED),
    ],
)
def test_a_query_reads_and_its_first_value_is_judged(
    query: str, expect: str, state: OutcomeState, reason: Reason
) -> None:
    outcome = looked(postgres(query=query, expect=expect))
    assert (outcome.state, outcome.reason) == (state, reason)


@pytest.mark.parametrize(
    "query",
    [
        "ROLLBACK; SELECT 1",
        "SELECT 1; SELECT 2",
        "SHOW port; SELECT 2",
        "ROLLBACK",
        "COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'",
        "/* /* */ SELECT */ DO $$ BEGIN END $$",
    ],
)
def test_only_one_query_is_run_and_nothing_that_is_no_query(query: str) -> None:
    outcome = looked(postgres(query=query))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.QUERY_FAILED)
    assert outcome.evidence["sqlstate"] == "42601"


def test_a_query_of_many_rows_costs_the_memory_of_one() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = looked(postgres(query="SELECT repeat('x', 1000) FROM generate_series(1, 300000)"))
    assert outcome.state is OutcomeState.OK
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    "change", [{"user": "U"}, {"database": "other"}, {"query": "SELECT passwd FROM pg_shadow -- a://b"}]
)
def test_a_stored_password_serves_only_what_it_was_entered_for(change: dict[str, str]) -> None:
    stored = {"host": "db.test", "user": "u", "password": "p", "query": "SELECT 1 -- a://b"}
    with pytest.raises(ConfigError) as caught:
        merge(PostgresConfig, stored, {**stored, "password": MASK, **change})
    assert list(caught.value.errors) == ["password"]
    assert merge(PostgresConfig, stored, {**stored, "password": MASK, "expect": "1"})["password"] == "p"


def test_a_query_that_takes_too_long_is_a_timeout() -> None:
    outcome = looked(postgres(query="SELECT pg_sleep(30)"), 0.7)
    assert outcome.reason is Reason.TIMEOUT
    assert outcome.duration_ms < 2_000


@pytest.mark.parametrize("wrong", [{"password": "not-the-password"}, {"user": "nobody_here"}])
def test_a_sign_in_that_fails_is_told_without_the_password(wrong: dict[str, str]) -> None:
    outcome = looked(postgres(**wrong))
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.AUTHENTICATION_FAILED)
    assert "not-the-password" not in str(outcome.evidence)


def test_a_database_that_does_not_exist_is_named() -> None:
    outcome = looked(postgres(database="no_such_database"))
    assert outcome.reason is Reason.QUERY_FAILED
    assert "no_such_database" in outcome.evidence["detail"]


def other(port: int, timeout_seconds: float = 2.0) -> Reason:
    config = {"host": "127.0.0.1", "port": port, "user": "u", "password": "p", "ssl_mode": "disable"}
    return looked(config, timeout_seconds).reason


def test_what_is_no_postgresql_has_its_reason() -> None:
    assert other(free_port()) is Reason.CONNECT_REFUSED
    with SpeakingServer(b"HTTP/1.1 400 Bad Request\r\n\r\n") as web, SpeakingServer() as silent:
        assert other(web.port) is Reason.PROTOCOL_ERROR
        assert other(silent.port, 0.4) is Reason.CONNECT_TIMEOUT
    with HttpServer() as closing:
        closing.behave("/", http.empty)
        closing.refuse()
        assert other(closing.port) is Reason.CONNECT_REFUSED


def test_the_policy_holds_for_databases_too() -> None:
    outcome = run_once("postgres", {"host": "localhost", "user": "u"}, 1.0, channel_policy())
    assert outcome.reason is Reason.ADDRESS_DENIED


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({}, "user"),
        ({"user": "u", "host": "a b"}, "host"),
        ({"user": "u", "query": "  "}, "query"),
        ({"user": "u", "password": "a\0b"}, "password"),
        ({"user": "u", "ssl_mode": "maybe"}, "ssl_mode"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_field(config: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(PostgresConfig, config)
    assert list(caught.value.errors) == [path]
