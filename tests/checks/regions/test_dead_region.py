"""A region whose workers are gone: what waits for it is bounded, expires, and its share becomes unknown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection
from redis import Redis

from apps.catalog.models import Region, TargetStatus
from apps.checks import dispatch, schedule, staleness
from apps.checks.models import CheckRegion, Incident
from apps.core import clock
from tests.checks.looking import OK, add_check, look, make_check

pytestmark = pytest.mark.django_db

SEOUL = "portal:probe.seoul"


@pytest.fixture
def seoul(line: Redis) -> Region:
    return Region.objects.create(slug="seoul", name="Seoul")


def an_hour_passes() -> None:
    """Everything in the schedule happened that much earlier."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE checks_checkregion SET next_due_at = next_due_at - interval '1 hour',"
            " lease_until = lease_until - interval '1 hour'"
        )


def test_what_waits_for_a_region_that_takes_nothing_is_bounded(
    seoul: Region, line: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "BATCH", 1)
    monkeypatch.setattr(schedule.claim_due, "__defaults__", (1,))
    target = make_check().target
    for number in range(dispatch.QUEUE_LIMIT + 10):
        add_check(target, name=f"Check {number}")
    for _ in range(10):
        dispatch.dispatch_due()
        an_hour_passes()
    assert line.llen(SEOUL) == dispatch.QUEUE_LIMIT


def test_a_message_nobody_takes_expires_with_its_lease(seoul: Region, line: Redis) -> None:
    make_check(timeout_seconds=7)
    dispatch.dispatch_due()
    [message] = line.lrange(SEOUL, 0, -1)
    expires = datetime.fromisoformat(json.loads(message)["headers"]["expires"])
    left = (expires - clock.now()).total_seconds()
    assert left == pytest.approx(7 + schedule.LEASE_MARGIN_SECONDS, abs=2)


def test_its_share_becomes_unknown_and_opens_no_incident(seoul: Region) -> None:
    check = make_check(interval_seconds=60)
    schedule.mark_tick()
    look(check, OK)
    CheckRegion.objects.filter(region=seoul).update(
        verdict="operational", reason="ok", last_result_at=clock.now() - timedelta(minutes=10)
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_clock SET steady_since = now() - interval '1 day'")
    staleness.mark_stale(staleness.find_stale_targets())
    rows = dict(CheckRegion.objects.values_list("region__slug", "verdict"))
    assert rows == {"local": "operational", "seoul": "unknown"}
    assert TargetStatus.objects.get(target_id=check.target_id).status == "operational"
    assert not Incident.objects.exists()
