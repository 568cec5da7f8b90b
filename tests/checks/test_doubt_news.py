"""Open pages hear when the latest looks begin or cease to contradict a status, though the status stays what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from apps.checks.models import Check
from apps.core.news import News, published
from apps.probes.base import OutcomeState
from tests.checks.looking import DEGRADED, FAILED, INDETERMINATE, OK, look, make_check

pytestmark = pytest.mark.django_db


@contextmanager
def hearing() -> Iterator[list[News]]:
    heard: list[News] = []

    def hear(news: list[News], **_: Any) -> None:
        heard.extend(item for item in news if item.type.startswith("target."))

    published.connect(hear)
    try:
        yield heard
    finally:
        published.disconnect(hear)


@pytest.fixture
def check() -> Check:
    """One that is operational, and needs three bad looks to be anything else."""
    made = make_check("Shop", failure_threshold=3)
    look(made, OK)
    return made


@pytest.mark.parametrize(
    ("states", "types"),
    [
        ([OK, OK], []),
        ([FAILED], ["target.doubt"]),
        ([FAILED, FAILED], ["target.doubt"] * 2),
        ([FAILED, FAILED, FAILED], ["target.doubt", "target.doubt", "target.status"]),
        ([FAILED, OK, OK], ["target.doubt"] * 2),
        ([DEGRADED, FAILED], ["target.doubt"] * 2),
        ([FAILED, INDETERMINATE], ["target.doubt"]),
        ([FAILED, FAILED, FAILED, FAILED, FAILED], ["target.doubt", "target.doubt", "target.status"]),
    ],
)
def test_every_step_towards_another_status_is_told_once(
    check: Check, states: list[OutcomeState], types: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with hearing() as heard, django_capture_on_commit_callbacks(execute=True):
        look(check, *states)
    assert [news.type for news in heard] == types
    assert all(news.ids == (check.target_id,) for news in heard)
    assert all(news.environment == check.target.environment_id for news in heard)


def test_a_canary_in_doubt_is_told_too(django_capture_on_commit_callbacks: Any) -> None:
    canary = make_check("Shop", affects_status=False)
    look(canary, OK)
    with hearing() as heard, django_capture_on_commit_callbacks(execute=True):
        look(canary, FAILED, FAILED, FAILED)
    assert [news.type for news in heard] == ["target.doubt"] * 2
