"""What is known of regions: from the rows, from what their workers say, and from what waits for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis import Redis

from apps.catalog.models import Region
from apps.checks.regions.check_regions import get_check_regions
from apps.checks.regions.selectors import RegionState, RegionView, get_regions, is_served, unserved
from apps.core import clock
from tests.checks.looking import FAILED, OK, look, make_check
from tests.checks.regions.speaking import speak

pytestmark = pytest.mark.django_db


@pytest.fixture
def seoul(line: Redis) -> Region:
    return Region.objects.create(slug="seoul", name="Seoul")


def view(slug: str = "seoul") -> RegionView:
    return next(region for region in get_regions() if region.slug == slug)


@pytest.mark.parametrize(
    ("heard", "state", "served"),
    [
        (None, RegionState.NEVER_HEARD, False),
        ({"seconds_ago": 1}, RegionState.WORKING, True),
        ({"seconds_ago": 14}, RegionState.WORKING, True),
        ({"seconds_ago": 17}, RegionState.SILENT, False),
        ({"seconds_ago": 1, "stopped": True}, RegionState.SILENT, False),
        ({"seconds_ago": 1, "key_differs": True}, RegionState.NEVER_HEARD, False),
    ],
)
def test_a_region_is_what_its_workers_say(
    seoul: Region, line: Redis, heard: dict[str, Any] | None, state: RegionState, served: bool
) -> None:
    if heard is not None:
        speak(line, "seoul", **heard)
    assert (view().state, is_served("seoul")) == (state, served)
    assert unserved(["seoul"]) == ([] if served else ["seoul"])


def test_a_region_that_is_switched_off_says_so_whoever_speaks(seoul: Region, line: Redis) -> None:
    speak(line, "seoul")
    Region.objects.filter(pk=seoul.pk).update(enabled=False)
    assert view().state is RegionState.OFF


def test_two_processes_are_added_up_and_the_worst_lateness_is_shown(seoul: Region, line: Redis) -> None:
    speak(line, "seoul", "one-1", seconds_ago=2, in_flight=3, free_places=7, delivered_per_second=1.5, late_ms_p95=20)
    speak(
        line, "seoul", "two-2", in_flight=4, free_places=6, delivered_per_second=2, late_ms_p95=90, skew_seconds=-3_600
    )
    speak(line, "seoul", "dead-3", seconds_ago=60, in_flight=500, late_ms_p95=9_000)
    found = view()
    assert (found.in_flight, found.free_places, found.looks_a_second, found.late_ms_p95) == (7, 13, 3.5, 90)
    assert (found.skew_seconds, found.version, found.key_differs) == (-3_600, "0.1.0", False)
    assert [worker.name for worker in found.workers] == ["two-2", "one-1"]
    assert found.last_heard_at is not None
    assert abs(found.last_heard_at - clock.now()) < timedelta(seconds=10)


def test_a_process_with_another_key_is_shown_beside_one_that_works(seoul: Region, line: Redis) -> None:
    speak(line, "seoul", "good-1", in_flight=1)
    speak(line, "seoul", "odd-2", in_flight=100, key_differs=True)
    found = view()
    assert (found.state, found.key_differs, found.in_flight, len(found.workers)) == (RegionState.WORKING, True, 1, 2)


def test_what_waits_for_a_region_is_counted(seoul: Region, line: Redis) -> None:
    line.lpush("portal:probe.seoul", '{"headers": {}}', '{"headers": {}}')
    assert (view().queue_length, view("local").queue_length) == (2, 0)


def test_the_rows_are_known_from_the_database(seoul: Region, line: Redis) -> None:
    check = make_check()
    look(check, OK)
    found = view("local")
    assert (found.checks, view().checks) == (1, 1)
    assert found.last_result_at is not None
    assert view().last_result_at is None


@pytest.mark.usefixtures("away")
def test_without_a_broker_the_rows_are_shown_and_the_rest_is_unknown() -> None:
    Region.objects.create(slug="off", name="Off", enabled=False)
    local, off = (view(slug) for slug in ("local", "off"))
    assert (local.state, off.state) == (RegionState.UNKNOWN, RegionState.OFF)
    assert (local.last_heard_at, local.in_flight, local.queue_length, local.workers) == (None, None, None, [])
    assert is_served("local"), "nobody can tell, so nobody is warned"


def test_ten_regions_cost_as_many_queries_as_one(line: Redis) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            get_regions()
        return len(queries)

    few = cost()
    Region.objects.bulk_create(Region(slug=f"r{number}", name="R") for number in range(10))
    assert cost() == few <= 4


def test_each_region_of_a_check_says_what_it_thinks(seoul: Region, line: Redis) -> None:
    check = make_check()
    look(check, OK, FAILED, FAILED)
    local, far = get_check_regions(check)
    assert (local.slug, local.verdict, local.reason, local.in_quorum) == ("local", "outage", "status_mismatch", True)
    assert (local.last_state, local.last_duration_ms) == ("failed", 12.5)
    assert local.sentence == "Expected status 200, got 503."
    assert (far.slug, far.verdict, far.reason, far.in_quorum) == ("seoul", "unknown", "not_measured", False)
    assert (far.last_state, far.last_result_at, far.state) == (None, None, "never_heard")
