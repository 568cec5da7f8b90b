"""What pages read of checks: the latest of each, in a fixed number of queries."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.status import Status
from apps.checks import history, selectors
from tests.checks.looking import FAILED, OK, add_check, look, make_check

pytestmark = pytest.mark.django_db


def test_the_latest_result_of_each_check_comes_with_what_it_measured() -> None:
    check = make_check()
    other = add_check(check.target, name="Second")
    look(check, OK, FAILED)
    latest = selectors.latest_results([check.pk, other.pk])
    assert set(latest) == {check.pk}
    assert (latest[check.pk].state, latest[check.pk].measurements) == ("failed", {})


def test_the_checks_of_a_target_cost_the_same_whatever_their_number() -> None:
    def queries(number: int) -> int:
        first = make_check(f"Target {uuid4()}")
        checks = [first, *(add_check(first.target, name=f"Check {position}") for position in range(number))]
        for check in checks:
            look(check, OK, FAILED)
        with CaptureQueriesContext(connection) as captured:
            cards = selectors.list_checks_of(first.target)
        assert len(cards) == number + 1
        assert {card.verdict for card in cards} == {Status.OPERATIONAL}
        assert all(card.evidence == {"expected": 200, "actual": 503} for card in cards)
        return len(captured)

    assert queries(1) == queries(12) <= 4


def test_sparklines_keep_gaps_as_gaps() -> None:
    check = make_check()
    look(check, OK)
    [line] = history.get_sparklines([check.target_id]).values()
    assert line[-1] == 12.5
    assert line[:-1] == [None] * 29
