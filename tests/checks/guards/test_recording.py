"""What workers report of guards: the latest look wins, and the region's line follows from all of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.catalog.models import Region
from apps.checks.guards.recording import record_guard_reports
from apps.checks.guards.selectors import FRESH_SECONDS, line_of_regions, sentence_of
from apps.checks.guards.services import update_guard
from apps.checks.messages import GuardReport
from apps.checks.models import Guard
from apps.core import clock
from apps.core.ids import uuid7
from apps.core.news import News, published
from tests.checks.guards.listed import list_guard, local, report

pytestmark = pytest.mark.django_db


def record(*reports: Any) -> None:
    record_guard_reports(local().pk, reports)


def line() -> tuple[str, datetime | None]:
    view = line_of_regions()[local().pk]
    return view.state, view.since


@pytest.fixture
def heard(django_capture_on_commit_callbacks: Any) -> Any:
    """Calls something and returns the news that were published by it."""

    def during(act: Any) -> list[News]:
        news: list[News] = []

        def listen(news: list[News], heard: list[News] = news, **_: Any) -> None:
            heard += news

        published.connect(listen)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                act()
        finally:
            published.disconnect(listen)
        return news

    return during


def test_a_guard_nobody_has_looked_at_says_so_and_the_line_is_unknown() -> None:
    guard = list_guard()
    assert (guard.state, sentence_of(guard)) == ("unknown", "Not looked at yet")
    assert line() == ("unknown", None)


def test_a_look_is_written_down_with_why_and_since_when() -> None:
    guard = list_guard()
    found = report(guard, answers=False, ago=5, evidence={"host": "127.0.0.1", "port": 9})
    record(found)
    guard.refresh_from_db()
    assert guard.state == "fails"
    assert guard.since == guard.last_looked_at
    assert guard.since is not None and abs(guard.since.timestamp() - found.at) < 0.001
    assert sentence_of(guard) == "127.0.0.1 refused the connection on port 9."


def test_an_older_report_never_overwrites_a_newer_one() -> None:
    guard = list_guard()
    record(report(guard, answers=True))
    record(report(guard, answers=False, ago=3))
    guard.refresh_from_db()
    assert guard.state == "answers"


def test_since_moves_only_when_the_guard_changes() -> None:
    guard = list_guard()
    for ago, answers in ((40, True), (30, True), (20, False), (10, False)):
        record(report(guard, answers=answers, ago=ago))
    guard.refresh_from_db()
    assert guard.since is not None and guard.last_looked_at is not None
    assert round((guard.last_looked_at - guard.since).total_seconds()) == 10


def test_a_clock_that_is_ahead_keeps_nobody_out() -> None:
    guard = list_guard()
    record(report(guard, answers=False, ago=-3_600))
    guard.refresh_from_db()
    assert guard.last_looked_at is not None and guard.last_looked_at <= clock.now()
    Guard.objects.update(last_looked_at=clock.now() - timedelta(seconds=10))
    record(report(guard, answers=True))
    guard.refresh_from_db()
    assert guard.state == "answers"


def test_guards_of_another_region_gone_or_switched_off_are_left_alone() -> None:
    seoul = Region.objects.create(slug="seoul", name="Seoul")
    foreign, off = list_guard(seoul), list_guard(enabled=False)
    gone = Guard(pk=uuid7())
    record(*(report(guard, answers=False) for guard in (foreign, off, gone)))
    record(GuardReport(guard="not an id", answers=False, reason="timeout", at=1e300))
    assert set(Guard.objects.values_list("state", flat=True)) == {"unknown"}


def test_a_guard_that_could_not_be_looked_at_is_unknown_and_says_why() -> None:
    guard = list_guard()
    record(report(guard, answers=False, reason="internal_error", evidence={"detail": "too many open files"}))
    guard.refresh_from_db()
    assert guard.state == "unknown"
    assert "too many open files" in sentence_of(guard)
    assert line() == ("unknown", None)


def test_pages_hear_of_a_change_and_not_of_every_look(heard: Any) -> None:
    guard = list_guard()
    first = heard(lambda: record(report(guard, answers=True, ago=30)))
    again = heard(lambda: record(report(guard, answers=True, ago=20)))
    lost = heard(lambda: record(report(guard, answers=False, ago=10)))
    assert [(one.type, one.ids, one.environment) for one in first] == [("region.line", (local().pk,), None)]
    assert again == []
    assert len(lost) == 1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (True, True, "answers"),
        (True, False, "answers"),
        (False, False, "lost"),
        (False, None, "lost"),
        (None, None, "unknown"),
    ],
)
def test_a_line_is_lost_when_no_guard_looked_at_lately_answers(
    first: bool | None, second: bool | None, expected: str
) -> None:
    guards = list_guard(), list_guard()
    for guard, answers in zip(guards, (first, second), strict=True):
        if answers is not None:
            record(report(guard, answers=answers))
    state, since = line()
    assert state == expected
    assert (since is None) == (expected == "unknown")


def test_a_line_is_lost_since_the_last_guard_stopped_answering() -> None:
    first, second = list_guard(), list_guard()
    record(report(first, answers=False, ago=40), report(second, answers=False, ago=25))
    record(report(first, answers=False, ago=1), report(second, answers=False, ago=1))
    second.refresh_from_db()
    assert line() == ("lost", second.since)


def test_old_looks_say_nothing_and_a_region_without_guards_is_unguarded() -> None:
    assert line() == ("unguarded", None)
    guard = list_guard()
    record(report(guard, answers=False, ago=FRESH_SECONDS + 1))
    assert line() == ("unknown", None)
    update_guard(actor=None, guard=guard, enabled=False)
    assert line() == ("unguarded", None)


def test_the_lines_of_all_regions_cost_two_queries(django_assert_num_queries: Any) -> None:
    for number in range(5):
        region = Region.objects.create(slug=f"region-{number}", name=f"Region {number}")
        list_guard(region)
        list_guard(region)
    with django_assert_num_queries(2):
        lines = line_of_regions()
    assert len(lines) == 6
    assert all(len(view.guards) == 2 for region, view in lines.items() if region != local().pk)


def test_an_edit_forgets_what_was_found_before() -> None:
    guard = list_guard()
    record(report(guard, answers=False))
    update_guard(actor=None, guard=guard, config={"host": "127.0.0.1", "port": 10})
    guard.refresh_from_db()
    assert (guard.state, guard.since, guard.reason) == ("unknown", None, "")


def test_another_name_forgets_nothing() -> None:
    guard = list_guard()
    record(report(guard, answers=False))
    update_guard(actor=None, guard=guard, name="Gateway")
    guard.refresh_from_db()
    assert (guard.name, guard.state) == ("Gateway", "fails")
