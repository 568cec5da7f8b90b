"""What is claimed and sent: ahead of its moment, in the order of moments, and never more than there is room for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from redis import Redis

from apps.checks import dispatch, schedule
from apps.checks.models import Check, CheckRun
from apps.checks.regions.broker import broker
from apps.core.clock import database_now
from apps.core.ids import uuid7
from tests.checks.looking import local, make_check
from tests.checks.test_schedule import move
from tests.dashboard.regions import hear, make_region, quiet_broker


@pytest.fixture
def valkey() -> Iterator[Redis]:
    client = broker()
    client.delete("portal:probe.local")
    with quiet_broker():
        yield client
    client.delete("portal:probe.local")


def test_a_region_nobody_was_heard_from_is_bounded_by_its_queue(valkey: Redis) -> None:
    assert dispatch.find_rooms(["local"]) == {"local": dispatch.QUEUE_LIMIT * schedule.BATCH}
    valkey.rpush("portal:probe.local", *(["batch"] * dispatch.QUEUE_LIMIT))
    assert dispatch.find_rooms(["local", "far"]) == {"local": 0, "far": dispatch.QUEUE_LIMIT * schedule.BATCH}


def test_no_more_is_claimed_than_the_workers_heard_lately_have_places_for(valkey: Redis) -> None:
    hear("local", name="one", free_places=300)
    hear("local", name="two", free_places=200)
    hear("local", name="silent", free_places=900, ago=60)
    hear("local", name="ended", free_places=900, stopped=True)
    hear("local", name="stranger", free_places=900, key_differs=True)
    assert dispatch.find_rooms(["local"]) == {"local": 500}
    valkey.rpush("portal:probe.local", "batch")
    assert dispatch.find_rooms(["local"]) == {"local": 300}


@pytest.mark.django_db
def test_without_a_free_place_nothing_is_claimed(valkey: Redis) -> None:
    check = make_check()
    hear("local", name="full", free_places=0)
    assert dispatch.dispatch_due() == 0
    assert check.regions.get().lease_until is None, "late, but not lost to a lease"


@pytest.mark.django_db
def test_a_look_is_claimed_a_moment_ahead_and_told_its_own_moment() -> None:
    soon, later = make_check("Soon"), make_check("Later")
    move(soon.pk, "next_due_at", schedule.AHEAD_SECONDS - 0.5)
    move(later.pk, "next_due_at", schedule.AHEAD_SECONDS + 2)
    [claim] = schedule.claim_due(local().pk)
    [job] = dispatch.make_jobs("local", [claim])
    assert job.check == str(soon.pk)
    assert job.due_at is not None
    assert 0 < job.due_at - time.time() < schedule.AHEAD_SECONDS


@pytest.mark.django_db
def test_jobs_leave_in_the_order_of_their_moments() -> None:
    checks = [make_check(f"Check {number}") for number in range(5)]
    for number, check in enumerate(checks):
        move(check.pk, "next_due_at", -number)
    jobs = dispatch.make_jobs("local", schedule.claim_due(local().pk))
    assert [job.check for job in jobs] == [str(check.pk) for check in reversed(checks)]


def ask_for(check: Check, valkey: Redis) -> list[str]:
    """The regions whose queues hold the look that was asked for."""
    now = database_now()
    run = CheckRun.objects.create(id=uuid7(), source_check=check, requested_at=now, expires_at=now)
    queues = {region: f"portal:probe.{region}" for region in ("busan", "local", "seoul")}
    valkey.delete(*queues.values())
    try:
        dispatch.send_run(run)
        return [region for region, queue in queues.items() if valkey.llen(queue)]
    finally:
        valkey.delete(*queues.values())


@pytest.mark.django_db
def test_a_look_somebody_asks_for_is_taken_where_the_check_is_looked_at_from(valkey: Redis) -> None:
    busan, seoul = make_region("busan"), make_region("seoul")
    assert ask_for(make_check("Inside", only_regions=[seoul]), valkey) == ["seoul"]
    assert ask_for(make_check("Paused", only_regions=[seoul], enabled=False), valkey) == ["seoul"]
    hear("seoul")
    assert ask_for(make_check("Both", only_regions=[busan, seoul]), valkey) == ["seoul"], "nobody looks from Busan"


@pytest.mark.django_db
def test_a_look_nobody_can_take_is_said_so(valkey: Redis) -> None:
    check = make_check(only_regions=[make_region("seoul", enabled=False)])
    with pytest.raises(ConnectionError, match="No region of this check is enabled"):
        ask_for(check, valkey)
    assert not CheckRun.objects.exists()
