"""After a failure a check is looked at again sooner, until its threshold has decided; then it keeps its interval."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from apps.checks.models import Check
from apps.probes.base import OutcomeState
from tests.checks.looking import DEGRADED, FAILED, INDETERMINATE, OK, look, make_check

pytestmark = pytest.mark.django_db


def seconds_to_next(check: Check) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_due_at - now()) FROM checks_checkregion WHERE check_id = %s", [check.pk]
        )
        return float(cursor.fetchone()[0])


def hourly(**fields: Any) -> Check:
    return make_check(interval_seconds=86_400, retry_interval_seconds=5, failure_threshold=3, **fields)


@pytest.mark.parametrize(
    ("seen", "soon"),
    [
        ((OK,), False),
        ((OK, FAILED), True),
        ((OK, FAILED, FAILED), True),
        ((OK, FAILED, FAILED, FAILED), False),
        ((OK, FAILED, OK), False),
        ((OK, DEGRADED), True),
        ((FAILED,), True),
        ((OK, INDETERMINATE), False),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else str(value),
)
def test_the_next_look_is_soon_only_while_in_doubt(seen: tuple[OutcomeState, ...], soon: bool) -> None:
    check = hourly()
    look(check, *seen)
    assert (seconds_to_next(check) <= 5.1) is soon


def test_a_recovery_that_needs_more_than_one_success_is_confirmed_sooner_too() -> None:
    check = hourly(recovery_threshold=2)
    look(check, FAILED, FAILED, FAILED)
    assert seconds_to_next(check) > 10, "decided: back to its interval"
    look(check, OK)
    assert seconds_to_next(check) <= 5.1
    look(check, OK)
    assert seconds_to_next(check) > 10


def test_without_the_option_a_failure_changes_nothing_about_when() -> None:
    check = make_check(interval_seconds=86_400, failure_threshold=3)
    look(check, OK, FAILED)
    assert seconds_to_next(check) > 10


def test_the_usual_moment_is_not_put_off_when_it_comes_sooner() -> None:
    check = make_check(interval_seconds=6, timeout_seconds=1, retry_interval_seconds=5, failure_threshold=3)
    look(check, OK, FAILED)
    assert seconds_to_next(check) <= 5.1
