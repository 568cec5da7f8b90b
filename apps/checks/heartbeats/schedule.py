"""When the next ping is expected, and until when it may come. Pure: the config and the moments are arguments."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from apps.probes.cron import next_fire
from apps.probes.kinds.heartbeat import HeartbeatConfig

# Silence is noted again each period, but no sooner than this: a period of a second must not fill the history.
REPEAT_AT_LEAST = timedelta(seconds=10)


def grace_of(config: HeartbeatConfig) -> timedelta:
    return timedelta(seconds=config.grace_seconds)


def next_expected(config: HeartbeatConfig, after: datetime) -> datetime:
    """When the next ping is expected after one at `after`: a period later, or when the cron expression fires next."""
    if config.cron.strip():
        return next_fire(config.cron, config.timezone, after)
    return after + timedelta(seconds=config.period_seconds)


def next_after_silence(config: HeartbeatConfig, expected_at: datetime, now: datetime) -> datetime:
    """The next moment of the schedule whose deadline lies ahead, once the one expected at `expected_at` was missed."""
    earliest = now + REPEAT_AT_LEAST - grace_of(config)
    if config.cron.strip():
        return next_expected(config, max(expected_at, earliest))
    period = timedelta(seconds=config.period_seconds)
    periods = max(1, ceil((earliest - expected_at) / period))
    return expected_at + periods * period
