"""Every fault a provider can have, in every dialect: its class, whose fault it is, and a sentence about it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from apps.probes.ai.classes import ErrorClass, Fault
from apps.probes.base import OutcomeState
from tests.probes.ai.asked import CLOCKS, DIALECTS, KEY, classified, look
from tests.servers.model_script import FAULTY
from tests.servers.model_server import ModelServer

OURS, THEIRS, NETWORK, QUALITY = Fault.OURS, Fault.THEIRS, Fault.NETWORK, Fault.QUALITY
OK, DEGRADED, FAILED = OutcomeState.OK, OutcomeState.DEGRADED, OutcomeState.FAILED
E = ErrorClass

# The fault by the model's name, then what a ping and what a stream make of it. None: all is well.
Verdict = tuple[OutcomeState, ErrorClass, Fault] | None
REFUSED: list[tuple[str, Verdict]] = [
    ("invalid-key", (DEGRADED, E.INVALID_KEY, OURS)),
    ("billing", (DEGRADED, E.BILLING, OURS)),
    ("permission", (DEGRADED, E.PERMISSION, OURS)),
    ("model-not-found", (FAILED, E.MODEL_NOT_FOUND, OURS)),
    ("bad-request", (DEGRADED, E.BAD_REQUEST, OURS)),
    ("too-large", (DEGRADED, E.BAD_REQUEST, OURS)),
    ("rate-limit", (DEGRADED, E.RATE_LIMIT, OURS)),
    ("rate-limit-silent", (DEGRADED, E.RATE_LIMIT, OURS)),
    ("quota", (DEGRADED, E.QUOTA, OURS)),
    ("server-error", (FAILED, E.SERVER_ERROR, THEIRS)),
    ("bad-gateway", (FAILED, E.SERVER_ERROR, THEIRS)),
    ("gateway-timeout", (FAILED, E.SERVER_ERROR, THEIRS)),
    ("unavailable", (FAILED, E.OVERLOADED, THEIRS)),
    ("overloaded", (FAILED, E.OVERLOADED, THEIRS)),
    ("policy", (DEGRADED, E.CONTENT_FILTER, QUALITY)),
    ("redirect", (FAILED, E.MALFORMED, THEIRS)),
]
MALFORMED: Verdict = (FAILED, E.MALFORMED, THEIRS)
TRUNCATED: Verdict = (FAILED, E.TRUNCATED, THEIRS)
ANSWERED: list[tuple[str, Verdict, Verdict]] = [
    *((name, verdict, verdict) for name, verdict in REFUSED),
    ("length", (DEGRADED, E.TRUNCATED, OURS), (DEGRADED, E.TRUNCATED, OURS)),
    ("reasoning-only", (DEGRADED, E.TRUNCATED, OURS), (DEGRADED, E.TRUNCATED, OURS)),
    ("content-filter", (DEGRADED, E.CONTENT_FILTER, QUALITY), (DEGRADED, E.CONTENT_FILTER, QUALITY)),
    ("headers-only", (FAILED, E.TOTAL_TIMEOUT, THEIRS), (FAILED, E.FIRST_TOKEN_TIMEOUT, THEIRS)),
    ("silent", (FAILED, E.TOTAL_TIMEOUT, THEIRS), (FAILED, E.FIRST_TOKEN_TIMEOUT, THEIRS)),
    ("stall", (FAILED, E.TOTAL_TIMEOUT, THEIRS), (FAILED, E.STALL, THEIRS)),
    ("cut", (FAILED, E.NETWORK, NETWORK), TRUNCATED),
    ("reset", (FAILED, E.NETWORK, NETWORK), TRUNCATED),
    ("no-end", (FAILED, E.NETWORK, NETWORK), TRUNCATED),
    ("garbage", MALFORMED, MALFORMED),
    ("error-body", MALFORMED, MALFORMED),
    ("html", MALFORMED, MALFORMED),
    ("no-choices", MALFORMED, MALFORMED),
    ("empty", MALFORMED, MALFORMED),
    ("error-event", None, (FAILED, E.OVERLOADED, THEIRS)),
    ("endless", None, None),
    ("no-usage", None, None),
    ("absurd-usage", None, None),
    ("reasoning", None, None),
    ("tools", None, None),
    ("pings", None, None),
    ("byte-by-byte", None, None),
    ("packed", None, None),
    ("unframed", None, None),
]
# Ollama has no filter to name and no words for an error in the middle but an error itself.
OTHERWISE: dict[tuple[str, str, str], Verdict] = {
    ("ollama", "content-filter", "ai_ping"): MALFORMED,
    ("ollama", "content-filter", "ai_stream"): MALFORMED,
    ("ollama", "error-event", "ai_stream"): MALFORMED,
}
# Waiting for nothing once shows it; the clocks are the same in every dialect.
SLOW = {"silent", "headers-only", "stall"}
CASES = [
    pytest.param(dialect, name, kind, verdict, id=f"{dialect} {name} {kind}")
    for dialect in DIALECTS
    for name, ping, stream in ANSWERED
    for kind, verdict in (("ai_ping", ping), ("ai_stream", stream))
    if dialect == "openai" or name not in SLOW
]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def test_no_fault_of_the_server_is_left_out() -> None:
    assert {name for name, _ping, _stream in ANSWERED} == set(FAULTY)


@pytest.mark.parametrize(("dialect", "name", "kind", "verdict"), CASES)
def test_a_fault_has_its_class_in_every_dialect(
    server: ModelServer, dialect: str, name: str, kind: str, verdict: Verdict
) -> None:
    expected = OTHERWISE.get((dialect, name, kind), verdict)
    clocks = CLOCKS if kind == "ai_stream" else {}
    outcome = look(kind, server, name, dialect=dialect, seconds=1.2 if name in SLOW else 10.0, **clocks)
    found = classified(outcome)
    assert (None if found is None else (outcome.state, *found)) == expected, outcome.evidence
    assert (outcome.state is OK) == (expected is None)
    assert outcome.sentence not in ("", str(outcome.reason.label)), "a sentence lacks a value from the evidence"
    assert KEY not in json.dumps(outcome.to_wire())
    assert {"tokens_in", "tokens_out"} <= set(outcome.measurements), "it may have cost money"


@pytest.mark.parametrize("name", [name for name, _verdict in REFUSED])
def test_a_refusal_costs_no_tokens(server: ModelServer, name: str) -> None:
    measured = look("ai_ping", server, name).measurements
    assert (measured["tokens_in"], measured["tokens_out"]) == (0, 0)
    assert "usage_estimated" not in measured


@pytest.mark.parametrize("kind", ["ai_ping", "ai_stream"])
def test_a_rate_limit_tells_how_long_to_wait_and_what_room_is_left(server: ModelServer, kind: str) -> None:
    evidence = look(kind, server, "rate-limit").evidence
    assert evidence["retry_after_seconds"] == 7
    assert "retry_after_seconds" not in look(kind, server, "rate-limit-silent").evidence
    assert look(kind, server).evidence["rate_limit"]["requests"]["remaining"] >= 0


def test_the_class_comes_before_the_speed(server: ModelServer) -> None:
    slow = look("ai_ping", server, degraded_after_ms=0.01)
    refused = look("ai_ping", server, "rate-limit", degraded_after_ms=0.01)
    assert (slow.state, slow.reason.value) == (DEGRADED, "slow")
    assert refused.reason.value == "rate_limited"
