"""When a worker counts as stuck: a table of what was heard and how long the queues were."""

from __future__ import annotations

import pytest

from apps.core.embedded.watchdog import SilenceRule

# Each look: (second, heartbeat or None, messages queued).
STUCK = {
    "silent for more than 15 s while the queue grew": [(1, "a", 0), (40, "b", 0), (50, "b", 4), (56, "b", 9)],
    "never heard of since its start, 30 s ago": [(1, None, 0), (31, None, 5)],
    "heard once in its first seconds, then stuck": [(2, "a", 0), (20, "a", 9), (31, "a", 20)],
}
FINE = {
    "silent, but nothing waits": [(1, "a", 0), (40, "b", 0), (60, "b", 0)],
    "silent, but somebody else empties the queue": [(1, "a", 0), (40, "b", 30), (60, "b", 12)],
    "a long queue, but it is heard": [(second, str(second), second * 10) for second in range(1, 90)],
    "starting, with a queue from before": [(1, None, 500), (29, None, 900)],
    "starting, with a heartbeat from the worker before": [(1, "old", 5), (17, "old", 40), (29, "old", 60)],
}


@pytest.mark.parametrize("looks", STUCK.values(), ids=STUCK.keys())
def test_stuck(looks: list[tuple[int, str | None, int]]) -> None:
    rule = SilenceRule(now=0)
    assert [rule.is_stuck(*look) for look in looks] == [False] * (len(looks) - 1) + [True]


@pytest.mark.parametrize("looks", FINE.values(), ids=FINE.keys())
def test_not_stuck(looks: list[tuple[int, str | None, int]]) -> None:
    rule = SilenceRule(now=0)
    assert not any(rule.is_stuck(*look) for look in looks)


def test_a_restarted_worker_gets_time_again() -> None:
    rule = SilenceRule(now=0)
    rule.is_stuck(35, "a", 0)
    assert rule.is_stuck(51, "a", 9)
    rule.worker_started(51)
    assert not rule.is_stuck(52, "a", 50)
    assert not rule.is_stuck(80, "a", 99)
    assert rule.is_stuck(82, "a", 120)
