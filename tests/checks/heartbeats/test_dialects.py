"""What each client family sends, and what is made of it: one table a family."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from apps.checks.heartbeats.answers import Answer, Outcome
from apps.checks.heartbeats.dialects import Arrival, PingRequest, dialect_of, parse
from apps.checks.heartbeats.go_duration import milliseconds

ID = "6f0d1f6e-1b5f-4b0a-9d3b-6a0e4a1f5b11"
RUN = "11111111-2222-3333-4444-555555555555"
TOKEN = "0123456789abcdef0123456789abcdef"


def said(path: str, query: bytes = b"", method: str = "GET", **headers: bytes) -> PingRequest | Answer:
    dialect = dialect_of(path)
    assert dialect is not None, path
    sent = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return parse(dialect, Arrival(method, path, query, sent))


def ping(path: str, query: bytes = b"", method: str = "GET", **headers: bytes) -> PingRequest:
    request = said(path, query, method, **headers)
    assert isinstance(request, PingRequest), request
    return request


def refusal(path: str, query: bytes = b"", method: str = "GET", **headers: bytes) -> tuple[int, bytes]:
    answer = said(path, query, method, **headers)
    assert isinstance(answer, Answer), answer
    return answer.status, answer.body


@pytest.mark.parametrize(
    ("ending", "kind", "exit_status"),
    [
        ("", "success", None),
        ("/", "success", None),
        ("/start", "start", None),
        ("/start/", "start", None),
        ("/fail", "fail", None),
        ("/log", "log", None),
        ("/0", "success", 0),
        ("/1", "fail", 1),
        ("/255", "fail", 255),
        ("/007", "fail", 7),
    ],
)
@pytest.mark.parametrize("address", [f"/ping/{ID}", f"/ping/{ID.upper()}", "/ping/a-key_1/backup-db"])
def test_what_follows_the_address_says_what_happened(
    address: str, ending: str, kind: str, exit_status: int | None
) -> None:
    request = ping(address + ending)
    assert (request.dialect, request.kind, request.exit_status) == ("healthchecks", kind, exit_status)
    expected = (None, "a-key_1", "backup-db") if "key" in address else (UUID(ID), None, None)
    assert (request.ping_id, request.ping_key, request.slug) == expected


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        (f"/ping/{ID}/256", b"", 400, b"invalid url format"),
        (f"/ping/{ID}/99999999999999999999", b"", 400, b"invalid url format"),
        ("/ping/key/backup/256", b"", 400, b"invalid url format"),
        ("/ping/key/Backup", b"", 400, b"invalid url format"),
        (f"/ping/{ID}", b"rid=1234", 400, b"invalid uuid format"),
        (f"/ping/{ID}", b"rid=", 400, b"invalid uuid format"),
        (f"/ping/{ID}", b"rid=" + RUN.replace("-", "").encode(), 400, b"invalid uuid format"),
        ("/ping/key/backup", b"rid=%00", 400, b"invalid uuid format"),
        ("/ping/", b"", 404, b"not found"),
        ("/ping/not-a-uuid", b"", 404, b"not found"),
        ("/ping/key/backup/success", b"", 404, b"not found"),
        ("/ping/key/backup/start/1", b"", 404, b"not found"),
        (f"/ping/{ID}/start/1", b"", 404, b"not found"),
        ("/ping/key/back up", b"", 404, b"not found"),
        ("/ping/key/back\0up", b"", 404, b"not found"),
        ("/ping/key/" + "x" * 101, b"", 404, b"not found"),
        ("/ping/key//start", b"", 404, b"not found"),
    ],
)
def test_a_healthchecks_address_that_is_wrong_is_told_so(path: str, query: bytes, status: int, words: bytes) -> None:
    assert refusal(path, query) == (status, words)


def test_a_run_id_and_the_wish_to_create_are_read_from_the_query() -> None:
    request = ping("/ping/key/backup/start", f"create=1&rid={RUN.upper()}".encode())
    assert (request.run_id, request.create, request.kind) == (UUID(RUN), True, "start")


@pytest.mark.parametrize("query", [b"", b"create=0", b"create=true", b"create="])
def test_only_create_1_creates(query: bytes) -> None:
    assert ping("/ping/key/backup", query).create is False


def test_a_uuid_address_creates_nothing() -> None:
    assert ping(f"/ping/{ID}", b"create=1").create is False


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "PUT"])
def test_every_method_of_the_clients_pings(method: str) -> None:
    assert ping(f"/ping/{ID}", method=method).method == method


def test_other_methods_are_refused() -> None:
    assert refusal(f"/ping/{ID}", method="PROPFIND")[0] == 405


@pytest.mark.parametrize("path", [f"/ping/{ID}", f"/api/push/{TOKEN}", "/api/v1/endpoints/core_backup/external"])
def test_a_preflight_is_answered_and_is_no_ping(path: str) -> None:
    answer = said(path, method="OPTIONS")
    assert isinstance(answer, Answer)
    headers = dict(answer.headers)
    assert (answer.status, headers[b"access-control-allow-origin"]) == (204, b"*")
    assert b"POST" in headers[b"access-control-allow-methods"]


@pytest.mark.parametrize(
    ("query", "kind", "said_ms", "text"),
    [
        (b"", "success", None, b""),
        (b"status=up&msg=OK&ping=", "success", None, b"OK"),
        (b"status=up&msg=OK&ping=1.5", "success", 1.5, b"OK"),
        (b"status=&ping=12ms", "success", 12.0, b""),
        (b"status=down&msg=disk%20full&ping=abc", "fail", None, b"disk full"),
        (b"status=UP", "fail", None, b""),
        (b"ping=0", "success", None, b""),
        (b"ping=-5", "success", None, b""),
        (b"ping=1e99", "success", None, b""),
        (b"ping=nan", "success", None, b""),
        (b"msg=a%00b", "success", None, b"a\0b"),
        (b"msg=%ff%fe", "success", None, "\ufffd\ufffd".encode()),
        (b"msg=%ec%95%88", "success", None, "안".encode()),
        (b"msg=first&msg=last", "success", None, b"last"),
    ],
)
def test_an_uptime_kuma_push_is_read_from_its_query(
    query: bytes, kind: str, said_ms: float | None, text: bytes
) -> None:
    request = ping(f"/api/push/{TOKEN}", query)
    assert (request.dialect, request.push_token) == ("kuma", TOKEN)
    assert (request.kind, request.said_ms, request.text) == (kind, said_ms, text)


@pytest.mark.parametrize("path", ["/api/push/", "/api/push/a/b", "/api/push/a b", "/api/push/" + "x" * 101])
def test_a_push_address_that_cannot_be_anybodys_is_answered_as_uptime_kuma_does(path: str) -> None:
    assert refusal(path) == (404, b'{"ok":false,"msg":"Monitor not found or not active."}')


GATUS = "/api/v1/endpoints/core_backup/external"
BEARER = {"authorization": b"Bearer " + TOKEN.encode()}


@pytest.mark.parametrize(
    ("query", "kind", "said_ms", "text"),
    [
        (b"success=true", "success", None, b""),
        (b"success=true&duration=10s", "success", 10_000.0, b""),
        (b"success=true&error=ignored", "success", None, b""),
        (b"success=false&error=disk%20full&duration=1m2.5s", "fail", 62_500.0, b"disk full"),
        (b"success=false&duration=15%C2%B5s", "fail", 0.015, b""),
        (b"success=true&duration=-1s", "success", None, b""),
        (b"success=true&duration=", "success", None, b""),
    ],
)
def test_a_gatus_result_is_read_from_its_query(query: bytes, kind: str, said_ms: float | None, text: bytes) -> None:
    request = ping(GATUS, query, "POST", **BEARER)
    assert (request.dialect, request.push_token) == ("gatus", TOKEN)
    assert (request.kind, request.text) == (kind, text)
    assert request.said_ms == (pytest.approx(said_ms) if said_ms is not None else None)


@pytest.mark.parametrize(
    ("query", "headers", "status", "words"),
    [
        (b"", BEARER, 400, b"missing or invalid success query parameter"),
        (b"success=yes", BEARER, 400, b"missing or invalid success query parameter"),
        (b"success=True", BEARER, 400, b"missing or invalid success query parameter"),
        (b"success=true", {}, 401, b"invalid Authorization header"),
        (b"success=true", {"authorization": b"Basic abc"}, 401, b"invalid Authorization header"),
        (b"success=true", {"authorization": b"Bearer "}, 401, b"bearer token must not be empty"),
        (b"success=true", {"authorization": b"Bearer \xff\xfe"}, 401, b"invalid token"),
        (b"success=true&duration=10", BEARER, 400, b"invalid duration"),
        (b"success=true&duration=ten", BEARER, 400, b"invalid duration"),
    ],
)
def test_a_gatus_result_that_is_wrong_is_told_so(
    query: bytes, headers: dict[str, Any], status: int, words: bytes
) -> None:
    told, body = refusal(GATUS, query, "POST", **headers)
    assert (told, body.startswith(words)) == (status, True)


def test_gatus_results_are_posted() -> None:
    assert refusal(GATUS, b"success=true", "GET", **BEARER)[0] == 405


@pytest.mark.parametrize(
    "path", ["/", "/ping", "/pinged/x", "/api/v1/targets/", "/api/v1/endpoints/", "/api/v1/endpoints/x/", "/healthz"]
)
def test_other_paths_are_not_ours(path: str) -> None:
    assert dialect_of(path) is None


def test_a_query_without_end_is_refused() -> None:
    assert refusal(f"/api/push/{TOKEN}", b"msg=" + b"x" * 17_000)[0] == 414


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"curl/8.5.0", "curl/8.5.0"),
        (b"x" * 500, "x" * 200),
        ("안".encode() * 300, "안" * 200),
        (b"a\0b", "a\ufffdb"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_a_user_agent_fits_its_column(sent: bytes, kept: str) -> None:
    assert ping(f"/ping/{ID}", user_agent=sent).user_agent == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", 10_000.0),
        ("1h2m3.5s", 3_723_500.0),
        ("250ms", 250.0),
        ("1.5h", 5_400_000.0),
        (".5s", 500.0),
        ("1.s", 1_000.0),
        ("100us", 0.1),
        ("100µs", 0.1),
        ("100μs", 0.1),
        ("3ns", 3e-6),
        ("0", 0.0),
        ("+5s", 5_000.0),
        ("-5s", -5_000.0),
        ("", None),
        ("5", None),
        ("s", None),
        (".s", None),
        ("5 s", None),
        ("5d", None),
        ("1e3s", None),
        ("5s\n", None),
        ("٣s", None),
        ("9999999h", None),
        ("1s" * 100, None),
    ],
)
def test_durations_are_read_as_go_reads_them(text: str, expected: float | None) -> None:
    found = milliseconds(text)
    assert found == (pytest.approx(expected) if expected is not None else None)


@pytest.mark.parametrize("path", [f"/ping/{ID}", f"/api/push/{TOKEN}", GATUS])
def test_every_outcome_but_those_of_short_names_has_an_answer_in_every_family(path: str) -> None:
    dialect = dialect_of(path)
    assert dialect is not None
    missing = set(Outcome) - set(dialect.answers)
    assert missing == (set() if dialect.name == "healthchecks" else {Outcome.CREATED, Outcome.AMBIGUOUS})


def test_only_a_stored_ping_is_answered_as_a_success() -> None:
    for path in (f"/ping/{ID}", f"/api/push/{TOKEN}", GATUS):
        dialect = dialect_of(path)
        assert dialect is not None
        safe = {outcome for outcome, answer in dialect.answers.items() if answer.status < 300}
        assert safe == {Outcome.STORED, Outcome.CREATED} & set(dialect.answers)
