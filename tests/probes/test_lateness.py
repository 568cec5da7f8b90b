"""When a timeout is ours: the loop's lost time as a table of turns, with a clock of the test's own."""

from __future__ import annotations

import pytest

from apps.probes.engine.work import Lateness


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def turned(clock: Clock, turns: list[tuple[float, float]]) -> Lateness:
    """A loop that worked and waited for these seconds, each wait meant to be as long as it was, or a given time."""
    lateness = Lateness(clock)
    lateness.begin()
    for worked, overslept in turns:
        clock.now += worked
        lateness.turn()
        clock.now += 0.1 + overslept
        lateness.turn(0.1)
    return lateness


@pytest.mark.parametrize(
    ("turns", "lost", "late_turns"),
    [
        ([(0.01, 0.0)] * 50, 0.0, 0),
        ([(0.2, 0.2)] * 10, 0.0, 0),
        ([(0.01, 0.0), (3.0, 0.0)], 3.0, 1),
        ([(0.01, 2.0)], 2.0, 1),
        ([(1.0, 1.0)], 2.0, 2),
    ],
)
def test_time_lost_is_work_too_long_and_waits_overslept(
    turns: list[tuple[float, float]], lost: float, late_turns: int
) -> None:
    lateness = turned(Clock(), turns)
    assert lateness.lost_seconds == pytest.approx(lost)
    assert lateness.late_turns == late_turns


def test_a_wait_cut_short_does_not_hide_work_that_took_too_long() -> None:
    clock = Clock()
    lateness = Lateness(clock)
    lateness.begin()
    clock.now += 0.8
    lateness.turn()
    clock.now += 0.001
    lateness.turn(1.0)
    assert lateness.lost_seconds == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("lost_for", "then", "timeout", "ours"),
    [
        (0.0, 0.0, 1.0, False),
        (1.0, 0.0, 10.0, True),  # right after a stall, whatever the timeout
        (1.0, 3.0, 10.0, False),  # long ago, and a tenth of the time
        (3.0, 3.0, 10.0, True),  # long ago, but a third of the time
        (0.3, 1.0, 1.0, True),
    ],
)
def test_a_timeout_is_ours_right_after_a_stall_or_when_much_was_lost(
    lost_for: float, then: float, timeout: float, ours: bool
) -> None:
    clock = Clock()
    lateness = turned(clock, [(0.01, 0.0), (lost_for, 0.0)])
    for _turn in range(int(then / 0.1)):
        clock.now += 0.1
        lateness.turn(0.1)
    assert lateness.spoiled(0.0, timeout) is ours


def test_what_was_lost_before_a_look_began_is_not_its_own() -> None:
    clock = Clock()
    lateness = turned(clock, [(3.0, 0.0)] + [(0.01, 0.0)] * 20)
    assert not lateness.spoiled(lateness.lost_seconds, 1.0)


def test_the_turn_that_still_stands_counts() -> None:
    clock = Clock()
    lateness = turned(clock, [(0.01, 0.0)])
    clock.now += 2.0
    assert lateness.spoiled(0.0, 5.0)
    assert lateness.age() == pytest.approx(2.0)
