"""Whether the looking keeps up: the judgement behind `/readyz`, and the sentences at the top of the overview."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.checks.regions.selectors import RegionState, RegionView, WorkerView
from apps.core import clock
from apps.core.ids import uuid7
from apps.dashboard.probing import is_skewed, judge_looking, notices_of
from apps.dashboard.readings import LookingReading

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def region(slug: str = "seoul", **fields: Any) -> RegionView:
    values: dict[str, Any] = {
        "enabled": True,
        "state": RegionState.WORKING,
        "checks": 42,
        "late_ms_p95": 40.0,
        "line": "unguarded",
        **fields,
    }
    return RegionView(id=uuid7(), slug=slug, name=slug.capitalize(), **values)


def worker(**fields: Any) -> WorkerView:
    values: dict[str, Any] = dict.fromkeys(WorkerView.__dataclass_fields__, 0) | fields
    return WorkerView(**values)


def reading(regions: Iterable[RegionView], **fields: Any) -> LookingReading:
    values: dict[str, Any] = {"due_lag": {}, "ticking_seconds": 3600.0, **fields}
    return LookingReading(regions=list(regions), counters={}, as_of=NOW, **values)


def judged(regions: Iterable[RegionView], **due_lag: float) -> tuple[bool, str]:
    part = judge_looking(reading(regions, due_lag=due_lag))
    return part.ok, str(part.detail)


def sentences(*regions: RegionView) -> list[str]:
    with clock.frozen(NOW):
        return [notice.text.replace("\u00a0", " ") for notice in notices_of(reading(regions))]


@pytest.mark.parametrize(
    ("seen", "well", "detail"),
    [
        ([], True, "Nothing is looked at."),
        ([region()], True, "Checks start on time."),
        ([region(late_ms_p95=5_000.0)], True, "Checks start on time."),
        ([region(late_ms_p95=5_001.0)], False, "Checks start late."),
        ([region(), region("oslo", late_ms_p95=9_000.0)], False, "Checks start late."),
        ([region(), region("oslo", enabled=False, late_ms_p95=9_000.0)], True, "Checks start on time."),
        # What a silent region last said of itself is no longer true.
        ([region(), region("oslo", late_ms_p95=9_000.0, state=RegionState.SILENT)], True, "Checks start on time."),
        ([region(state=RegionState.SILENT)], False, "No worker looks."),
        ([region(state=RegionState.NEVER_HEARD)], False, "No worker looks."),
        ([region(state=RegionState.NEVER_HEARD, checks=0)], True, "Nothing is looked at."),
        ([region(), region("oslo", state=RegionState.SILENT)], True, "Checks start on time."),
        # With Valkey away nobody can tell, and that part says so itself.
        ([region(state=RegionState.UNKNOWN)], True, "Nothing is looked at."),
    ],
)  # fmt: skip
def test_the_looking_is_well_while_somebody_looks_in_time(seen: list[RegionView], well: bool, detail: str) -> None:
    assert judged(seen) == (well, detail)


def test_checks_that_wait_to_be_sent_count_where_somebody_could_take_them() -> None:
    assert judged([region()], seoul=29.0) == (True, "Checks start on time.")
    assert judged([region()], seoul=31.0) == (False, "Checks that are due are not sent.")
    silent = region("oslo", state=RegionState.SILENT)
    assert judged([region(), silent], oslo=900.0) == (True, "Checks start on time.")


def test_after_a_gap_of_its_own_the_portal_blames_no_region() -> None:
    late = region(late_ms_p95=33_000.0)

    assert notices_of(reading([late], ticking_seconds=20.0)) == []
    assert judge_looking(reading([late], ticking_seconds=20.0)).ok
    assert not judge_looking(reading([late], ticking_seconds=None)).ok


def test_a_well_portal_has_nothing_to_say() -> None:
    assert sentences(region(line="answers"), region("oslo", enabled=False, state=RegionState.OFF)) == []


def test_lateness_is_said_with_its_figure_and_leads_to_health() -> None:
    late = region(late_ms_p95=7_200.0)

    assert sentences(late) == ["Checks start 7.20 s late (95th percentile) in seoul: the engine cannot keep up."]
    assert notices_of(reading([late]))[0].url == "/settings/health/"


@pytest.mark.parametrize(
    ("silent", "sentence"),
    [
        (
            region(state=RegionState.SILENT, silent_seconds=200.0),
            "seoul has not been heard from for 3 min: its share of 42 checks is unknown. Nobody is paged for this.",
        ),
        (
            region(state=RegionState.SILENT, silent_seconds=40.0, checks=1),
            "seoul has not been heard from for 40 s: its share of 1 check is unknown. Nobody is paged for this.",
        ),
        (
            region(state=RegionState.NEVER_HEARD, checks=1_200),
            "No worker has been heard from seoul: its share of 1,200 checks is unknown. Nobody is paged for this.",
        ),
    ],
)
def test_a_silent_region_is_said_with_its_share(silent: RegionView, sentence: str) -> None:
    assert sentences(silent) == [sentence]
    assert notices_of(reading([silent]))[0].url == "/settings/regions/seoul/"


def test_a_silent_region_nothing_is_looked_at_from_is_no_news() -> None:
    assert sentences(region(state=RegionState.SILENT, silent_seconds=900.0, checks=0)) == []


def test_a_lost_line_is_said_with_its_moment() -> None:
    lost = region(line="lost", line_since=NOW - timedelta(minutes=28))
    earlier = region(line="lost", line_since=NOW - timedelta(days=2))

    assert sentences(lost) == ["seoul has lost its own line since 14:02: its failures are not counted."]
    assert "19 Nov 2026, 14:30:00 UTC" in sentences(earlier)[0]


def test_another_key_is_said() -> None:
    assert sentences(region(key_differs=True)) == [
        "A worker of seoul was started with another key: it cannot read what we send."
    ]


def test_what_is_wrong_with_several_regions_is_one_sentence() -> None:
    silent = [region(name, state=RegionState.SILENT, silent_seconds=60.0) for name in ("oslo", "quito")]
    lost = [region(name, line="lost", line_since=NOW) for name in ("oslo", "quito")]
    late = [region("oslo", late_ms_p95=6_000.0), region("quito", late_ms_p95=9_000.0)]
    keys = [region(name, key_differs=True) for name in ("oslo", "quito")]

    assert sentences(*silent) == [
        "Nobody is heard from oslo, quito: their shares of up to 42 checks are unknown. Nobody is paged for this."
    ]
    assert sentences(*lost) == ["oslo, quito have lost their own lines: their failures are not counted."]
    assert sentences(*late) == [
        "Checks start up to 9 s late (95th percentile) in oslo, quito: the engines cannot keep up."
    ]
    assert sentences(*keys) == ["Workers of oslo, quito were started with another key: they cannot read what we send."]
    assert notices_of(reading(silent))[0].url == "/settings/regions/"


def test_fifty_silent_regions_are_named_by_the_first_few() -> None:
    many = [region(f"r{number}", state=RegionState.SILENT, silent_seconds=60.0) for number in range(50)]

    (said,) = sentences(*many)

    assert "Nobody is heard from r0, r1, r2, r3, …: their shares" in said


def test_a_worker_that_has_just_started_may_catch_up() -> None:
    with clock.frozen(NOW):
        fresh = worker(started_at=NOW - timedelta(seconds=30), late_ms_p95=16_000.0)
        old = worker(started_at=NOW - timedelta(hours=1), late_ms_p95=20.0)

        assert notices_of(reading([region(workers=[fresh, old], late_ms_p95=16_000.0)])) == []
        assert judged([region(workers=[fresh], late_ms_p95=16_000.0)]) == (True, "Checks start on time.")
        slow = worker(started_at=NOW - timedelta(hours=1), late_ms_p95=7_200.0)
        assert "7.20" in notices_of(reading([region(workers=[fresh, slow], late_ms_p95=16_000.0)]))[0].text


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, False), (0.4, False), (-2.0, False), (2.1, True), (-3600.0, True)]
)
def test_a_clock_is_worth_a_word_above_two_seconds(seconds: float | None, said: bool) -> None:
    assert is_skewed(seconds) == said
