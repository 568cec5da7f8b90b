"""A verdict nobody confirmed is unknown again; our own absence never ages anybody's measurement."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.catalog.models import TargetStatus
from apps.checks import schedule
from apps.checks.models import Clock, Incident, StateChange
from apps.checks.staleness import find_stale_targets, mark_stale
from tests.checks.looking import FAILED, OK, look, make_check

pytestmark = pytest.mark.django_db


def age(seconds: float, *, steady_seconds: float = 9_999) -> None:
    """Make every result `seconds` old, in a portal that has been ticking for `steady_seconds`."""
    schedule.mark_tick()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_checkregion SET last_result_at = now() - make_interval(secs => %s)", [seconds])
        cursor.execute(
            "UPDATE checks_clock SET ticked_at = now(), steady_since = now() - make_interval(secs => %s)",
            [steady_seconds],
        )


def test_a_fresh_verdict_stays() -> None:
    look(make_check(interval_seconds=60), OK)
    age(170)
    assert find_stale_targets() == []


def test_an_old_verdict_becomes_unknown_with_its_reason_and_no_incident() -> None:
    check = make_check(interval_seconds=60)
    look(check, OK)
    age(181)
    assert mark_stale(find_stale_targets()) == 1
    row = TargetStatus.objects.get(target_id=check.target_id)
    assert (row.status, row.reason) == ("unknown", "stale")
    change = StateChange.objects.latest("id")
    assert (change.to_status, change.reason) == ("unknown", "stale")
    assert "last_result_at" in change.evidence
    assert not Incident.objects.exists()
    assert find_stale_targets() == []


def test_an_open_incident_stays_open_and_says_since_when_nobody_measured() -> None:
    check = make_check(interval_seconds=60)
    look(check, FAILED, FAILED)
    age(181)
    mark_stale(find_stale_targets())
    incident = Incident.objects.get()
    assert incident.resolved_at is None
    assert incident.not_measured_since is not None
    look(check, FAILED, FAILED)
    incident.refresh_from_db()
    assert incident.not_measured_since is None
    assert Incident.objects.count() == 1


def test_our_own_downtime_is_not_the_targets() -> None:
    look(make_check(interval_seconds=60), OK)
    age(9_000, steady_seconds=10)
    assert find_stale_targets() == []


def test_a_gap_between_ticks_restarts_the_clock() -> None:
    schedule.mark_tick()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE checks_clock SET ticked_at = now() - interval '1 hour', steady_since = now() - interval '1 day'"
        )
    before = Clock.objects.get().steady_since
    schedule.mark_tick()
    assert Clock.objects.get().steady_since > before


def test_ticking_on_leaves_the_clock_alone() -> None:
    schedule.mark_tick()
    before = Clock.objects.get().steady_since
    schedule.mark_tick()
    assert Clock.objects.get().steady_since == before
