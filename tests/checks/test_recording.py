"""Outcomes in, statuses, changes, incidents and results out: on a real database, in one transaction."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import TargetStatus
from apps.checks import schedule
from apps.checks.models import CheckEvidence, CheckRegion, CheckResult, Incident, IncidentEvent, StateChange
from apps.checks.services import delete_check, request_run, update_check
from tests.checks.looking import (
    DEGRADED,
    FAILED,
    INDETERMINATE,
    OK,
    add_check,
    claim,
    finished,
    local,
    look,
    make_check,
    record,
)

pytestmark = pytest.mark.django_db


def status_of(check: Any) -> str:
    return TargetStatus.objects.get(target_id=check.target_id).status


def test_a_target_nobody_measured_is_unknown() -> None:
    row = TargetStatus.objects.get(target_id=make_check().target_id)
    assert (row.status, row.reason, row.last_result_at) == ("unknown", "not_measured", None)


def test_the_first_good_look_makes_it_operational_and_leaves_a_change() -> None:
    check = make_check()
    look(check, OK)
    change = StateChange.objects.get()
    assert (change.from_status, change.to_status, change.reason) == ("unknown", "operational", "ok")
    assert status_of(check) == "operational"
    assert not Incident.objects.exists()


def test_an_outage_opens_one_incident_with_evidence_and_recovery_closes_it() -> None:
    check = make_check()
    look(check, OK, FAILED)
    assert status_of(check) == "operational"
    look(check, FAILED, FAILED, FAILED)
    incident = Incident.objects.get()
    assert (incident.severity, incident.reason, incident.evidence) == (
        "outage",
        "status_mismatch",
        {"expected": 200, "actual": 503},
    )
    look(check, OK)
    incident.refresh_from_db()
    assert incident.resolution == "recovered"
    recovery = StateChange.objects.order_by("id").last()
    assert recovery is not None
    assert recovery.source_check == check, "a recovery names the check whose failure is over"
    events = list(IncidentEvent.objects.order_by("sequence").values_list("kind", "sequence", "routed_at"))
    assert events == [("opened", 1, None), ("resolved", 2, None)]
    assert set(StateChange.objects.filter(incident=incident).values_list("to_status", flat=True)) == {
        "outage",
        "operational",
    }


def test_degraded_that_becomes_an_outage_updates_the_same_incident() -> None:
    check = make_check()
    look(check, OK, DEGRADED, DEGRADED)
    assert Incident.objects.get().severity == "degraded"
    look(check, FAILED, FAILED)
    incident = Incident.objects.get()
    assert incident.severity == "outage"
    assert list(incident.events.values_list("kind", flat=True)) == ["opened", "updated"]


def test_the_next_incident_links_the_one_before() -> None:
    check = make_check()
    look(check, OK, FAILED, FAILED, OK, FAILED, FAILED)
    first, second = Incident.objects.order_by("opened_at")
    assert second.previous == first


def test_success_keeps_one_narrow_row_and_failure_keeps_evidence() -> None:
    check = make_check()
    look(check, OK, FAILED)
    assert CheckResult.objects.filter(check_id=check.pk).count() == 2
    assert CheckEvidence.objects.get(check_id=check.pk).evidence == {"expected": 200, "actual": 503}


def test_a_result_of_an_old_generation_is_dropped_whole() -> None:
    check = make_check()
    old = claim(check)
    new = claim(check)
    assert record(finished(check, FAILED, old)).dropped == 1
    assert not CheckResult.objects.exists()
    assert record(finished(check, OK, new)).kept == 1


def test_a_result_delivered_twice_counts_once() -> None:
    check = make_check(failure_threshold=2)
    look(check, OK)
    generation = claim(check)
    twice = finished(check, FAILED, generation)
    record(twice, twice)
    record(twice)
    assert CheckRegion.objects.get(source_check=check).failures == 1
    assert CheckResult.objects.filter(check_id=check.pk).count() == 2


def test_a_result_of_a_check_that_is_gone_is_dropped() -> None:
    check = make_check()
    generation = claim(check)
    item = finished(check, FAILED, generation)
    delete_check(actor=None, check=check)
    assert record(item).dropped == 1


def test_an_edit_drops_what_was_in_flight() -> None:
    check = make_check()
    item = finished(check, FAILED, claim(check))
    update_check(actor=None, check=check, interval_seconds=30)
    assert record(item).dropped == 1


def test_indeterminate_neither_counts_nor_freshens() -> None:
    check = make_check()
    look(check, OK)
    before = CheckRegion.objects.get(source_check=check)
    look(check, INDETERMINATE, INDETERMINATE, INDETERMINATE)
    after = CheckRegion.objects.get(source_check=check)
    assert (after.verdict, after.successes, after.last_result_at) == ("operational", 1, before.last_result_at)


def test_recording_clears_the_lease_and_moves_the_check_along_its_grid() -> None:
    check = make_check(interval_seconds=20)
    look(check, OK)
    row = CheckRegion.objects.get(source_check=check)
    assert row.lease_until is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM next_due_at - now()) FROM checks_checkregion WHERE id = %s", [row.pk])
        seconds = float(cursor.fetchone()[0])
    assert 0 < seconds <= 20
    on_grid = (row.next_due_at.timestamp() - row.offset_seconds) % 20
    assert min(on_grid, 20 - on_grid) < 0.01


def test_the_worst_of_several_checks_is_the_target_and_its_cause() -> None:
    good = make_check()
    bad = add_check(good.target, name="Second")
    look(good, OK)
    look(bad, FAILED, FAILED)
    row = TargetStatus.objects.get(target_id=good.target_id)
    assert (row.status, row.cause_check) == ("outage", bad.pk)
    delete_check(actor=None, check=bad)
    row.refresh_from_db()
    assert (row.status, row.cause_check) == ("operational", None)


def test_removing_the_last_check_closes_the_incident_and_says_why() -> None:
    check = make_check()
    look(check, FAILED, FAILED)
    delete_check(actor=None, check=check)
    assert Incident.objects.get().resolution == "check_removed"
    assert status_of(check) == "unknown"


def test_a_nul_in_an_answer_does_not_lose_the_row() -> None:
    check = make_check()
    record(finished(check, FAILED, claim(check), evidence={"body": "a\x00b"}))
    assert CheckEvidence.objects.get().evidence == {"body": "a\N{REPLACEMENT CHARACTER}b"}


def test_statements_do_not_grow_with_the_number_of_targets() -> None:
    def statements(number: int) -> int:
        checks = [make_check(f"Target {uuid4()}") for _ in range(number)]
        for check in checks:
            look(check, OK)
        items = [finished(check, FAILED, claim(check)) for check in checks]
        record(*items)
        items = [finished(check, FAILED, claim(check)) for check in checks]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            recorded = record(*items)
        assert recorded.changes == number
        return len(captured)

    assert statements(2) == statements(30)


def test_a_run_asked_for_twice_is_one_run_and_counts_like_any_look() -> None:
    check = make_check(failure_threshold=1)
    first = request_run(actor=None, check=check)
    assert request_run(actor=None, check=check).pk == first.pk
    generation = schedule.claim_now(check.pk, local().pk)
    assert generation is not None
    record(finished(check, FAILED, generation, run=str(first.pk)))
    first.refresh_from_db()
    assert first.finished_at is not None
    assert CheckResult.objects.get().id == first.pk
    assert status_of(check) == "outage"
    assert request_run(actor=None, check=check).pk != first.pk


def test_a_run_of_a_paused_check_is_shown_and_changes_nothing() -> None:
    check = make_check(enabled=False, failure_threshold=1)
    run = request_run(actor=None, check=check)
    assert schedule.claim_now(check.pk, local().pk) is None
    record(finished(check, FAILED, -1, run=str(run.pk)))
    assert CheckResult.objects.get().id == run.pk
    assert status_of(check) == "unknown"
    assert not StateChange.objects.exists()


def test_text_that_only_looks_like_a_nul_does_not_lose_the_batch() -> None:
    check = make_check()
    seen = {"body": '{"error": "\\u0000"}'}
    record(finished(check, FAILED, claim(check), evidence=seen))
    assert CheckEvidence.objects.get().evidence == seen


def test_the_result_of_a_run_that_is_delivered_twice_is_one_row() -> None:
    check = make_check()
    run = request_run(actor=None, check=check)
    item = finished(check, FAILED, claim(check), run=str(run.pk))
    record(item, item)
    record(item)
    assert CheckResult.objects.filter(check_id=check.pk).count() == 1
