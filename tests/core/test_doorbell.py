"""Beat's scheduler rings what is due and sleeps until the next."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery

from apps.core.doorbell import Doorbell


class Rung(Doorbell):
    """Writes down what it rings instead of sending it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.rung: list[str] = []
        super().__init__(*args, **kwargs)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        self.rung.append(entry.name)


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> tuple[Rung, list[float]]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    # Not the current one: tasks of other stories would be sent to its memory.
    app = Celery("bell", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {
        "tick": {"task": "tick", "schedule": 1.0},
        "sweep": {"task": "sweep", "schedule": timedelta(seconds=60)},
    }
    scheduler = Rung(app=app, lazy=True)
    scheduler.setup_schedule()
    return scheduler, now


def test_everything_rings_at_once_and_then_in_its_own_rhythm(bell: tuple[Rung, list[float]]) -> None:
    scheduler, now = bell
    for _ in range(61):
        assert scheduler.tick() == pytest.approx(1.0)
        now[0] += 1.0
    assert scheduler.rung.count("tick") == 61
    assert scheduler.rung.count("sweep") == 2


def test_the_rhythm_does_not_drift_when_a_ring_is_late(bell: tuple[Rung, list[float]]) -> None:
    scheduler, now = bell
    scheduler.tick()
    now[0] += 1.25
    assert scheduler.tick() == pytest.approx(0.75)


def test_after_a_gap_it_rings_once_and_does_not_make_up_for_it(bell: tuple[Rung, list[float]]) -> None:
    scheduler, now = bell
    scheduler.tick()
    now[0] += 30.0
    assert scheduler.tick() == pytest.approx(0.5)
    assert scheduler.rung.count("tick") == 2
