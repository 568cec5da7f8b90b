"""Pings over ASGI: every family's answers, whose pings they are, and what is kept of them. Real PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from apps.catalog.models import Environment
from apps.checks.heartbeats.edge import PingEdge, client_address, read_body, statistics
from apps.checks.heartbeats.services import close_ping_key, open_ping_key
from apps.checks.models import Check, Heartbeat
from apps.checks.services import delete_check, update_check
from tests.checks.heartbeats.pinging import Asked, Watcher, ask, with_edge
from tests.checks.heartbeats.telling import heartbeat_of, make_heartbeat
from tests.factories import make_environment, make_service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heartbeat(watcher: Watcher) -> Heartbeat:
    return heartbeat_of(make_heartbeat(slug="backup"))


@pytest.fixture
def key(heartbeat: Heartbeat) -> str:
    return open_ping_key(actor=None, environment=heartbeat.source_check.target.environment)[1]


def test_a_ping_is_answered_as_healthchecks_does_and_stored(heartbeat: Heartbeat, watcher: Watcher) -> None:
    asked = ask(f"/ping/{heartbeat.ping_id}", headers={"user-agent": b"curl/8"})
    assert (asked.status, asked.body) == (200, b"OK")
    assert asked.answer[b"content-type"].startswith(b"text/plain")
    assert asked.answer[b"ping-body-limit"] == b"100000"
    assert asked.answer[b"access-control-allow-origin"] == b"*"
    assert asked.answer[b"cache-control"] == b"no-store"
    assert watcher.rows() == [(heartbeat.pk, "success", "GET", "healthchecks", "192.0.2.7", "curl/8", b"", 0)]


def test_the_row_is_safe_before_the_answer_begins(heartbeat: Heartbeat, watcher: Watcher) -> None:
    seen: list[int] = []
    ask(f"/ping/{heartbeat.ping_id}", when_answered=lambda: seen.append(watcher.count()))
    assert seen == [1]


def test_a_head_is_a_ping_without_a_body_in_its_answer(heartbeat: Heartbeat, watcher: Watcher) -> None:
    asked = ask(f"/ping/{heartbeat.ping_id}", method="HEAD")
    assert (asked.status, asked.body, asked.answer[b"content-length"]) == (200, b"", b"2")
    assert watcher.rows()[0][2] == "HEAD"


def test_a_preflight_stores_nothing(heartbeat: Heartbeat, watcher: Watcher) -> None:
    assert ask(f"/ping/{heartbeat.ping_id}", method="OPTIONS").status == 204
    assert watcher.count() == 0


def test_exit_status_run_id_and_time_are_kept(heartbeat: Heartbeat, watcher: Watcher) -> None:
    run = uuid4()
    assert ask(f"/ping/{heartbeat.ping_id}/3", f"rid={run}").status == 200
    assert ask(f"/api/push/{heartbeat.push_token}", "status=down&ping=12.5").status == 200
    kept = watcher.connection.execute(
        "SELECT exit_status, run_id, said_ms, at BETWEEN now() - interval '1 minute' AND clock_timestamp()"
        " FROM checks_pinginbox ORDER BY id"
    ).fetchall()
    assert kept == [(3, run, None, True), (None, None, 12.5, True)]


def test_an_uptime_kuma_push_is_answered_as_uptime_kuma_does(heartbeat: Heartbeat, watcher: Watcher) -> None:
    asked = ask(f"/api/push/{heartbeat.push_token}", "status=down&msg=disk+full")
    assert (asked.status, asked.body) == (200, b'{"ok":true}')
    assert asked.answer[b"content-type"].startswith(b"application/json")
    assert watcher.rows()[0][1] == "fail"
    assert watcher.rows()[0][6:] == (b"disk full", 9)
    unknown = ask("/api/push/" + "0" * 32)
    assert (unknown.status, unknown.body) == (404, b'{"ok":false,"msg":"Monitor not found or not active."}')


def test_a_gatus_result_is_answered_as_gatus_does(heartbeat: Heartbeat, watcher: Watcher) -> None:
    bearer = {"authorization": f"Bearer {heartbeat.push_token}".encode()}
    path = "/api/v1/endpoints/any_name/external"
    asked = ask(path, "success=false&error=down&duration=10s", method="POST", headers=bearer)
    assert (asked.status, asked.body) == (200, b"")
    assert watcher.rows()[0][6:] == (b"down", 4)
    other = ask(path, "success=true", method="POST", headers={"authorization": b"Bearer " + b"0" * 32})
    assert (other.status, other.body) == (401, b"invalid token")
    assert watcher.count() == 1


def test_a_posted_body_is_cut_to_the_limit_and_its_size_is_told(heartbeat: Heartbeat, watcher: Watcher) -> None:
    chunks = [b"\xff\0log " + b"a" * 60_000, b"b" * 60_000, b"c" * 60_000]
    assert ask(f"/ping/{heartbeat.ping_id}/fail", method="POST", chunks=chunks).status == 200
    (row,) = watcher.rows()
    assert bytes(row[6]) == b"".join(chunks)[:100_000]
    assert row[7] == 180_006


def test_a_body_without_end_is_refused(heartbeat: Heartbeat, watcher: Watcher) -> None:
    asked = ask(f"/ping/{heartbeat.ping_id}", method="POST", chunks=[b"x" * 1_000_000] * 7)
    assert asked.status == 413
    assert watcher.count() == 0


def test_a_client_that_leaves_in_the_middle_of_its_body_said_nothing(heartbeat: Heartbeat, watcher: Watcher) -> None:
    asked = ask(f"/ping/{heartbeat.ping_id}", method="POST", chunks=[b"half"], whole=False)
    assert asked.sent == []
    assert watcher.count() == 0


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent = [{"type": "http.request", "body": b"a", "more_body": True}]

    async def receive() -> Any:
        return sent.pop() if sent else await asyncio.Event().wait()

    with pytest.raises(Exception) as refused:
        await read_body(receive, seconds=0.05)
    assert refused.value.outcome == "too_slow"  # type: ignore[attr-defined]


def test_nul_and_broken_utf8_are_stored_as_far_as_they_can_be(heartbeat: Heartbeat, watcher: Watcher) -> None:
    odd = {"user-agent": b"a\0b\xff"}
    assert ask(f"/api/push/{heartbeat.push_token}", "msg=x%00%ff", headers=odd).status == 200
    (row,) = watcher.rows()
    assert (row[5], bytes(row[6])) == ("a\ufffdb\ufffd", "x\0\ufffd".encode())


def test_an_id_nobody_has_is_not_found(watcher: Watcher) -> None:
    asked = ask(f"/ping/{uuid4()}")
    assert (asked.status, asked.body) == (404, b"not found")


def test_a_short_name_is_opened_by_a_key_of_its_environment(key: str, heartbeat: Heartbeat, watcher: Watcher) -> None:
    assert ask(f"/ping/{key}/backup/start").status == 200
    assert watcher.rows()[0][:2] == (heartbeat.pk, "start")
    assert ask(f"/ping/{key}/another").status == 404
    elsewhere = open_ping_key(actor=None, environment=make_environment("dev"))[1]
    assert ask(f"/ping/{elsewhere}/backup").status == 404
    assert ask(f"/ping/{key[::-1]}/backup").status == 404
    assert watcher.count() == 1


def test_a_closed_key_opens_and_creates_nothing(heartbeat: Heartbeat, watcher: Watcher) -> None:
    closed, secret = open_ping_key(actor=None, environment=heartbeat.source_check.target.environment)
    close_ping_key(actor=None, key=closed)
    assert ask(f"/ping/{secret}/backup").status == 404
    assert ask(f"/ping/{secret}/new", "create=1").status == 404
    assert not Heartbeat.objects.filter(slug="new").exists()
    assert watcher.count() == 0


def test_two_of_one_short_name_are_ambiguous(key: str, watcher: Watcher) -> None:
    second = make_heartbeat(slug="backup")
    asked = ask(f"/ping/{key}/backup")
    assert (asked.status, asked.body) == (409, b"ambiguous slug")
    delete_check(actor=None, check=second)
    assert ask(f"/ping/{key}/backup").status == 200


def test_a_short_name_nobody_has_is_created_when_that_is_asked_for(key: str, watcher: Watcher) -> None:
    asked = ask(f"/ping/{key}/new-job", "create=1")
    assert (asked.status, asked.body) == (201, b"Created")
    assert [row[0] for row in watcher.rows()] == [Heartbeat.objects.get(slug="new-job").pk]
    assert ask(f"/ping/{key}/new-job", "create=1").status == 200


def test_two_first_pings_at_once_make_one_check(key: str, watcher: Watcher) -> None:
    async def story(edge: PingEdge) -> list[Asked]:
        return await asyncio.gather(*(Asked(f"/ping/{key}/new-job", "create=1").through(edge) for _ in range(4)))

    assert {asked.status for asked in with_edge(story)} == {201}
    assert Heartbeat.objects.filter(slug="new-job").count() == 1
    assert watcher.count() == 4


def _deleted(check: Check) -> None:
    delete_check(actor=None, check=check)


def _of_a_deleted_target(check: Check) -> None:
    from apps.catalog.services import delete_target  # noqa: PLC0415 - one story needs it

    delete_target(actor=None, target=check.target)


@pytest.mark.parametrize("gone", [_deleted, _of_a_deleted_target])
def test_a_removed_check_is_not_found_by_any_of_its_addresses(gone: Any, watcher: Watcher) -> None:
    check = make_heartbeat(make_service("Gone").target, slug="gone")
    heartbeat = heartbeat_of(check)
    key = open_ping_key(actor=None, environment=check.target.environment)[1]
    gone(check)
    statuses = [
        ask(f"/ping/{heartbeat.ping_id}").status,
        ask(f"/ping/{key}/gone").status,
        ask(f"/api/push/{heartbeat.push_token}").status,
    ]
    assert statuses == [404, 404, 404]
    assert watcher.count() == 0


def test_a_paused_check_still_takes_pings(heartbeat: Heartbeat, watcher: Watcher) -> None:
    update_check(actor=None, check=heartbeat.source_check, enabled=False)
    assert ask(f"/ping/{heartbeat.ping_id}").status == 200
    assert watcher.count() == 1


def test_bad_requests_reach_no_database(watcher: Watcher) -> None:
    with watcher.inbox_locked():
        assert ask(f"/ping/{uuid4()}/256").status == 400
        assert ask(f"/ping/{uuid4()}", "rid=x").status == 400


async def test_other_requests_and_sockets_pass_untouched() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    edge = PingEdge(application)
    for scope in ({"type": "http", "path": "/api/v1/targets/"}, {"type": "websocket", "path": "/ping/x"}):
        await edge(scope, len, print)  # type: ignore[arg-type]
        assert seen.pop() == (scope, len, print)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", b"203.0.113.9", "192.0.2.7"),
        ("127.0.0.1", b"203.0.113.9", "203.0.113.9"),
        ("::1", b"198.51.100.1, 2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", b"forged, not an address", "127.0.0.1"),
        ("127.0.0.1", b"", "127.0.0.1"),
    ],
)
def test_only_a_proxy_on_this_machine_is_believed(peer: str, forwarded: bytes | None, expected: str) -> None:
    headers = {} if forwarded is None else {b"x-forwarded-for": forwarded}
    assert client_address({"client": [peer, 1]}, headers) == expected


def test_a_mistake_is_a_500_and_tells_the_log_no_key(heartbeat: Heartbeat, watcher: Watcher) -> None:
    no_bytes: Any = [None]
    with capture_logs() as logs:
        asked = ask(f"/ping/{heartbeat.ping_id}", method="POST", chunks=no_bytes)
    assert asked.status == 500
    assert logs[0]["error"] == "TypeError"
    assert str(heartbeat.ping_id) not in str(logs)
    assert watcher.count() == 0


def test_what_was_answered_is_counted(heartbeat: Heartbeat) -> None:
    before = statistics()
    ask(f"/ping/{heartbeat.ping_id}")
    ask(f"/ping/{uuid4()}")
    ask(f"/ping/{heartbeat.ping_id}/256")
    after = statistics()
    assert after["received"] - before["received"] == 3
    assert after["stored"] - before["stored"] == 1
    assert after["groups"] - before["groups"] == 2
    for status in (400, 404):
        assert after["refused"][status] - before["refused"].get(status, 0) == 1


def test_environments_of_keys_are_not_mixed(key: str, watcher: Watcher) -> None:
    development = make_environment("dev")
    check = make_heartbeat(make_service("Dev backup", environment=development).target, slug="backup")
    theirs = open_ping_key(actor=None, environment=Environment.objects.get(pk=development.pk))[1]
    assert ask(f"/ping/{theirs}/backup").status == 200
    assert ask(f"/ping/{key}/backup").status == 200
    assert watcher.rows()[0][0] == check.pk
    assert watcher.rows()[1][0] != check.pk
