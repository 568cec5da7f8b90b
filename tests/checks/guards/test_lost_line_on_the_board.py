"""What a lost line does to statuses: nothing, until what was known is too old to be trusted. Nobody is paged."""

from __future__ import annotations

import time

import pytest
from django.db import connection

from apps.alerts.models import Notification
from apps.catalog.models import TargetStatus
from apps.checks import schedule
from apps.checks.models import Check, CheckEvidence, CheckRegion, CheckResult, Incident
from apps.checks.reasons import sentence
from apps.checks.staleness import find_stale_targets, mark_stale
from apps.probes.base import Reason
from tests.checks.looking import FAILED, INDETERMINATE, OK, claim, finished, look, make_check, record

pytestmark = pytest.mark.django_db


def lose_the_line(check: Check, times: int = 1) -> None:
    """Looks that failed while no guard answered, recorded as workers hand them over."""
    for _ in range(times):
        evidence = {"seen": "connect_timeout", "guards": [{"id": "", "address": "gateway:53", "reason": "unreachable"}]}
        outcome = {"reason": Reason.LINE_LOST, "evidence": evidence, "started_at": time.time()}
        record(finished(check, INDETERMINATE, claim(check), **outcome))


def status(check: Check) -> str:
    return str(TargetStatus.objects.get(target_id=check.target_id).status)


def nothing_happened() -> bool:
    return not Incident.objects.exists() and not Notification.objects.exists()


def test_a_verdict_is_kept_while_the_line_is_lost_and_nobody_is_paged() -> None:
    check = make_check(failure_threshold=2)
    look(check, OK)
    lose_the_line(check, times=5)
    assert status(check) == "operational"
    assert nothing_happened()


def test_the_results_say_why_and_keep_what_was_seen() -> None:
    check = make_check()
    lose_the_line(check)
    result = CheckResult.objects.get()
    assert (result.state, result.reason) == ("indeterminate", "line_lost")
    evidence = CheckEvidence.objects.get().evidence
    assert evidence["seen"] == "connect_timeout"
    assert "its own line was down" in sentence(result.reason, evidence)


def test_a_lost_line_neither_counts_nor_resets() -> None:
    check = make_check(failure_threshold=3)
    look(check, OK, FAILED, FAILED)
    lose_the_line(check, times=3)
    row = CheckRegion.objects.get()
    assert (status(check), row.failures) == ("operational", 2)
    look(check, FAILED)
    assert status(check) == "outage"


def test_a_lost_line_freshens_nothing_so_what_was_known_grows_old_and_nobody_is_paged() -> None:
    check = make_check(interval_seconds=60)
    look(check, OK)
    schedule.mark_tick()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_checkregion SET last_result_at = now() - interval '181 seconds'")
        cursor.execute("UPDATE checks_clock SET steady_since = now() - interval '1 hour'")
    lose_the_line(check)
    assert mark_stale(find_stale_targets()) == 1
    assert status(check) == "unknown"
    assert TargetStatus.objects.get(target_id=check.target_id).reason == "stale"
    assert nothing_happened()
    look(check, OK)
    assert status(check) == "operational"
    assert nothing_happened()


def test_an_outage_found_before_stays_open_while_the_line_is_lost() -> None:
    check = make_check(failure_threshold=1)
    look(check, FAILED)
    lose_the_line(check, times=3)
    assert status(check) == "outage"
    assert Incident.objects.get().resolved_at is None
