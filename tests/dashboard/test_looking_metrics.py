"""What `/metrics` says of the looking, its results and its cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from django.test import Client

from apps.checks.regions import outcomes
from apps.checks.regions.broker import broker
from apps.checks.regions.outcomes import Fate
from tests.checks.guards.listed import list_guard
from tests.dashboard.regions import hear, make_region, quiet_broker
from tests.dashboard.test_metrics import scrape, value

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet_broker():
        yield


def test_each_enabled_region_has_its_figures(client: Client) -> None:
    make_region("resting", enabled=False)
    make_region("fresh")
    hear("local", skew_seconds=-3.5, ago=4)
    hear("resting")

    samples = scrape(client)

    assert value(samples, "portal_looks_per_second", region="local") == 12.5
    assert value(samples, "portal_in_flight", region="local") == 7
    assert value(samples, "portal_free_places", region="local") == 493
    assert value(samples, "portal_region_workers", region="local") == 1
    assert value(samples, "portal_start_lateness_seconds", region="local", quantile="0.95") == 0.042
    assert value(samples, "portal_region_clock_skew_seconds", region="local") == -3.5
    assert 3.5 < (value(samples, "portal_region_last_heard_age_seconds", region="local") or 0) < 10
    assert value(samples, "portal_looks_per_second", region="resting") is None
    assert value(samples, "portal_region_last_heard_age_seconds", region="fresh") is None


def test_a_line_counts_only_where_somebody_guards_it(client: Client) -> None:
    assert value(scrape(client), "portal_region_line_lost", region="local") is None

    guard = list_guard()
    type(guard).objects.update(state="fails", last_looked_at="2100-01-01T00:00:00Z", since="2026-01-01T00:00:00Z")
    hear("local")

    assert value(scrape(client), "portal_region_line_lost", region="local") == 1


def test_results_are_counters_by_reason(client: Client) -> None:
    outcomes.count(broker(), {Fate.RECORDED: 90, Fate.TOO_OLD: 2})

    samples = scrape(client)

    assert value(samples, "portal_outcomes_recorded_total") == 90
    assert value(samples, "portal_outcomes_dropped_total", reason="too_old") == 2
    assert value(samples, "portal_outcomes_dropped_total", reason="forged") == 0


def test_the_age_of_a_queue_is_that_of_its_oldest_message(client: Client) -> None:
    for ago in (70, 10):
        broker().lpush("portal:probe.far", json.dumps({"headers": {"sent_at": time.time() - ago}}))

    samples = scrape(client)
    broker().delete("portal:probe.far")

    assert 69 < (value(samples, "portal_queue_age_seconds", queue="probe.far") or 0) < 90
    assert value(samples, "portal_queue_length", queue="probe.far") == 2


def test_processes_have_a_cost_under_their_names(client: Client) -> None:
    hear("local", name="far-away-7")
    figures = {"web": {"pid": 1, "cpu_percent": 4.5, "memory_bytes": 1_000_000, "processes": 1}}
    broker().set("portal:processes", json.dumps({"at": time.time(), "processors": 2, "processes": figures}))

    samples = scrape(client)

    assert value(samples, "portal_process_cpu_percent", process="web") == 4.5
    assert value(samples, "portal_process_memory_bytes", process="web") == 1_000_000
    assert value(samples, "portal_process_cpu_percent", process="far-away-7") == 8.5
    assert value(samples, "portal_process_cpu_percent", process="postgresql") is None


def test_pings_at_this_process_are_counted(client: Client) -> None:
    samples = scrape(client)

    assert value(samples, "portal_pings_received_total") is not None
    assert value(samples, "portal_pings_stored_total") is not None
