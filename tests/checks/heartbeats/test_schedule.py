"""When the next ping is expected: periods, cron expressions, and the two nights a year that are odd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.checks.heartbeats.schedule import REPEAT_AT_LEAST, grace_of, next_after_silence, next_expected
from apps.probes.kinds.heartbeat import YEAR, HeartbeatConfig

NEW_YORK, BERLIN, SEOUL = "America/New_York", "Europe/Berlin", "Asia/Seoul"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def cron(expression: str, timezone: str = "UTC", **fields: Any) -> HeartbeatConfig:
    return HeartbeatConfig(cron=expression, timezone=timezone, **fields)


def test_a_period_counts_from_the_ping() -> None:
    config = HeartbeatConfig(period_seconds=90)
    assert next_expected(config, moment("2026-01-01T00:00:10Z")) == moment("2026-01-01T00:01:40Z")


@pytest.mark.parametrize(
    ("expression", "timezone", "after", "expected"),
    [
        ("0 2 * * *", "UTC", "2026-01-01T01:59:59.9Z", "2026-01-01T02:00Z"),
        ("0 2 * * *", "UTC", "2026-01-01T02:00:00Z", "2026-01-02T02:00Z"),
        ("0 2 * * *", "UTC", "2026-01-01T02:00:00.5Z", "2026-01-02T02:00Z"),
        ("*/15 * * * *", "UTC", "2026-01-01T23:46Z", "2026-01-02T00:00Z"),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2028-02-29T00:00Z"),
        ("0 0 L * *", "UTC", "2027-02-01T00:00Z", "2027-02-28T00:00Z"),
        # Seoul has no daylight saving: nine hours ahead, always.
        ("0 2 * * *", SEOUL, "2026-03-28T12:00Z", "2026-03-28T17:00Z"),
        ("0 2 * * *", SEOUL, "2026-10-24T17:00Z", "2026-10-25T17:00Z"),
        ("0 9 * * MON", SEOUL, "2026-01-02T00:00Z", "2026-01-05T00:00Z"),
        # 8 March 2026: New York skips from 02:00 to 03:00 (07:00 UTC).
        ("30 2 * * *", NEW_YORK, "2026-03-07T12:00Z", "2026-03-08T07:00Z"),
        ("30 2 * * *", NEW_YORK, "2026-03-08T07:00Z", "2026-03-09T06:30Z"),
        ("30 3 * * *", NEW_YORK, "2026-03-08T06:59Z", "2026-03-08T07:30Z"),
        ("30 * * * *", NEW_YORK, "2026-03-08T06:30Z", "2026-03-08T07:30Z"),
        ("*/30 * * * *", NEW_YORK, "2026-03-08T06:30Z", "2026-03-08T07:00Z"),
        # 29 March 2026: Berlin skips from 02:00 to 03:00 (01:00 UTC).
        ("15 2 * * *", BERLIN, "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("15 2 * * *", BERLIN, "2026-03-29T01:00Z", "2026-03-30T00:15Z"),
        ("0 12 * * *", BERLIN, "2026-03-28T11:00Z", "2026-03-29T10:00Z"),
        # 1 November 2026: New York's 01:00 to 02:00 comes twice (05:00 and 06:00 UTC).
        ("30 1 * * *", NEW_YORK, "2026-11-01T04:00Z", "2026-11-01T05:30Z"),
        ("30 1 * * *", NEW_YORK, "2026-11-01T05:30Z", "2026-11-02T06:30Z"),
        ("30 1 * * *", NEW_YORK, "2026-11-01T06:10Z", "2026-11-02T06:30Z"),
        ("*/30 * * * *", NEW_YORK, "2026-11-01T05:30Z", "2026-11-01T06:00Z"),
        ("*/30 * * * *", NEW_YORK, "2026-11-01T06:00Z", "2026-11-01T06:30Z"),
        # 25 October 2026: Berlin's 02:00 to 03:00 comes twice (00:00 and 01:00 UTC).
        ("30 2 * * *", BERLIN, "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        ("30 2 * * *", BERLIN, "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("30 2 * * *", BERLIN, "2026-10-25T01:20Z", "2026-10-26T01:30Z"),
        ("*/20 * * * *", BERLIN, "2026-10-25T00:40Z", "2026-10-25T01:00Z"),
    ],
)
def test_a_cron_expression_fires_by_the_clock_on_the_wall(
    expression: str, timezone: str, after: str, expected: str
) -> None:
    assert next_expected(cron(expression, timezone), moment(after)) == moment(expected)


EXPRESSIONS = st.sampled_from(
    [
        "0 2 * * *",
        "30 1 * * *",
        "30 2 * * *",
        "*/7 * * * *",
        "0 0 29 2 *",
        "5 */3 * * MON",
        "15 2 L * *",
        "0 3 * 3,11 SUN",
    ]
)
ZONES = st.sampled_from(["UTC", NEW_YORK, BERLIN, SEOUL, "Australia/Lord_Howe", "America/St_Johns"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(EXPRESSIONS, ZONES, MOMENTS)
def test_the_next_moment_is_ahead_and_nothing_lies_between(expression: str, timezone: str, after: datetime) -> None:
    config = cron(expression, timezone)
    expected = next_expected(config, after)
    assert after < expected
    assert next_expected(config, after + (expected - after) / 2) == expected


CONFIGS = st.builds(
    HeartbeatConfig,
    period_seconds=st.integers(1, YEAR),
    grace_seconds=st.integers(1, YEAR),
    cron=st.just("") | EXPRESSIONS,
    timezone=ZONES,
)


@given(CONFIGS, MOMENTS, st.floats(0, 4e7))
def test_after_silence_the_next_deadline_is_ahead_and_not_at_once(
    config: HeartbeatConfig, expected_at: datetime, late_seconds: float
) -> None:
    now = expected_at + grace_of(config) + timedelta(seconds=late_seconds)
    following = next_after_silence(config, expected_at, now)
    assert following > expected_at
    assert following + grace_of(config) >= now + REPEAT_AT_LEAST - timedelta(milliseconds=1)


def test_silence_is_noted_once_a_period() -> None:
    config = HeartbeatConfig(period_seconds=3_600, grace_seconds=60)
    expected_at = moment("2026-01-01T00:00Z")
    deadline = expected_at + timedelta(seconds=60)
    assert next_after_silence(config, expected_at, deadline) == moment("2026-01-01T01:00Z")
    assert next_after_silence(config, expected_at, moment("2026-01-01T05:30Z")) == moment("2026-01-01T06:00Z")
