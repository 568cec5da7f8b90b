"""Settings → Health: how the looking goes, what each process costs, and that whatever is away is said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.checks.regions import outcomes
from apps.checks.regions.broker import broker
from apps.checks.regions.outcomes import Fate
from apps.checks.signals import ticked
from apps.core import clock
from apps.dashboard import looking_history, receivers
from apps.dashboard.readings import get_looking
from tests.dashboard.regions import hear, make_region, quiet_broker
from tests.dashboard.test_overview_page import text_of
from tests.live.valkey import breakable_valkey

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 21, 14, 30, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet_broker():
        yield


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def shown(client: Client, address: str = "/settings/health/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text_of(answer.content).replace("\u00a0", " ")


def publish(**processes: dict[str, Any]) -> None:
    """What the launcher would say."""
    content = {"at": time.time(), "processors": 2, "processes": processes}
    broker().set("portal:processes", json.dumps(content), ex=60)


def test_looking_is_shown_by_region_and_in_all(page: Client) -> None:
    make_region("seoul")
    hear("local")
    hear("seoul", late_ms_p95=7_200.0, in_flight=3, free_places=7, delivered_per_second=2.0)
    broker().lpush("portal:probe.seoul", json.dumps({"headers": {"sent_at": time.time() - 95}}))

    text = shown(page)
    broker().delete("portal:probe.seoul")

    for word in ("12.5/s", "14.5/s", "7.20 s", "500", "10", "1 min 35 s", "probe.seoul"):
        assert word in text, word
    assert "The portal is not well: " in text
    assert "Checks start late." in text


def test_results_are_counted_and_those_dropped_have_a_reason(page: Client) -> None:
    outcomes.count(broker(), {Fate.RECORDED: 12_483, Fate.CHECK_GONE: 3, Fate.FORGED: 0})

    text = shown(page)

    assert "12,483 results were recorded since the counters began." in text
    assert "Its check is gone. 3" in text
    assert "It was not sealed with our key." not in text


def test_the_cost_of_each_process_stands_there(page: Client) -> None:
    make_region("seoul")
    hear("seoul")
    publish(
        web={"pid": 10, "cpu_percent": 3.25, "memory_bytes": 120_000_000, "processes": 1},
        worker={"pid": 11, "cpu_percent": None, "memory_bytes": 140_000_000, "processes": 1},
    )

    text = shown(page)

    for word in ("3.2 %", "120 MB", "260 MB", "runs elsewhere", "Worker of seoul", "8.5 %", "this machine has 2"):
        assert word in text, word


def test_without_a_launcher_the_page_says_why_nothing_is_known(page: Client) -> None:
    assert "Nothing was heard from the launcher" in shown(page)


def test_without_valkey_every_part_says_so_and_none_fails(page: Client, settings: Any) -> None:
    with breakable_valkey() as valkey:
        settings.REDIS_BROKER_URL = valkey.url
        valkey.stop()

        text = shown(page)

        assert "workers are heard through it: what they do is not known" in text
        assert text.count("Not known while Valkey does not answer.") >= 3
        for part in ("health", "looking", "processes", "caches"):
            assert page.get(f"/settings/health/fragments/{part}/").status_code == 200
        assert page.get("/settings/health/lateness.json").json()["lines"][0]["values"] == []


def test_every_part_is_refreshed_by_itself(page: Client) -> None:
    for part in ("health", "looking", "processes", "caches"):
        assert page.get(f"/settings/health/fragments/{part}/").status_code == 200
    assert page.get("/settings/health/fragments/nothing/").status_code == 404
    assert page.get("/settings/health/nothing.json").status_code == 404


# --- The last hour --------------------------------------------------------------------------------------------


def keep_points(numbers: dict[int, float]) -> None:
    """One point so many seconds before NOW, each with its lateness in milliseconds."""
    for ago, lateness in numbers.items():
        with clock.frozen(NOW - timedelta(seconds=ago)):
            hear("local", late_ms_p95=lateness)
            looking_history.write(get_looking())


def test_the_chart_draws_what_was_kept_and_leaves_gaps_open(page: Client) -> None:
    keep_points({60: 40.0, 30: 55.0, 15: 60.0})

    with clock.frozen(NOW):
        document = page.get("/settings/health/lateness.json").json()

    assert [line["key"] for line in document["lines"]] == ["local"]
    assert document["lines"][0]["values"][-5:] == [40.0, None, 55.0, 60.0, None]
    assert document["times"][-1] == NOW.timestamp() // 15 * 15
    assert len(document["times"]) == 240
    assert (document["unit"], document["thresholds"][0]["value"]) == ("ms", 5_000)


def test_only_the_regions_that_are_latest_are_drawn(page: Client) -> None:
    for number in range(8):
        make_region(f"region-{number}")
        hear(f"region-{number}", late_ms_p95=100.0 * number)
    with clock.frozen(NOW):
        looking_history.write(get_looking())
        document = page.get("/settings/health/lateness.json").json()

    assert [line["key"] for line in document["lines"]] == [f"region-{number}" for number in (7, 6, 5, 4)]


def test_a_tick_writes_one_point_each_quarter_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "_written", -1)
    hear("local")
    with clock.frozen(NOW):
        ticked.send(sender=None)
        hear("local", late_ms_p95=999.0)
        ticked.send(sender=None)
        (point,) = [point for point in looking_history.read() if point is not None]
    assert point.regions["local"].late_ms_p95 == 42.0

    with clock.frozen(NOW + timedelta(seconds=15)):
        ticked.send(sender=None)
        assert len([point for point in looking_history.read() if point is not None]) == 2


def test_the_rate_of_results_is_the_difference_to_an_earlier_count() -> None:
    def rate(now: int | None, before: int | None, ago: float) -> float | None:
        point = looking_history.Point((NOW - timedelta(seconds=ago)).timestamp(), before, {})
        with clock.frozen(NOW):
            return looking_history.results_per_second([None, point, None], now)

    assert rate(400, 100, ago=15) == 20.0
    assert rate(400, 100, ago=2) is None  # too near to be a rate
    assert rate(50, 100, ago=15) is None  # the counters were lost
    assert rate(None, 100, ago=15) is None
    assert rate(400, None, ago=15) is None
