"""What a ping and what silence mean, one rule a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.checks.heartbeats.judging import (
    BODY_TAIL,
    FAIL,
    LOG,
    MAX_OPEN_RUNS,
    START,
    SUCCESS,
    Heard,
    Run,
    Told,
    judge_at,
    judge_ping,
    judge_silence,
)
from apps.probes.base import OutcomeState, Reason
from apps.probes.kinds.heartbeat import HeartbeatConfig

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = T0 - timedelta(days=1)
HOURLY = HeartbeatConfig(period_seconds=3_600, grace_seconds=600)
A, B = UUID(int=1), UUID(int=2)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def told(kind: str, seconds: float = 0, **fields: Any) -> Told:
    return Told(at=at(seconds), kind=kind, **fields)


def hear(*pings: Told, heard: Heard | None = None) -> Heard:
    heard = heard or Heard()
    for ping in pings:
        heard = judge_ping(heard, HOURLY, ping).heard
    return heard


def test_a_success_is_an_ok_outcome_at_its_moment_and_moves_the_expectation_on() -> None:
    judged = judge_ping(Heard(), HOURLY, told(SUCCESS, 5))
    assert judged.heard == Heard(at(5), SUCCESS, at(3_605), ())
    assert judged.outcome is not None
    assert (judged.outcome.state, judged.outcome.reason) == (OutcomeState.OK, Reason.OK)
    assert judged.outcome.started_at == at(5).timestamp()
    assert judge_at(judged.heard, HOURLY) == at(3_605 + 600)


@pytest.mark.parametrize(
    ("ping", "state"),
    [
        (told(SUCCESS), OutcomeState.OK),
        (told(SUCCESS, exit_status=0), OutcomeState.OK),
        (told(SUCCESS, exit_status=1), OutcomeState.FAILED),
        (told(FAIL), OutcomeState.FAILED),
        (told(FAIL, exit_status=255), OutcomeState.FAILED),
    ],
)
def test_the_exit_status_decides(ping: Told, state: OutcomeState) -> None:
    outcome = judge_ping(Heard(), HOURLY, ping).outcome
    assert outcome is not None
    assert outcome.state is state
    assert outcome.evidence.get("exit_status") == (ping.exit_status or None)


def test_a_failure_keeps_the_end_of_what_the_program_wrote() -> None:
    body = b"x" * 5_000 + b"\x00\xff disk full"
    outcome = judge_ping(Heard(), HOURLY, told(FAIL, run_id=A, body=body)).outcome
    assert outcome is not None
    assert outcome.reason is Reason.HEARTBEAT_FAILED
    assert outcome.evidence["body"].endswith("disk full")
    assert len(outcome.evidence["body"]) <= BODY_TAIL
    assert "\x00" not in outcome.evidence["body"]
    assert outcome.evidence["run"] == str(A)


def test_a_log_is_kept_and_decides_nothing() -> None:
    heard = hear(told(START), told(SUCCESS, 10))
    assert judge_ping(heard, HOURLY, told(LOG, 20)).heard == heard
    assert judge_ping(Heard(), HOURLY, told(LOG)).outcome is None


def test_a_start_opens_a_run_and_is_no_outcome() -> None:
    judged = judge_ping(Heard(), HOURLY, told(START, 7))
    assert judged.outcome is None
    assert judged.heard.runs == (Run(None, at(7)),)
    assert judged.heard.expected_at == at(3_607)
    assert judge_at(judged.heard, HOURLY) == at(7 + 600)


@pytest.mark.parametrize("end", [SUCCESS, FAIL])
def test_the_time_from_start_to_end_is_the_duration_whatever_the_client_says(end: str) -> None:
    judged = judge_ping(hear(told(START)), HOURLY, told(end, 90, said_ms=5))
    assert judged.run_ms == 90_000
    assert judged.outcome is not None
    assert judged.outcome.duration_ms == 90_000
    assert judged.heard.runs == ()


def test_without_a_start_the_duration_is_what_the_client_says() -> None:
    judged = judge_ping(Heard(), HOURLY, told(SUCCESS, said_ms=12.5))
    assert judged.run_ms is None
    assert judged.outcome is not None
    assert judged.outcome.duration_ms == 12.5


def test_runs_that_overlap_are_told_apart_by_their_id() -> None:
    heard = hear(told(START, 0, run_id=A), told(START, 10, run_id=B), told(START, 20))
    ended = judge_ping(heard, HOURLY, told(SUCCESS, 30, run_id=A))
    assert ended.run_ms == 30_000
    assert [run.run_id for run in ended.heard.runs] == [B, None]
    assert judge_ping(ended.heard, HOURLY, told(SUCCESS, 35)).run_ms == 15_000
    assert judge_ping(ended.heard, HOURLY, told(SUCCESS, 40, run_id=B)).run_ms == 30_000


def test_an_end_without_its_start_ends_no_other_run() -> None:
    judged = judge_ping(hear(told(START, run_id=A)), HOURLY, told(SUCCESS, 10, run_id=B))
    assert judged.run_ms is None
    assert [run.run_id for run in judged.heard.runs] == [A]


def test_a_second_start_begins_its_run_anew() -> None:
    assert hear(told(START), told(START, 50)).runs == (Run(None, at(50)),)


def test_the_oldest_run_gives_way_when_there_are_too_many() -> None:
    heard = hear(*(told(START, number, run_id=UUID(int=number + 1)) for number in range(MAX_OPEN_RUNS + 5)))
    assert len(heard.runs) == MAX_OPEN_RUNS
    assert heard.runs[0].run_id == UUID(int=6)


def test_a_ping_that_was_overtaken_expects_nothing_new_but_still_counts() -> None:
    heard = hear(told(SUCCESS, 100))
    judged = judge_ping(heard, HOURLY, told(FAIL, 40))
    assert judged.heard == heard
    assert judged.outcome is not None


# --- Silence --------------------------------------------------------------------------------------------------


def test_before_the_deadline_nothing_is_missed() -> None:
    heard = hear(told(SUCCESS))
    silence = judge_silence(heard, HOURLY, at(3_600 + 599), LONG_AGO)
    assert silence.outcomes == ()
    assert silence.heard == heard
    assert silence.again_at == at(4_200)


def test_no_ping_by_the_deadline_is_a_failure_that_says_when_it_was_expected() -> None:
    silence = judge_silence(hear(told(SUCCESS)), HOURLY, at(4_200), LONG_AGO)
    [outcome] = silence.outcomes
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.HEARTBEAT_MISSED)
    assert outcome.evidence == {
        "expected": "2026-01-01 01:00:00 UTC",
        "deadline": "2026-01-01 01:10:00 UTC",
        "last_ping": "2026-01-01 00:00:00 UTC",
        "last_ping_kind": "success",
        "schedule": {"period_seconds": 3_600},
        "grace_seconds": 600,
    }
    assert outcome.sentence.startswith("A ping was expected at 2026-01-01 01:00:00 UTC")


def test_while_silence_goes_on_it_is_noted_once_a_period() -> None:
    heard, noted = hear(told(SUCCESS)), 0
    for second in range(3_600, 5 * 3_600, 60):
        silence = judge_silence(heard, HOURLY, at(second), LONG_AGO)
        heard, noted = silence.heard, noted + len(silence.outcomes)
    assert noted == 4


def test_never_told_anything_there_is_no_deadline() -> None:
    silence = judge_silence(Heard(), HOURLY, at(10**9), LONG_AGO)
    assert silence.outcomes == ()
    assert silence.again_at is None


def test_our_own_absence_is_not_the_clients() -> None:
    heard = hear(told(SUCCESS))
    back = at(10_000)
    for now in (back, back + timedelta(seconds=599)):
        silence = judge_silence(heard, HOURLY, now, back)
        assert silence.outcomes == ()
        assert silence.again_at == back + timedelta(seconds=600)
    assert judge_silence(heard, HOURLY, back + timedelta(seconds=600), back).outcomes != ()


def test_a_run_that_outlasts_the_grace_is_found_once() -> None:
    heard = hear(told(START, run_id=A), told(SUCCESS, 10))
    assert judge_silence(heard, HOURLY, at(599), LONG_AGO).outcomes == ()
    silence = judge_silence(heard, HOURLY, at(600), LONG_AGO)
    [outcome] = silence.outcomes
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.HEARTBEAT_UNFINISHED)
    assert outcome.evidence["run"] == str(A)
    assert outcome.sentence == "The run that started at 2026-01-01 00:00:00 UTC has not ended within 600 s."
    assert silence.heard.runs == (Run(A, at(0), at(600)),)
    assert judge_silence(silence.heard, HOURLY, at(700), LONG_AGO).outcomes == ()


def test_a_run_begun_while_we_were_away_has_its_grace_from_our_return() -> None:
    heard = hear(told(START))
    assert judge_silence(heard, HOURLY, at(650), at(300)).outcomes == ()
    assert len(judge_silence(heard, HOURLY, at(900), at(300)).outcomes) == 1


def test_a_run_that_ends_late_after_all_tells_its_time_and_a_success_forgets_the_given_up() -> None:
    heard = hear(told(START, run_id=A), told(START, 1, run_id=B))
    given_up = judge_silence(heard, HOURLY, at(700), LONG_AGO).heard
    judged = judge_ping(given_up, HOURLY, told(SUCCESS, 800, run_id=A))
    assert judged.run_ms == 800_000
    assert judged.heard.runs == ()


def test_a_failure_does_not_forget_the_runs_that_were_given_up() -> None:
    given_up = judge_silence(hear(told(START, run_id=A)), HOURLY, at(700), LONG_AGO).heard
    assert [run.run_id for run in judge_ping(given_up, HOURLY, told(FAIL, 800, run_id=B)).heard.runs] == [A]


def test_a_long_run_is_found_by_its_own_time_and_not_called_silence() -> None:
    heard = hear(told(SUCCESS, -10), told(START, 3_590))
    silence = judge_silence(heard, HOURLY, at(4_300), LONG_AGO)
    assert [outcome.reason for outcome in silence.outcomes] == [Reason.HEARTBEAT_UNFINISHED]


PINGS = st.lists(
    st.builds(
        Told,
        at=st.integers(0, 50_000).map(at),
        kind=st.sampled_from([SUCCESS, START, FAIL, LOG]),
        exit_status=st.none() | st.integers(0, 255),
        run_id=st.none() | st.integers(0, 70).map(lambda number: UUID(int=number)),
        said_ms=st.none() | st.floats(0, 1e9),
        body=st.binary(max_size=50),
    ),
    max_size=120,
)


@given(PINGS, st.integers(0, 100_000))
def test_whatever_is_told_the_runs_are_few_and_the_next_look_is_ahead(pings: list[Told], now_seconds: int) -> None:
    heard = hear(*pings)
    assert len(heard.runs) <= MAX_OPEN_RUNS
    assert len({run.run_id for run in heard.runs}) == len(heard.runs)
    now = at(now_seconds)
    silence = judge_silence(heard, HOURLY, now, LONG_AGO)
    assert silence.again_at is None or silence.again_at > now
    assert judge_silence(silence.heard, HOURLY, now, LONG_AGO).outcomes == ()
