"""The judgement of rules: decision tables, and its laws as properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.rules import NO_DATA, Criteria, Firing, Level, NoData, Standing, judge, replay

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

# Critical at once, warning after 15 minutes: what a rule does unless it says otherwise.
USUAL = Criteria(True, (Level("warning", 10, 900), Level("critical", 20, 0)), margin=2)
AT_ONCE = Criteria(True, (Level("warning", 10, 0), Level("critical", 20, 0)), margin=2)
PATIENT = Criteria(True, (Level("warning", 10, 300), Level("critical", 20, 300)), margin=2)
BELOW = Criteria(False, (Level("warning", 80, 0), Level("critical", 50, 0)), margin=5)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def run(criteria: Criteria, *numbers: float | None, every: timedelta = MINUTE) -> Standing | None:
    """Where it stands after these numbers, one a minute."""
    standing = None
    for number, value in enumerate(numbers):
        standing = judge(criteria, standing, value, NOW + number * every)
    return standing


def severity(standing: Standing | None) -> str:
    return standing.severity if standing is not None else "well"


@pytest.mark.parametrize(
    ("criteria", "numbers", "expected"),
    [
        (AT_ONCE, [9], "well"),
        (AT_ONCE, [10], "well"),  # a level itself is not beyond it
        (AT_ONCE, [11], "warning"),
        (AT_ONCE, [21], "critical"),
        (AT_ONCE, [11, 21], "critical"),
        (AT_ONCE, [21, 19], "critical"),  # not back by the margin
        (AT_ONCE, [21, 18], "warning"),  # back from critical, still beyond warning
        (AT_ONCE, [21, 9], "warning"),  # back from critical, not yet from warning
        (AT_ONCE, [21, 8], "well"),
        (AT_ONCE, [11, 9], "warning"),
        (AT_ONCE, [11, 8], "well"),
        (BELOW, [80], "well"),
        (BELOW, [79], "warning"),
        (BELOW, [49], "critical"),
        (BELOW, [49, 54], "critical"),
        (BELOW, [49, 55], "warning"),
        (BELOW, [49, 84], "warning"),
        (BELOW, [49, 85], "well"),
        (USUAL, [11], ""),
        (USUAL, [11] * 15, ""),
        (USUAL, [11] * 16, "warning"),
        (USUAL, [21], "critical"),
        (USUAL, [21, 11], "warning"),  # what fires goes on, milder
        (USUAL, [*[11] * 10, 9, *[11] * 10], ""),  # what waits has no margin
        (PATIENT, [21] * 5, ""),
        (PATIENT, [21] * 6, "critical"),
        (PATIENT, [*[11] * 3, *[21] * 3], "warning"),  # five minutes beyond warning, two beyond critical
        (PATIENT, [*[11] * 6, 21, 11], "warning"),  # a moment of critical does not raise it
        (PATIENT, [*[11] * 6, *[21] * 6], "critical"),
        (PATIENT, [*[21] * 3, 11, *[21] * 3], "warning"),
    ],
)
def test_levels_times_and_recovery(criteria: Criteria, numbers: list[float], expected: str) -> None:
    assert severity(run(criteria, *numbers)) == expected


@pytest.mark.parametrize(
    ("no_data", "numbers", "expected"),
    [
        (NoData.KEEP, [None], "well"),
        (NoData.KEEP, [11, None], "warning"),
        (NoData.KEEP, [11, None, 5], "well"),
        (NoData.RESOLVE, [11, None], "well"),
        (NoData.RESOLVE, [None], "well"),
        (NoData.ALERT, [None], "warning"),
        (NoData.ALERT, [5, None], "warning"),
        (NoData.ALERT, [21, None], "critical"),  # not knowing is no reason to think better of it
        (NoData.ALERT, [21, None, 11], "warning"),
        (NoData.ALERT, [None, 5], "well"),
        (NoData.ALERT, [None, 9], "well"),  # the margin is of a number that fired
    ],
)
def test_no_data_is_an_outcome_of_its_own(no_data: NoData, numbers: list[float | None], expected: str) -> None:
    assert severity(run(replace(AT_ONCE, no_data=no_data), *numbers)) == expected


def test_no_data_waits_as_long_as_the_mildest_level() -> None:
    criteria = replace(USUAL, no_data=NoData.ALERT)
    assert severity(run(criteria, *[None] * 15)) == ""
    standing = run(criteria, *[None] * 16)
    assert standing == Standing(NO_DATA, NOW, None, None, "warning")


def test_what_waits_must_be_seen_all_along() -> None:
    assert run(USUAL, *[11] * 10, None) is None


@pytest.mark.parametrize("no_data", list(NoData))
def test_a_portal_that_did_not_look_makes_nothing_fire_and_nothing_end(no_data: NoData) -> None:
    criteria = replace(AT_ONCE, no_data=no_data)
    assert judge(criteria, None, None, NOW, looked=False) is None
    firing = run(criteria, 11)
    assert judge(criteria, firing, None, at(99), looked=False) == firing
    waiting = run(replace(USUAL, no_data=no_data), 11)
    assert judge(USUAL, waiting, None, at(99), looked=False) is None


def test_a_rule_without_two_levels_has_one() -> None:
    state = Criteria(True, (Level("critical", 0.5, 0),))
    assert severity(run(state, 1)) == "critical"
    assert run(state, 1, 0) is None


def test_one_that_fell_silent_under_another_setting_does_not_stay() -> None:
    silent = Standing(NO_DATA, NOW, None, None, "warning")
    assert judge(AT_ONCE, silent, None, at(1)) is None


numbers = st.one_of(st.none(), st.floats(0, 30))
criterias = st.builds(
    Criteria,
    st.just(True),
    st.builds(
        lambda first, second, gap: (Level("warning", 10, first), Level("critical", 10 + gap, second)),
        st.sampled_from([0, 60, 300]),
        st.sampled_from([0, 60, 300]),
        st.floats(0, 10),
    ),
    st.floats(0, 5),
    st.sampled_from(list(NoData)),
)


@given(criterias, st.lists(numbers, max_size=30))
def test_nothing_fires_before_its_time(criteria: Criteria, found: list[float | None]) -> None:
    standing = None
    for minute, value in enumerate(found):
        before, standing = standing, judge(criteria, standing, value, at(minute))
        if standing is not None and standing.firing and not (before is not None and before.firing):
            level = criteria.level_of(standing.severity)
            began = standing.worst_since if level == criteria.worst and standing.worst_since else standing.since
            assert at(minute) - began >= timedelta(seconds=level.for_seconds)


@given(criterias, st.lists(numbers, max_size=30), st.floats(-100, 4.9))
def test_a_number_that_is_well_clears_everything(criteria: Criteria, found: list[float | None], well: float) -> None:
    standing = None
    for minute, value in enumerate(found):
        standing = judge(criteria, standing, value, at(minute))
    assert judge(criteria, standing, well, at(len(found))) is None


@given(criterias, st.lists(st.floats(0, 30), max_size=30))
def test_above_and_below_are_mirror_images(criteria: Criteria, found: list[float]) -> None:
    mirrored = replace(
        criteria, above=False, levels=tuple(replace(level, bound=-level.bound) for level in criteria.levels)
    )
    here, there = None, None
    for minute, value in enumerate(found):
        here, there = judge(criteria, here, value, at(minute)), judge(mirrored, there, -value, at(minute))
        assert severity(here) == severity(there)


@given(criterias, st.lists(numbers, max_size=30))
def test_a_replay_tells_what_judging_each_minute_tells(criteria: Criteria, found: list[float | None]) -> None:
    told = replay(criteria, [(at(minute), value) for minute, value in enumerate(found)], at(len(found)))
    standing, fired = None, []
    for minute, value in enumerate(found):
        before, standing = severity(standing), judge(criteria, standing, value, at(minute))
        now = severity(standing)
        if now not in ("", "well") and (before in ("", "well") or (now == "critical" and before != "critical")):
            fired.append((at(minute), now))
    # Times here are whole minutes, so nothing ripens between two of them.
    assert [(one.at, one.severity) for one in told] == fired


def test_a_replay_knows_when_a_time_is_up_between_two_points() -> None:
    points = [(at(0), 11.0), (at(60), 5.0)]
    assert replay(USUAL, points, at(90)) == [Firing(at(15), "warning", 11.0, at(60))]
    assert replay(USUAL, points[:1], at(90)) == [Firing(at(15), "warning", 11.0, None)]
    assert replay(USUAL, points[:1], at(10)) == []


def test_a_replay_tells_of_a_rise_once_and_ends_both() -> None:
    points = [(at(0), 11.0), (at(5), 25.0), (at(6), 11.0), (at(7), 1.0)]
    assert replay(AT_ONCE, points, at(9)) == [
        Firing(at(0), "warning", 11.0, at(7)),
        Firing(at(5), "critical", 25.0, at(7)),
    ]
