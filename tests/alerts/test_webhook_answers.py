"""What each answer of a receiver means, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.alerts.channels.answers import classify, judge, judge_failure, retry_after
from apps.alerts.channels.base import DeliveryReason as R
from apps.core.outbound.exchange import OutboundError, OutboundReason

NOW = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ok", "retryable", "reason"),
    [
        (200, True, False, R.DELIVERED),
        (204, True, False, R.DELIVERED),
        (299, True, False, R.DELIVERED),
        (301, False, False, R.REDIRECTED),
        (302, False, False, R.REDIRECTED),
        (304, False, False, R.REDIRECTED),
        (308, False, False, R.REDIRECTED),
        (400, False, False, R.REFUSED),
        (401, False, False, R.UNAUTHORIZED),
        (403, False, False, R.UNAUTHORIZED),
        (404, False, False, R.NOT_FOUND),
        (405, False, False, R.REFUSED),
        (408, False, True, R.RECEIVER_TIMEOUT),
        (410, False, False, R.RECEIVER_GONE),
        (413, False, False, R.TOO_LARGE),
        (422, False, False, R.REFUSED),
        (425, False, True, R.RECEIVER_TIMEOUT),
        (429, False, True, R.RATE_LIMITED),
        (499, False, False, R.REFUSED),
        (500, False, True, R.RECEIVER_ERROR),
        (502, False, True, R.RECEIVER_ERROR),
        (503, False, True, R.RECEIVER_ERROR),
        (599, False, True, R.RECEIVER_ERROR),
        (600, False, False, R.UNEXPECTED_STATUS),
        (199, False, False, R.UNEXPECTED_STATUS),
    ],
)
def test_every_status_has_one_meaning(status: int, ok: bool, retryable: bool, reason: R) -> None:
    assert classify(status) == (ok, retryable, reason)


def test_what_was_delivered_is_never_repeated_and_only_410_disables() -> None:
    judged = {status: judge(status, {}, NOW) for status in range(100, 700)}
    assert not [status for status, delivery in judged.items() if delivery.ok and delivery.retryable]
    assert [status for status, delivery in judged.items() if delivery.disable] == [410]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("  ", None),
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("999999999999999999", 3_600),
        ("Sun, 29 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 29 Mar 2026 11:00:00 GMT", 0),
        ("Mon, 29 Mar 2027 12:00:00 GMT", 3_600),
        ("Sunday, 29-Mar-26 12:00:30 GMT", 30),
        ("Sun Mar 29 12:00:45 2026", 45),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),
        ("Sun, 99 Mar 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_and_is_bounded(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


def test_retry_after_counts_only_where_trying_again_makes_sense() -> None:
    headers = {"retry-after": "30"}
    assert judge(503, headers, NOW).retry_after_seconds == 30
    assert judge(404, headers, NOW).retry_after_seconds is None
    assert judge(200, headers, NOW).retry_after_seconds is None


def test_a_date_is_counted_from_the_moment_of_sending_in_any_zone() -> None:
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert retry_after("Sun, 29 Mar 2026 12:00:10 GMT", seoul) == 10


@pytest.mark.parametrize("failure", list(OutboundReason))
def test_every_way_the_network_can_fail_has_a_meaning(failure: OutboundReason) -> None:
    delivery = judge_failure(OutboundError(failure, {"host": "example.org"}))
    assert not delivery.ok
    assert delivery.status_code is None
    if failure not in (OutboundReason.BODY_TOO_LARGE, OutboundReason.DECOMPRESSION_BOMB):
        generic = delivery.reason is R.PROTOCOL_ERROR
        assert generic is (failure is OutboundReason.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("failure", "retryable"),
    [
        (OutboundReason.CONNECT_REFUSED, True),
        (OutboundReason.DNS_TIMEOUT, True),
        (OutboundReason.DNS_NOT_FOUND, True),
        (OutboundReason.TIMEOUT, True),
        (OutboundReason.TLS_EXPIRED, True),
        (OutboundReason.CONNECTION_RESET, True),
        (OutboundReason.ADDRESS_DENIED, False),
        (OutboundReason.INVALID_CONFIGURATION, False),
        (OutboundReason.REDIRECT_REFUSED, False),
    ],
)
def test_the_network_may_mend_itself_but_our_rules_do_not(failure: OutboundReason, retryable: bool) -> None:
    assert judge_failure(OutboundError(failure)).retryable is retryable


def test_a_status_that_arrived_counts_even_when_the_body_did_not() -> None:
    delivered = judge_failure(OutboundError(OutboundReason.BODY_TOO_LARGE, status=200))
    assert (delivered.ok, delivered.status_code) == (True, 200)
    gone = judge_failure(OutboundError(OutboundReason.SLOW_RESPONSE, status=410))
    assert gone.disable
    interim = judge_failure(OutboundError(OutboundReason.CONNECTION_RESET, status=100))
    assert (interim.retryable, interim.reason) == (True, R.CONNECTION_FAILED)
