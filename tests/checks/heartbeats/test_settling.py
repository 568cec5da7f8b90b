"""Settling on a real database: from the inbox to statuses, and what silence leads to."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from apps.checks.heartbeats.hearing import NEVER
from apps.checks.heartbeats.settling import judge_overdue, settle_pings, settle_waiting
from apps.checks.models import CheckEvidence, CheckResult, Clock, Incident, Ping, PingInbox, StateChange
from apps.checks.services import delete_check, update_check
from apps.checks.tasks import tick
from apps.core.clock import database_moment
from tests.checks.heartbeats.telling import (
    hear,
    heartbeat_of,
    let_pass,
    make_heartbeat,
    pings_of,
    row_of,
    runs_of,
    status_of,
    tell,
    wait_out,
)

pytestmark = pytest.mark.django_db


def test_before_the_first_ping_it_is_unknown_and_has_no_deadline() -> None:
    check = make_heartbeat()
    assert row_of(check).next_due_at == NEVER
    assert wait_out(10**6) == 0
    assert status_of(check) == ("unknown", "not_measured")


def test_a_success_makes_it_operational_and_leaves_one_row_each() -> None:
    check = make_heartbeat()
    tell(check, body=b"done", user_agent="curl/8", exit_status=0)
    assert settle_pings() == 1
    assert status_of(check) == ("operational", "ok")
    [ping] = pings_of(check)
    assert (bytes(ping.body), ping.body_bytes, ping.user_agent, ping.exit_status) == (b"done", 4, "curl/8", 0)
    result = CheckResult.objects.get(check_id=check.pk)
    assert (result.at, result.state, result.reason) == (ping.at, "ok", "ok")
    assert not CheckEvidence.objects.filter(check_id=check.pk).exists()
    assert not PingInbox.objects.exists()
    heartbeat = heartbeat_of(check)
    assert (heartbeat.last_ping_at, heartbeat.last_ping_kind) == (ping.at, "success")
    assert heartbeat.expected_at == ping.at + timedelta(hours=1)
    assert row_of(check).next_due_at == ping.at + timedelta(minutes=70)


def test_one_failure_is_an_outage_with_what_the_program_wrote_and_a_success_ends_it() -> None:
    check = make_heartbeat()
    hear(check, "success")
    hear(check, "fail", exit_status=3, body=b"x" * 50_000 + b"disk full")
    assert status_of(check) == ("outage", "heartbeat_failed")
    change = StateChange.objects.filter(target=check.target_id).latest("at")
    assert change.evidence["exit_status"] == 3
    assert change.evidence["body"].endswith("disk full")
    assert Incident.objects.filter(target=check.target_id, resolved_at__isnull=True).count() == 1
    assert len(pings_of(check)[1].body) == 50_009
    hear(check, "success")
    assert status_of(check) == ("operational", "ok")
    assert not Incident.objects.filter(target=check.target_id, resolved_at__isnull=True).exists()


def test_a_larger_threshold_waits_for_more_failures() -> None:
    check = make_heartbeat(failure_threshold=2)
    hear(check, "success", "fail")
    assert status_of(check)[0] == "operational"
    hear(check, "fail")
    assert status_of(check)[0] == "outage"


def test_pings_of_one_batch_count_in_their_order() -> None:
    check = make_heartbeat()
    start = database_moment()
    for offset, kind in enumerate(["start", "fail", "start", "log", "success"]):
        tell(check, kind, at=start + timedelta(seconds=offset))
    settle_pings()
    assert status_of(check)[0] == "operational"
    assert [result.state for result in CheckResult.objects.filter(check_id=check.pk).order_by("at")] == ["failed", "ok"]
    assert [ping.run_ms for ping in pings_of(check)] == [None, 1_000, None, None, 2_000]
    assert runs_of(check) == []


def test_a_run_spans_batches_and_its_time_is_the_duration() -> None:
    check, run = make_heartbeat(), uuid4()
    now = database_moment()
    hear(check, "start", at=now, run_id=run)
    assert [open_run.run_id for open_run in runs_of(check)] == [run]
    assert row_of(check).next_due_at == now + timedelta(minutes=10)
    hear(check, "success", at=now + timedelta(seconds=90), run_id=run, said_ms=1)
    assert CheckResult.objects.get(check_id=check.pk).duration_ms == 90_000
    assert pings_of(check)[-1].run_ms == 90_000
    assert runs_of(check) == []


def test_a_log_decides_nothing_and_is_kept() -> None:
    check = make_heartbeat()
    hear(check, "log", body=b"half way")
    assert status_of(check) == ("unknown", "not_measured")
    assert heartbeat_of(check).last_ping_at is None
    assert len(pings_of(check)) == 1


def test_no_ping_by_the_deadline_is_an_outage_that_is_noted_once_a_period() -> None:
    check = make_heartbeat()
    hear(check, "success")
    assert wait_out(4_100) == 0
    assert status_of(check)[0] == "operational"
    assert wait_out(110) == 1
    assert status_of(check) == ("outage", "heartbeat_missed")
    assert "last_ping" in StateChange.objects.filter(target=check.target_id).latest("at").evidence
    assert judge_overdue() == 0
    assert wait_out(3_000) == 0
    assert wait_out(700) == 1
    assert CheckResult.objects.filter(check_id=check.pk, reason="heartbeat_missed").count() == 2
    hear(check, "success")
    assert status_of(check) == ("operational", "ok")


def test_a_run_that_never_ends_is_found_once() -> None:
    check = make_heartbeat()
    hear(check, "success", "start")
    assert wait_out(610) == 1
    assert status_of(check) == ("outage", "heartbeat_unfinished")
    [run] = runs_of(check)
    assert run.unfinished_at is not None
    assert wait_out(1_000) == 0
    hear(check, "success")
    assert status_of(check)[0] == "operational"
    assert pings_of(check)[-1].run_ms is not None
    assert runs_of(check) == []


def test_a_ping_in_the_inbox_is_never_called_missing() -> None:
    check = make_heartbeat()
    hear(check, "success")
    let_pass(4_300)
    tell(check)
    assert judge_overdue() == 0
    settle_pings()
    assert status_of(check)[0] == "operational"


def test_after_our_own_absence_the_client_has_its_grace_again() -> None:
    check = make_heartbeat()
    hear(check, "success")
    let_pass(20_000)
    now = database_moment()
    Clock.objects.update(steady_since=now)
    assert judge_overdue() == 1
    assert status_of(check)[0] == "operational"
    assert row_of(check).next_due_at == now + timedelta(seconds=600)
    assert judge_overdue() == 0
    Clock.objects.update(steady_since=now - timedelta(seconds=700))
    assert wait_out(700) == 1
    assert status_of(check) == ("outage", "heartbeat_missed")


def test_pings_of_a_paused_a_deleted_and_a_purged_check_are_only_history() -> None:
    paused, deleted = make_heartbeat(), make_heartbeat()
    hear(paused, "success")
    update_check(actor=None, check=paused, enabled=False)
    delete_check(actor=None, check=deleted)
    gone = uuid4()
    for check in (paused, deleted):
        tell(check, "fail")
    tell(gone, "fail")
    assert settle_pings() == 3
    assert status_of(paused) == ("unknown", "not_measured")
    assert heartbeat_of(paused).last_ping_kind == "success"
    assert len(pings_of(paused)) == 2
    assert len(pings_of(deleted)) == 1
    assert Ping.objects.filter(check_id=gone).count() == 1
    assert not CheckResult.objects.filter(check_id=deleted.pk).exists()


def test_a_paused_heartbeat_is_not_overdue_and_switched_on_again_it_is_expected_from_then() -> None:
    check = make_heartbeat()
    hear(check, "success", "start")
    update_check(actor=None, check=check, enabled=False)
    assert runs_of(check) == []
    assert wait_out(10**6) == 0
    update_check(actor=None, check=check, enabled=True)
    assert status_of(check) == ("unknown", "not_measured")
    expected_at = heartbeat_of(check).expected_at
    assert expected_at is not None
    assert abs(expected_at - database_moment() - timedelta(hours=1)) < timedelta(minutes=1)
    assert row_of(check).next_due_at == expected_at + timedelta(minutes=10)
    assert wait_out(4_300) == 1
    assert status_of(check) == ("outage", "heartbeat_missed")


def test_another_schedule_counts_from_the_last_ping_and_another_name_changes_nothing() -> None:
    check = make_heartbeat()
    hear(check, "success")
    [ping] = pings_of(check)
    update_check(actor=None, check=check, name="Nightly")
    assert row_of(check).next_due_at == ping.at + timedelta(minutes=70)
    update_check(actor=None, check=check, config={"period_seconds": 60, "grace_seconds": 5})
    assert heartbeat_of(check).expected_at == ping.at + timedelta(seconds=60)
    assert row_of(check).next_due_at == ping.at + timedelta(seconds=65)


def test_a_config_of_another_version_is_left_alone_and_holds_nobody_up() -> None:
    strange, plain = make_heartbeat(), make_heartbeat()
    type(strange).objects.filter(pk=strange.pk).update(config={"period": "P1D"})
    tell(strange)
    tell(plain)
    assert settle_pings() == 2
    assert status_of(strange)[0] == "unknown"
    assert status_of(plain)[0] == "operational"


def test_a_time_zone_that_is_gone_keeps_nobody_else_from_being_missed() -> None:
    strange, plain = (make_heartbeat(config={"cron": "0 2 * * *", "timezone": "Asia/Seoul"}) for _ in range(2))
    hear(strange, "success")
    hear(plain, "success")
    type(strange).objects.filter(pk=strange.pk).update(config={"cron": "0 2 * * *", "timezone": "Atlantis/Port"})
    assert wait_out(3 * 86_400) == 2
    assert status_of(plain) == ("outage", "heartbeat_missed")
    assert judge_overdue() == 0, "the strange one is asked about again, but not at once"


def test_the_tick_settles_what_was_told_and_finds_what_fell_silent() -> None:
    told, silent = make_heartbeat(), make_heartbeat()
    tell(told)
    hear(silent, "success")
    let_pass(5_000)
    Clock.objects.update(ticked_at=database_moment())
    tell(told)
    tick()
    assert status_of(told) == ("operational", "ok")
    assert status_of(silent) == ("outage", "heartbeat_missed")


def statements(checks: int, pings: int) -> int:
    """How many statements settling sends to the server, read off the wire."""
    made = [make_heartbeat() for _ in range(checks)]
    hear(made[0], "success")
    for check in made:
        for number in range(pings):
            tell(check, ["start", "fail", "success"][number % 3], run_id=UUID(int=number // 3))
    wire: Any = connection.connection.pgconn
    with tempfile.TemporaryFile() as trace:
        wire.trace(trace.fileno())
        settle_waiting()
        wire.untrace()
        trace.seek(0)
        sent = [line.split(b"\t") for line in trace.read().splitlines()]
    return sum(line[1] == b"F" and line[3].split()[0] in (b"Query", b"Execute") for line in sent if len(line) > 3)


def test_the_number_of_statements_does_not_depend_on_the_number_of_pings() -> None:
    few = statements(2, 4)
    assert few == statements(30, 10)
    assert 8 < few < 30
