"""A machine whose own clock is wrong knows the broker's time all the same."""

from __future__ import annotations

import pytest

from apps.checks.regions.broker_clock import BrokerClock

BROKER = 1_800_000_000.0
HOUR = 3_600.0


class Machine:
    """A machine whose clock is `skew` seconds ahead; questions to the broker take `journey` seconds there and back."""

    def __init__(self, skew: float, journey: float = 0.1) -> None:
        self.skew, self.journey = skew, journey
        self.passed = 0.0
        self.clock = BrokerClock(wall=lambda: BROKER + self.passed + self.skew, monotonic=lambda: 50.0 + self.passed)

    def ask(self) -> float:
        self.passed += self.journey / 2
        said = BROKER + self.passed
        self.passed += self.journey / 2
        return said

    def measure(self) -> None:
        self.clock.measure(self.ask)

    @property
    def error(self) -> float:
        return self.clock.now() - (BROKER + self.passed)


@pytest.mark.parametrize("skew", [HOUR, -HOUR, 0.0])
def test_the_time_is_the_broker_s_whatever_the_machine_says(skew: float) -> None:
    machine = Machine(skew)
    machine.measure()
    machine.passed += 100
    assert machine.error == pytest.approx(0, abs=0.001)
    assert machine.clock.skew_seconds() == pytest.approx(skew, abs=0.001)


def test_before_the_first_answer_it_is_the_machine_s_own() -> None:
    machine = Machine(HOUR)
    assert (machine.clock.is_known, machine.error, machine.clock.skew_seconds()) == (False, HOUR, 0)


def test_a_clock_that_is_put_right_in_between_changes_nothing() -> None:
    machine = Machine(HOUR)
    machine.measure()
    machine.skew = 0.0
    assert machine.error == pytest.approx(0, abs=0.001)
    assert machine.clock.skew_seconds() == pytest.approx(0, abs=0.001)


def test_an_answer_that_was_long_on_its_way_does_not_move_the_clock() -> None:
    machine = Machine(0.0)
    machine.measure()
    before = machine.clock.now() - machine.passed

    def late() -> float:
        machine.passed += 5.0
        return BROKER

    machine.clock.measure(late)
    assert machine.clock.now() - machine.passed == pytest.approx(before)


def test_a_broker_whose_time_moved_is_followed() -> None:
    machine = Machine(0.0)
    machine.measure()
    machine.clock.measure(lambda: machine.ask() + 10)
    assert machine.error == pytest.approx(10, abs=0.001)
