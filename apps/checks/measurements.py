"""The one seam by which what checks measure reaches a store of numbers over time.

    measurements.receivers.append(store_samples)

A receiver is called in the transaction that records the results, with all of a batch at once; what it raises undoes
the batch, so results and samples never disagree. Without a receiver nothing is made, and the charts read CheckResult.
Names and units are Prometheus': seconds, bytes, 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from apps.probes.base import Outcome, OutcomeState


class Measurement(NamedTuple):
    """One number: the series is told by `name`, `check`, `region` and `phase` (empty where there is only one).

    `phase` is that of a request, the percentile of a gap between chunks ("p95", "max"), or the sort of tokens ("in").
    """

    name: str
    check: UUID
    region: str
    phase: str
    at: float  # Unix seconds
    value: float


Receiver = Callable[[Sequence[Measurement]], None]
receivers: list[Receiver] = []

_PHASES = {
    "dns_ms": "resolve",
    "connect_ms": "connect",
    "tls_ms": "tls",
    "first_byte_ms": "processing",
    "transfer_ms": "transfer",
}
_TOKENS = {"tokens_in": "in", "tokens_out": "out", "tokens_cached": "cached", "tokens_reasoning": "reasoning"}
_CHUNK_GAPS = {"chunk_gap_p50_ms": "p50", "chunk_gap_p95_ms": "p95", "chunk_gap_max_ms": "max"}
# Measured name: the series, the phase in it, and the factor that makes it seconds or a number.
_OF_MODELS = {
    "ttft_ms": ("ai_time_to_first_token_seconds", "", 0.001),
    "answer_ttft_ms": ("ai_time_to_first_answer_token_seconds", "", 0.001),
    "output_tokens_per_second": ("ai_output_tokens_per_second", "", 1.0),
    **{name: ("ai_chunk_gap_seconds", phase, 0.001) for name, phase in _CHUNK_GAPS.items()},
    **{name: ("ai_probe_tokens", phase, 1.0) for name, phase in _TOKENS.items()},
}
_GAUGES = {
    "body_bytes": ("probe_http_uncompressed_body_length", 1.0),
    "certificate_days": ("probe_ssl_remaining_seconds", 86_400.0),
}


def measurements_of(check: UUID, region: str, outcome: Outcome) -> Iterator[Measurement]:
    """What one look measured. A look that says nothing about its target measured nothing."""
    if outcome.state is OutcomeState.INDETERMINATE:
        return
    at = outcome.started_at
    succeeded = 0.0 if outcome.state is OutcomeState.FAILED else 1.0
    yield Measurement("probe_success", check, region, "", at, succeeded)
    yield Measurement("probe_duration_seconds", check, region, "", at, outcome.duration_ms / 1_000)
    for measured, value in outcome.measurements.items():
        if measured in _PHASES:
            yield Measurement("probe_phase_duration_seconds", check, region, _PHASES[measured], at, value / 1_000)
        elif measured in _GAUGES:
            name, factor = _GAUGES[measured]
            yield Measurement(name, check, region, "", at, value * factor)
        elif measured in _OF_MODELS:
            name, phase, factor = _OF_MODELS[measured]
            yield Measurement(name, check, region, phase, at, value * factor)
    if outcome.status_code is not None:
        yield Measurement("probe_http_status_code", check, region, "", at, float(outcome.status_code))


def hand_over(looks: Sequence[tuple[UUID, str, Outcome]]) -> None:
    """Give what these looks (check, region, outcome) measured to every receiver."""
    if not receivers or not looks:
        return
    measured = [one for check, region, outcome in looks for one in measurements_of(check, region, outcome)]
    for receive in receivers:
        receive(measured)
