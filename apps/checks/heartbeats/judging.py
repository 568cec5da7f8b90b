"""What a ping means, and what silence means. Pure: no database, no clock; every rule is a line in a table of tests.

A success or a failure is an outcome and ends its run. A start opens a run. All three are signs of life, so they move
the expectation on: what was started is waited for as a run from then on. A log is kept and decides nothing. A deadline
that passes and a run that outlasts the grace are failures found by looking at the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.checks.heartbeats.schedule import grace_of, next_after_silence, next_expected
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.heartbeat import HeartbeatConfig

SUCCESS, START, FAIL, LOG = "success", "start", "fail", "log"
MAX_OPEN_RUNS = 50
# What a failure keeps of the client's body: the end says what went wrong.
BODY_TAIL = 2_000


@dataclass(frozen=True)
class Run:
    """A run that was started and has not ended. `unfinished_at`: when it was found to outlast the grace."""

    run_id: UUID | None
    started_at: datetime
    unfinished_at: datetime | None = None


@dataclass(frozen=True)
class Heard:
    """What is known of one heartbeat. `expected_at` is None until it was told anything but a log."""

    last_ping_at: datetime | None = None
    last_ping_kind: str = ""
    expected_at: datetime | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Told:
    """One ping, as the client sent it. `body` is what was kept of it."""

    at: datetime
    kind: str
    exit_status: int | None = None
    run_id: UUID | None = None
    said_ms: float | None = None
    body: bytes = b""


@dataclass(frozen=True)
class Judgement:
    """What follows from one ping: the heartbeat afterwards, an outcome or none, and how long its run took."""

    heard: Heard
    outcome: Outcome | None = None
    run_ms: float | None = None


def judge_ping(heard: Heard, config: HeartbeatConfig, ping: Told) -> Judgement:
    """What one ping means. Pings are judged in the order in which they were stored."""
    if ping.kind == LOG:
        return Judgement(heard)
    if ping.kind == START:
        return Judgement(_moved_on(heard, config, ping, _opened(heard.runs, ping)))
    run = next((run for run in heard.runs if run.run_id == ping.run_id), None)
    run_ms = None if run is None else max(0.0, (ping.at - run.started_at) / timedelta(milliseconds=1))
    judged = _moved_on(heard, config, ping, _closed(heard.runs, ping))
    return Judgement(judged, _outcome(ping, run_ms), run_ms)


def _moved_on(heard: Heard, config: HeartbeatConfig, ping: Told, runs: tuple[Run, ...]) -> Heard:
    """The runs afterwards, and what is expected next; a ping that a later one overtook expects nothing new."""
    if heard.last_ping_at is not None and ping.at < heard.last_ping_at:
        return replace(heard, runs=runs)
    return Heard(ping.at, ping.kind, next_expected(config, ping.at), runs)


def _opened(runs: tuple[Run, ...], ping: Told) -> tuple[Run, ...]:
    """A second start with the same id begins that run anew; the oldest give way when there are too many."""
    others = [run for run in runs if run.run_id != ping.run_id]
    ordered = sorted([*others, Run(ping.run_id, ping.at)], key=lambda run: run.started_at)
    return tuple(ordered[-MAX_OPEN_RUNS:])


def _closed(runs: tuple[Run, ...], ping: Told) -> tuple[Run, ...]:
    """Without its own run, and after a success without those that were given up: nobody waits for them any more."""
    kept = (run for run in runs if run.run_id != ping.run_id)
    return tuple(run for run in kept if run.unfinished_at is None or not _succeeded(ping))


def _succeeded(ping: Told) -> bool:
    return ping.kind == SUCCESS and not ping.exit_status


def _outcome(ping: Told, run_ms: float | None) -> Outcome:
    duration_ms = run_ms if run_ms is not None else ping.said_ms or 0.0
    started_at = ping.at.timestamp()
    measurements = {} if run_ms is None else {"run_ms": run_ms}
    if _succeeded(ping):
        return Outcome(
            state=OutcomeState.OK,
            reason=Reason.OK,
            duration_ms=duration_ms,
            measurements=measurements,
            started_at=started_at,
        )
    evidence: dict[str, Any] = {"exit_status": ping.exit_status, "run": None if not ping.run_id else str(ping.run_id)}
    return Outcome(
        state=OutcomeState.FAILED,
        reason=Reason.HEARTBEAT_FAILED,
        duration_ms=duration_ms,
        measurements=measurements,
        started_at=started_at,
        evidence={name: value for name, value in evidence.items() if value is not None} | _said(ping.body),
    )


def _said(body: bytes) -> dict[str, str]:
    return {"body": body[-BODY_TAIL:].decode("utf-8", "replace")} if body else {}


def judge_at(heard: Heard, config: HeartbeatConfig) -> datetime | None:
    """When silence is to be looked at next: the deadline of the next ping or of a run, whichever is first."""
    grace = grace_of(config)
    moments = [run.started_at + grace for run in heard.runs if run.unfinished_at is None]
    if heard.expected_at is not None:
        moments.append(heard.expected_at + grace)
    return min(moments, default=None)


@dataclass(frozen=True)
class Silence:
    """What the clock alone says: the heartbeat afterwards, what it failed, and when to look again (None: never)."""

    heard: Heard
    outcomes: tuple[Outcome, ...]
    again_at: datetime | None


def judge_silence(heard: Heard, config: HeartbeatConfig, now: datetime, steady_since: datetime) -> Silence:
    """Whether a ping is overdue or a run unfinished. While we did not listen nobody could be heard, so every deadline
    is at least the grace after `steady_since`, when our own ticks (re)started."""
    grace = grace_of(config)
    listened = steady_since + grace
    late_runs = [
        run for run in heard.runs if run.unfinished_at is None and now >= max(run.started_at + grace, listened)
    ]
    outcomes = [_unfinished(run, config, now) for run in late_runs]
    runs = tuple(replace(run, unfinished_at=now) if run in late_runs else run for run in heard.runs)
    judged = replace(heard, runs=runs)
    if heard.expected_at is not None and now >= max(heard.expected_at + grace, listened):
        outcomes.append(_missed(heard, heard.expected_at, config, now))
        judged = replace(judged, expected_at=next_after_silence(config, heard.expected_at, now))
    again_at = judge_at(judged, config)
    return Silence(judged, tuple(outcomes), None if again_at is None else max(again_at, listened))


def _missed(heard: Heard, expected_at: datetime, config: HeartbeatConfig, now: datetime) -> Outcome:
    evidence: dict[str, Any] = {
        "expected": _readable(expected_at),
        "deadline": _readable(expected_at + grace_of(config)),
        "schedule": _plain_schedule(config),
        "grace_seconds": config.grace_seconds,
    }
    if heard.last_ping_at is not None:
        evidence |= {"last_ping": _readable(heard.last_ping_at), "last_ping_kind": heard.last_ping_kind}
    return _failure(Reason.HEARTBEAT_MISSED, evidence, now)


def _unfinished(run: Run, config: HeartbeatConfig, now: datetime) -> Outcome:
    evidence: dict[str, Any] = {
        "started": _readable(run.started_at),
        "grace_seconds": config.grace_seconds,
    }
    if run.run_id is not None:
        evidence["run"] = str(run.run_id)
    return _failure(Reason.HEARTBEAT_UNFINISHED, evidence, now)


def _failure(reason: Reason, evidence: dict[str, Any], now: datetime) -> Outcome:
    return Outcome(state=OutcomeState.FAILED, reason=reason, evidence=evidence, started_at=now.timestamp())


def _plain_schedule(config: HeartbeatConfig) -> dict[str, Any]:
    if config.cron.strip():
        return {"cron": config.cron, "timezone": config.timezone}
    return {"period_seconds": config.period_seconds}


def _readable(moment: datetime) -> str:
    """As a person reads it, in UTC: evidence is stored once, for readers in every zone."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
