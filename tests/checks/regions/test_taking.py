"""When a consumer counts as stuck: messages wait, it takes none, and they are its own to take."""

from __future__ import annotations

import pytest

from apps.checks.regions.taking import STUCK_SECONDS, TakingRule

LONG = STUCK_SECONDS + 1


@pytest.mark.parametrize(
    ("beats", "stuck"),
    [
        ([(0, 5, True), (2, 5, True), (2 + LONG, 5, True)], True),
        ([(0, 5, True), (2, 5, True), (1 + STUCK_SECONDS, 5, True)], False),
        ([(0, 0, True), (LONG, 5, True)], False),
        ([(0, 5, False), (2, 5, False), (2 + LONG, 5, False)], False),
        ([(0, 5, True), (2, 5, True), (10, 0, True), (2 + LONG, 5, True)], False),
    ],
)
def test_waiting_messages_that_nobody_takes(beats: list[tuple[float, int, bool]], stuck: bool) -> None:
    now = [0.0]
    rule = TakingRule(monotonic=lambda: now[0])
    found = False
    for at, waiting, is_open in beats:
        now[0] = at
        found = rule.is_stuck(taken=0, waiting=waiting, is_open=is_open)
    assert found is stuck


def test_a_consumer_that_takes_some_is_busy_and_not_stuck() -> None:
    now = [0.0]
    rule = TakingRule(monotonic=lambda: now[0])
    for taken in range(30):
        now[0] += 2.0
        assert not rule.is_stuck(taken=taken, waiting=20, is_open=True)
