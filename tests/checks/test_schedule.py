"""Claims: every due row to exactly one batch, by the database's clock, on its own grid."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection

from apps.checks import schedule
from apps.checks.models import CheckRegion
from apps.checks.services import update_check
from apps.core.clock import database_moment
from tests.checks.looking import OK, claim, finished, local, make_check, record


def move(check_id: UUID, column: str, seconds: float) -> None:
    """Set one moment of the check's row to now plus `seconds`, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE checks_checkregion SET {column} = now() + make_interval(secs => %s) WHERE check_id = %s",
            [seconds, check_id],
        )


@pytest.mark.django_db
def test_a_new_check_is_due_at_once_and_claimed_once() -> None:
    check = make_check()
    claims = schedule.claim_due(local().pk)
    assert [claim.check_id for claim in claims] == [check.pk]
    assert schedule.claim_due(local().pk) == []


@pytest.mark.django_db
def test_a_paused_check_is_never_due() -> None:
    check = make_check()
    update_check(actor=None, check=check, enabled=False)
    assert schedule.claim_due(local().pk) == []
    update_check(actor=None, check=check, enabled=True)
    assert len(schedule.claim_due(local().pk)) == 1


@pytest.mark.django_db
def test_a_lost_claim_comes_back_after_its_lease_with_a_new_generation() -> None:
    check = make_check()
    [first] = schedule.claim_due(local().pk)
    move(check.pk, "lease_until", -1)
    [second] = schedule.claim_due(local().pk)
    assert second.generation == first.generation + 1


@pytest.mark.django_db
def test_a_check_lost_twice_moves_along_its_grid() -> None:
    check = make_check(interval_seconds=3_600)
    schedule.claim_due(local().pk)
    for _ in range(2):
        move(check.pk, "lease_until", -1)
        [again] = schedule.claim_due(local().pk)
        assert again.due_at <= time.time(), "its moment is past: what moves on is the next one"
    move(check.pk, "lease_until", -1)
    assert schedule.claim_due(local().pk) == []


@pytest.mark.django_db
def test_a_look_that_was_lost_twice_starts_at_once_and_not_at_the_next_moment_of_its_grid() -> None:
    check = make_check(interval_seconds=3_600)
    [first] = schedule.claim_due(local().pk)
    for _ in range(2):
        move(check.pk, "lease_until", -1)
        [again] = schedule.claim_due(local().pk)
        assert again.due_at == first.due_at


@pytest.mark.django_db
def test_a_claim_that_is_given_back_is_due_again_unless_somebody_else_has_it() -> None:
    check = make_check()
    [claim] = schedule.claim_due(local().pk)
    schedule.give_back(check.pk, local().pk, claim.generation - 1)
    assert schedule.claim_due(local().pk) == []
    schedule.give_back(check.pk, local().pk, claim.generation)
    assert len(schedule.claim_due(local().pk)) == 1


@pytest.mark.django_db
def test_a_result_that_comes_before_its_moment_does_not_bring_that_moment_again() -> None:
    check = make_check(interval_seconds=10)
    due_at = database_moment().timestamp() + 0.5
    check.regions.update(next_due_at=datetime.fromtimestamp(due_at, UTC), offset_seconds=due_at % 10)
    [ahead] = schedule.claim_due(local().pk)
    record(finished(check, OK, ahead.generation))
    assert check.regions.get().next_due_at.timestamp() == pytest.approx(due_at + 10, abs=0.01)


@pytest.mark.django_db
def test_a_look_somebody_asked_for_leaves_the_next_moment_as_it_is() -> None:
    check = make_check(interval_seconds=10)
    due_at = database_moment().timestamp() + 5
    check.regions.update(next_due_at=datetime.fromtimestamp(due_at, UTC), offset_seconds=due_at % 10)
    record(finished(check, OK, claim(check)))
    assert check.regions.get().next_due_at.timestamp() == pytest.approx(due_at, abs=0.01)


@pytest.mark.django_db
def test_a_lease_outlives_its_own_timeout_and_not_that_of_a_slower_check() -> None:
    quick, slow = make_check("Quick", timeout_seconds=1), make_check("Slow", timeout_seconds=30)
    schedule.claim_due(local().pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT check_id, extract(epoch FROM lease_until - now())::float8 FROM checks_checkregion")
        leases = dict(cursor.fetchall())
    margin = schedule.LEASE_MARGIN_SECONDS + schedule.AHEAD_SECONDS
    assert leases == {quick.pk: pytest.approx(1 + margin), slow.pk: pytest.approx(30 + margin)}


@pytest.mark.django_db
def test_offsets_spread_over_the_interval_and_never_leave_it() -> None:
    region = local().pk
    offsets = [schedule.offset_of(UUID(int=number * 7_919), region, 60) for number in range(1_000)]
    assert all(0 <= offset < 60 for offset in offsets)
    fullest = Counter(int(offset) for offset in offsets).most_common(1)[0][1]
    assert fullest < 60


@pytest.mark.django_db(transaction=True)
def test_many_claimers_at_once_share_the_rows_without_a_double() -> None:
    for number in range(60):
        make_check(f"Target {number}")
    region = local().pk
    claimed: list[UUID] = []
    lock = threading.Lock()

    def work() -> None:
        try:
            while claims := schedule.claim_due(region, limit=5):
                with lock:
                    claimed.extend(claim.check_id for claim in claims)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == CheckRegion.objects.count() == 60
