"""Backing off: what cannot succeed is left alone for an hour at most, and no longer once what was wrong is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.catalog.models import Provider, TargetStatus
from apps.catalog.signals import provider_changed
from apps.checks import holding, schedule
from apps.checks.models import Check, CheckRegion
from apps.checks.staleness import find_stale_targets
from apps.core import clock
from apps.probes.base import Outcome, OutcomeState, Reason
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, finished, look, make_ai_check, outcome
from tests.checks.looking import claim, record
from tests.factories import make_model, make_provider

OURS = [
    Reason.INVALID_KEY,
    Reason.PERMISSION_DENIED,
    Reason.QUOTA_EXHAUSTED,
    Reason.BILLING,
    Reason.RATE_LIMITED,
]


def seen(reason: Reason, state: OutcomeState = DEGRADED, **evidence: Any) -> Outcome:
    return Outcome(state=state, reason=reason, evidence=evidence)


@pytest.mark.parametrize("reason", OURS)
def test_the_wait_doubles_and_never_exceeds_an_hour(reason: Reason) -> None:
    waits = [0]
    for _ in range(8):
        waits.append(holding.seconds(waits[-1], 60, "ai_ping", seen(reason)))
    assert waits == [0, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]


@pytest.mark.parametrize(
    ("held", "interval", "kind", "result", "wait"),
    [
        # Anything else ends it.
        (3_600, 60, "ai_ping", Outcome(state=OutcomeState.OK, reason=Reason.OK), 0),
        (3_600, 60, "ai_ping", seen(Reason.SERVER_ERROR, FAILED), 0),
        (3_600, 60, "ai_ping", seen(Reason.SLOW), 0),
        # A look that says nothing changes nothing.
        (480, 60, "ai_ping", seen(Reason.WORKER_LATE, OutcomeState.INDETERMINATE), 480),
        # Looks that cost nothing go on.
        (0, 60, "ai_models", seen(Reason.INVALID_KEY), 0),
        (0, 60, "http", seen(Reason.INVALID_KEY), 0),
        (0, 60, "gone", seen(Reason.INVALID_KEY), 0),
        # As long as the provider says, within an hour and never sooner than usual.
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=600), 600),
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=90.2), 91),
        (960, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=90), 90),
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=2), 60),
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=90_000), 3_600),
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=-5), 120),
        (0, 60, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds="soon"), 120),
        # One that looks every second waits a minute at least; one that looks seldom needs no waiting.
        (0, 1, "ai_ping", seen(Reason.QUOTA_EXHAUSTED), 60),
        (0, 3_600, "ai_ping", seen(Reason.QUOTA_EXHAUSTED), 0),
        (0, 86_400, "ai_ping", seen(Reason.RATE_LIMITED, retry_after_seconds=60), 0),
    ],
)
def test_the_rule(held: int, interval: int, kind: str, result: Outcome, wait: int) -> None:
    assert holding.seconds(held, interval, kind, result) == wait


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "held_out"),
    [
        (NOW - timedelta(hours=1), 3_600),
        (NOW - timedelta(minutes=56), 3_600),
        (NOW - timedelta(minutes=5), 0),
        (None, 0),
    ],
)
def test_a_look_that_was_freed_before_its_time_begins_to_wait_anew(last: datetime | None, held_out: int) -> None:
    assert holding.held_out(3_600, last, NOW) == held_out


def row_of(check: Check) -> CheckRegion:
    return CheckRegion.objects.get(source_check=check)


def seconds_to_next(check: Check) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM next_due_at - now()) FROM checks_checkregion WHERE check_id = %s", [check.pk]
        )
        return float(cursor.fetchone()[0])


def refused(check: Check, reason: Reason = Reason.INVALID_KEY, times: int = 2) -> None:
    """Looks that are refused, each as long after the one before as it had to wait."""
    for _ in range(times):
        look(check, DEGRADED, reason)
        seconds = row_of(check).held_seconds
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE checks_checkregion SET last_result_at = last_result_at - make_interval(secs => %s)"
                " WHERE check_id = %s",
                [seconds, check.pk],
            )


@pytest.mark.django_db
def test_a_key_that_is_refused_degrades_and_the_next_look_comes_later_and_later() -> None:
    check = make_ai_check(kind="ai_ping")
    refused(check)
    status = TargetStatus.objects.get(pk=check.target_id)
    assert (status.status, status.reason) == ("degraded", "invalid_key")
    assert row_of(check).held_seconds == 240
    assert 230 < seconds_to_next(check) <= 240
    look(check)
    assert row_of(check).held_seconds == 0
    assert seconds_to_next(check) <= 60


@pytest.mark.django_db
def test_a_check_that_is_left_alone_is_not_stale_while_it_waits() -> None:
    check = make_ai_check(kind="ai_ping")
    refused(check, times=4)
    assert row_of(check).held_seconds == 960
    schedule.mark_tick()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_clock SET steady_since = now() - interval '1 day'")
        cursor.execute("UPDATE checks_checkregion SET last_result_at = now() - interval '16 minutes'")
        assert find_stale_targets() == []
        schedule.release([check.target_id])
        assert find_stale_targets() == [], "nor when it is freed and its look is on its way"
        cursor.execute("UPDATE checks_checkregion SET last_result_at = now() - interval '49 minutes'")
    assert find_stale_targets() == [check.target_id]


def change(provider: Provider, *fields: str) -> None:
    provider_changed.send(sender=Provider, provider=provider, fields=frozenset(fields), actor=None)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["api_key", "base_url", "dialect", "monthly_cap"])
def test_who_changes_what_stood_in_the_way_is_not_kept_waiting(field: str) -> None:
    provider = make_provider()
    checks = [make_ai_check(make_model(provider).target, "ai_ping") for _ in range(2)]
    other = make_ai_check(kind="ai_ping")
    for check in (*checks, other):
        refused(check, times=3)
    change(provider, field)
    assert all(seconds_to_next(check) <= 0 for check in checks)
    assert seconds_to_next(other) > 400


@pytest.mark.django_db
def test_a_change_that_has_nothing_to_do_with_it_frees_nobody() -> None:
    provider = make_provider()
    check = make_ai_check(make_model(provider).target, "ai_ping")
    refused(check, times=3)
    change(provider, "status_page_url", "paid_at_once")
    assert seconds_to_next(check) > 400


@pytest.mark.django_db
def test_a_new_key_that_is_refused_too_begins_to_wait_from_the_start() -> None:
    provider = make_provider()
    check = make_ai_check(make_model(provider).target, "ai_ping")
    refused(check, times=5)
    CheckRegion.objects.filter(source_check=check).update(last_result_at=clock.now() - timedelta(minutes=3))
    change(provider, "api_key")
    look(check, DEGRADED, Reason.INVALID_KEY)
    assert row_of(check).held_seconds == 120


@pytest.mark.django_db
def test_when_the_free_look_works_again_the_paid_ones_are_taken_at_once() -> None:
    target = make_model().target
    listing, ping = make_ai_check(target, "ai_models"), make_ai_check(target, "ai_ping")
    look(listing, DEGRADED, Reason.INVALID_KEY)
    refused(ping, times=3)
    assert seconds_to_next(ping) > 400
    look(listing)
    assert seconds_to_next(ping) <= 0


@pytest.mark.django_db
def test_a_free_look_that_was_always_good_frees_nobody() -> None:
    target = make_model().target
    listing, ping = make_ai_check(target, "ai_models"), make_ai_check(target, "ai_ping")
    look(listing)
    refused(ping, Reason.QUOTA_EXHAUSTED, times=3)
    look(listing)
    look(listing, DEGRADED, Reason.RATE_LIMITED)
    look(listing)
    assert seconds_to_next(ping) > 400


@pytest.mark.django_db
def test_the_free_look_at_a_provider_frees_all_its_models(django_capture_on_commit_callbacks: Any) -> None:
    provider = make_provider()
    listing = make_ai_check(provider.target, "ai_models")
    ping = make_ai_check(make_model(provider).target, "ai_ping")
    look(listing, DEGRADED, Reason.PERMISSION_DENIED)
    refused(ping, Reason.PERMISSION_DENIED, times=3)
    item = finished(listing, outcome(), claim(listing))
    with django_capture_on_commit_callbacks(execute=True):
        record(item)
    assert seconds_to_next(ping) <= 0
