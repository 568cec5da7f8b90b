"""The last look at each check of a model: what is kept of it, and what a later look does not take away."""

from __future__ import annotations

import time
from typing import Any

import pytest

from apps.checks.models import AiCheckState, AiErrorTotal
from apps.core import statements
from apps.probes.base import OutcomeState, Reason
from tests.checks import looking
from tests.checks.ai.looking_at_models import DEGRADED, FAILED, finished, look, make_ai_check, outcome
from tests.checks.looking import claim, record

pytestmark = pytest.mark.django_db

HEAD_ROOM = {"requests": {"limit": 60.0, "remaining": 59.0}}


def state_of(check: Any) -> AiCheckState:
    return AiCheckState.objects.get(pk=check.pk)


def test_a_good_look_leaves_its_times_its_head_room_and_its_facts() -> None:
    check = make_ai_check(kind="ai_stream")
    measured = {"ttft_ms": 310.0, "answer_ttft_ms": 420.0, "output_tokens_per_second": 51.5}
    look(check, duration_ms=2_100.0, measurements=measured, evidence={"model": "m", "rate_limit": HEAD_ROOM})
    row = state_of(check)
    assert (row.state, row.reason, row.target_id) == ("ok", "ok", check.target_id)
    assert (row.ttft_ms, row.answer_ttft_ms, row.output_tokens_per_second) == (310.0, 420.0, 51.5)
    assert row.duration_ms == 2_100.0
    assert row.rate_limit == HEAD_ROOM
    assert row.rate_limit_at == row.at == row.measured_at
    assert row.details["model"] == "m"


def test_a_bad_look_keeps_the_times_of_the_last_good_one() -> None:
    check = make_ai_check(kind="ai_stream")
    look(check, measurements={"ttft_ms": 310.0}, evidence={"rate_limit": HEAD_ROOM})
    measured_at = state_of(check).measured_at
    look(check, FAILED, Reason.SERVER_ERROR, duration_ms=5.0, evidence={"actual": 500})
    row = state_of(check)
    assert (row.state, row.reason, row.details) == ("failed", "server_error", {"actual": 500})
    assert (row.ttft_ms, row.duration_ms, row.measured_at, row.rate_limit) == (310.0, 800.0, measured_at, HEAD_ROOM)
    assert measured_at is not None
    assert row.at > measured_at


def test_a_refusal_is_fast_and_measures_nothing() -> None:
    check = make_ai_check()
    look(check, DEGRADED, Reason.RATE_LIMITED, duration_ms=4.0, evidence={"rate_limit": HEAD_ROOM})
    row = state_of(check)
    assert (row.duration_ms, row.measured_at, row.rate_limit) == (None, None, HEAD_ROOM)


def test_a_look_that_says_nothing_changes_nothing() -> None:
    check = make_ai_check()
    look(check, OutcomeState.INDETERMINATE, Reason.WORKER_LATE)
    assert not AiCheckState.objects.exists()


def test_of_several_in_one_batch_the_last_counts_and_an_older_one_never_overwrites() -> None:
    check = make_ai_check()
    now = time.time()
    newer = finished(check, outcome(started_at=now, duration_ms=100.0), claim(check))
    record(newer)
    older = finished(check, outcome(FAILED, Reason.SERVER_ERROR, started_at=now - 60), claim(check))
    record(older)
    assert state_of(check).reason == "ok"


def test_errors_are_counted_by_class_for_as_long_as_the_target_is_there() -> None:
    check = make_ai_check()
    other = make_ai_check(check.target, kind="ai_stream")
    look(check, FAILED, Reason.SERVER_ERROR)
    look(other, FAILED, Reason.SERVER_ERROR)
    look(check, DEGRADED, Reason.INVALID_KEY)
    look(check)
    look(check, FAILED, Reason.TRUNCATED)
    look(check, DEGRADED, Reason.LENGTH_REACHED)
    counted = AiErrorTotal.objects.filter(target_id=check.target_id).values_list("error_class", "fault", "looks")
    assert set(counted) == {
        ("server_error", "theirs", 2),
        ("invalid_key", "ours", 1),
        ("truncated", "theirs", 1),
        ("truncated", "ours", 1),
    }


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that goes past the query log."""
    seen: list[str] = []
    run = statements.run

    def counted(statement: str, parameters: Any = ()) -> Any:
        seen.append(statement)
        return run(statement, parameters)

    monkeypatch.setattr(statements, "run", counted)
    return seen


def test_looks_at_anything_else_cost_no_statement(asked: list[str]) -> None:
    looking.look(looking.make_check(), looking.FAILED, looking.OK)
    assert asked
    assert [statement for statement in asked if "checks_ai" in statement] == []


def test_statements_do_not_grow_with_the_number_of_models(asked: list[str]) -> None:
    def cost(number: int) -> int:
        checks = [make_ai_check() for _ in range(number)]
        for state, reason in ((OutcomeState.OK, Reason.OK), (FAILED, Reason.SERVER_ERROR)):
            items = [finished(check, outcome(state, reason), claim(check)) for check in checks]
            asked.clear()
            record(*items)
        assert AiCheckState.objects.filter(pk__in=[check.pk for check in checks]).count() == number
        return len(asked)

    assert cost(2) == cost(20)
