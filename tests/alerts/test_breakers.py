"""The breaker of a channel while several senders are in the air: what each of them brings back counts once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from apps.alerts.channels.base import Delivery, DeliveryReason
from apps.alerts.claims import PER_CHANNEL, Claimed, claim_due
from apps.alerts.delivery import Attempt, record_attempts
from apps.alerts.models import Channel, Notification
from apps.alerts.policy import BREAKER_BASE_SECONDS, BREAKER_THRESHOLD
from apps.alerts.routing import route_all
from apps.core import clock
from tests.alerts.world import make_channel, make_due, make_incident

pytestmark = pytest.mark.django_db

ARRIVED = Delivery(ok=True, retryable=False, reason=DeliveryReason.DELIVERED, status_code=204)
BROKEN = Delivery(ok=False, retryable=True, reason=DeliveryReason.CONNECTION_FAILED)
SLOW_DOWN = Delivery(False, True, DeliveryReason.RATE_LIMITED, status_code=429, retry_after_seconds=90)
LAST_ONE = Delivery(True, False, DeliveryReason.DELIVERED, status_code=204, retry_after_seconds=90)


def take_off(count: int = PER_CHANNEL) -> list[Claimed]:
    """That many messages of one channel in the air."""
    make_channel("http://127.0.0.1:9/")
    for number in range(count + 2):
        make_incident(f"Service {number}")
    route_all()
    claimed = claim_due(count)
    assert len(claimed) == count
    return claimed


def land(claimed: Sequence[Claimed], *deliveries: Delivery) -> Channel:
    """They come back together, the first one first."""
    now = clock.now()
    record_attempts(
        [
            Attempt(one, now + timedelta(milliseconds=number), 1.0, delivery)
            for number, (one, delivery) in enumerate(zip(claimed, deliveries, strict=True))
        ]
    )
    return Channel.objects.get()


def open_seconds(channel: Channel) -> float:
    return 0.0 if channel.open_until is None else (channel.open_until - clock.now()).total_seconds()


def test_one_hiccup_that_meets_all_senders_opens_the_breaker_for_its_shortest_time() -> None:
    channel = land(take_off(), *[BROKEN] * PER_CHANNEL)
    assert channel.failures == BREAKER_THRESHOLD
    assert 0 < open_seconds(channel) <= BREAKER_BASE_SECONDS


def test_a_probe_that_fails_doubles_the_time() -> None:
    land(take_off(), *[BROKEN] * PER_CHANNEL)
    make_due()
    Channel.objects.update(open_until=clock.now())
    [probe] = claim_due(10)
    channel = land([probe], BROKEN)
    assert channel.failures == BREAKER_THRESHOLD + 1
    assert BREAKER_BASE_SECONDS < open_seconds(channel) <= 2 * BREAKER_BASE_SECONDS


@pytest.mark.parametrize("together", [True, False])
def test_what_arrives_late_does_not_unsay_that_the_receiver_wants_to_be_left_alone(together: bool) -> None:
    first, second = take_off(2)
    if together:
        channel = land([first, second], SLOW_DOWN, ARRIVED)
    else:
        land([first], SLOW_DOWN)
        channel = land([second], ARRIVED)
    assert open_seconds(channel) > 80
    assert channel.open_since is None, "something arrived, so the channel is not broken"
    assert claim_due(10) == []


def test_after_the_last_one_that_is_taken_the_next_waits_and_nothing_is_broken() -> None:
    channel = land(take_off(1), LAST_ONE)
    assert Notification.objects.filter(state="sent").count() == 1
    assert open_seconds(channel) > 80
    assert (channel.failures, channel.open_since) == (0, None)
    assert claim_due(10) == []
    Channel.objects.update(open_until=clock.now())
    assert len(claim_due(10)) == 2


def test_a_receiver_that_goes_on_asking_to_wait_has_not_answered_since_the_first_time() -> None:
    [first] = take_off(1)
    channel = land([first], SLOW_DOWN)
    since = channel.open_since
    assert since is not None
    make_due()
    Channel.objects.update(open_until=clock.now())
    channel = land(claim_due(1), SLOW_DOWN)
    assert channel.open_since == since


def test_a_breaker_that_is_open_is_closed_by_whatever_arrives() -> None:
    claimed = take_off()
    land(claimed[:BREAKER_THRESHOLD], *[BROKEN] * BREAKER_THRESHOLD)
    channel = land(claimed[BREAKER_THRESHOLD:][:1], ARRIVED)
    assert (channel.failures, channel.open_until, channel.open_since) == (0, None, None)
