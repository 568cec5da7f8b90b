"""What checks measure, as a store of numbers over time will get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from apps.checks import measurements
from apps.checks.measurements import Measurement, measurements_of
from apps.checks.models import CheckResult
from apps.probes.base import Outcome, OutcomeState, Reason
from tests.checks.looking import FAILED, INDETERMINATE, OK, claim, finished, look, make_check, record

CHECK = UUID(int=7)


@pytest.fixture
def received() -> Iterator[list[Measurement]]:
    taken: list[Measurement] = []
    measurements.receivers.append(taken.extend)
    yield taken
    measurements.receivers.clear()


def values(measured: Sequence[Measurement]) -> dict[tuple[str, str], float]:
    return {(one.name, one.phase): one.value for one in measured}


def test_a_look_is_measured_in_the_units_of_prometheus() -> None:
    outcome = Outcome(
        state=OutcomeState.OK,
        reason=Reason.OK,
        duration_ms=250,
        status_code=204,
        started_at=1_000.0,
        measurements={"connect_ms": 20.0, "first_byte_ms": 200.0, "body_bytes": 12.0, "certificate_days": 2.0},
    )
    measured = list(measurements_of(CHECK, "seoul", outcome))
    assert {(one.check, one.region, one.at) for one in measured} == {(CHECK, "seoul", 1_000.0)}
    assert values(measured) == {
        ("probe_success", ""): 1.0,
        ("probe_duration_seconds", ""): 0.25,
        ("probe_phase_duration_seconds", "connect"): 0.02,
        ("probe_phase_duration_seconds", "processing"): 0.2,
        ("probe_http_uncompressed_body_length", ""): 12.0,
        ("probe_ssl_remaining_seconds", ""): 172_800.0,
        ("probe_http_status_code", ""): 204.0,
    }


@pytest.mark.django_db
def test_what_is_recorded_is_handed_over_and_what_says_nothing_is_not(received: list[Measurement]) -> None:
    check = make_check()
    look(check, OK, FAILED, INDETERMINATE)
    assert [one.value for one in received if one.name == "probe_success"] == [1.0, 0.0]


@pytest.mark.django_db(transaction=True)
def test_results_and_samples_never_disagree() -> None:
    check = make_check()

    def refuse(measured: Sequence[Measurement]) -> None:
        raise RuntimeError("the store is full")

    measurements.receivers.append(refuse)
    try:
        with pytest.raises(RuntimeError):
            record(finished(check, OK, claim(check)))
    finally:
        measurements.receivers.clear()
    assert not CheckResult.objects.filter(check_id=check.pk).exists()


def test_what_a_model_is_measured_by_has_names_and_units_of_its_own() -> None:
    outcome = Outcome(
        state=OutcomeState.OK,
        reason=Reason.OK,
        duration_ms=2_000,
        started_at=1_000.0,
        measurements={
            "ttft_ms": 320.0,
            "answer_ttft_ms": 400.0,
            "output_tokens_per_second": 52.0,
            "chunk_gap_p95_ms": 40.0,
            "tokens_in": 31.0,
            "tokens_out": 120.0,
            "usage_estimated": 1.0,
        },
    )
    assert values(list(measurements_of(CHECK, "seoul", outcome))) == {
        ("probe_success", ""): 1.0,
        ("probe_duration_seconds", ""): 2.0,
        ("ai_time_to_first_token_seconds", ""): pytest.approx(0.32),
        ("ai_time_to_first_answer_token_seconds", ""): pytest.approx(0.4),
        ("ai_output_tokens_per_second", ""): 52.0,
        ("ai_chunk_gap_seconds", "p95"): pytest.approx(0.04),
        ("ai_probe_tokens", "in"): 31.0,
        ("ai_probe_tokens", "out"): 120.0,
    }
