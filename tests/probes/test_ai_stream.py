"""The `ai_stream` kind: the first token, the pauses and the speed, each by its own clock."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.core.kindconfig import ConfigError, decode
from apps.probes.base import PROBE_KINDS, OutcomeState, Reason
from apps.probes.kinds.ai_stream import AiStreamConfig
from tests.probes.ai.asked import CLOCKS, DIALECTS, endpoint, look
from tests.probes.engines import RunningEngine, job
from tests.servers.listening import SpeakingServer
from tests.servers.model_script import Script, Tokens
from tests.servers.model_server import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.mark.parametrize("dialect", DIALECTS)
def test_first_token_gaps_and_speed_are_what_the_server_sent(server: ModelServer, dialect: str) -> None:
    server.script = Script(words=("word ",) * 10, first_delay=0.12, delay=0.03, tokens=Tokens(tokens_in=9))
    measured = look("ai_stream", server, dialect=dialect).measurements
    moments = server.asked[-1].moments()
    first = (moments[0] - server.asked[-1].received_at) * 1000
    assert measured["ttft_ms"] == pytest.approx(first, abs=40)
    assert measured["answer_ttft_ms"] == measured["ttft_ms"]
    assert measured["chunk_gap_p50_ms"] == pytest.approx(30, abs=20)
    assert measured["chunk_gap_max_ms"] >= measured["chunk_gap_p95_ms"] >= measured["chunk_gap_p50_ms"]
    assert (measured["chunks"], measured["tokens_in"], measured["tokens_out"]) == (10, 9, 10)
    assert measured["output_tokens_per_second"] == pytest.approx(10 / (moments[-1] - moments[0]), rel=0.3)
    assert server.asked[-1].body.get("stream", True) is True


def test_thoughts_are_first_tokens_and_the_answer_has_a_time_of_its_own(server: ModelServer) -> None:
    server.script = Script(reasoning=("hm ",) * 4, words=("yes ",) * 4, delay=0.04)
    measured = look("ai_stream", server).measurements
    assert measured["answer_ttft_ms"] - measured["ttft_ms"] > 80
    assert measured["tokens_reasoning"] == 4


def test_the_engine_hears_the_same(server: ModelServer) -> None:
    server.script = Script(words=("word ",) * 6, delay=0.02)
    with RunningEngine() as running:
        outcome = running.run(job("ai_stream", {"endpoint": endpoint(server)}, 5.0))[0]
    assert (outcome.state, outcome.measurements["chunks"]) == (OutcomeState.OK, 6)
    assert outcome.evidence["rate_limit"], "the head-room is shown when all is well, too"


def test_no_first_token_is_one_clock_and_a_pause_another(server: ModelServer) -> None:
    late = look("ai_stream", server, "silent", **CLOCKS)
    assert (late.reason, late.sentence) == (Reason.FIRST_TOKEN_TIMEOUT, "No first token came within 0.6 s.")
    stalled = look("ai_stream", server, "stall", **CLOCKS)
    assert stalled.sentence == "The stream stopped for more than 0.6 s after 3 pieces of the answer."
    assert {"ttft_ms", "chunk_gap_max_ms", "tokens_out"} <= set(stalled.measurements)


def test_pings_and_comments_keep_no_clock_quiet(server: ModelServer) -> None:
    server.script = Script(pings=True, first_delay=5.0)
    assert look("ai_stream", server, **CLOCKS).reason is Reason.FIRST_TOKEN_TIMEOUT


def test_a_stream_that_is_not_over_in_time_tells_how_far_it_came(server: ModelServer) -> None:
    server.script = Script(words=("word ",) * 100, delay=0.05)
    outcome = look("ai_stream", server, seconds=0.8)
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.SLOW_RESPONSE)
    assert outcome.measurements["chunks"] >= 3
    assert outcome.measurements["tokens_out"] >= 3
    assert outcome.measurements["usage_estimated"] == 1


def test_an_endless_stream_is_ended_when_it_is_enough(server: ModelServer) -> None:
    outcome = look("ai_stream", server, "endless")
    assert outcome.state is OutcomeState.OK
    assert outcome.evidence["overlong"] is True
    assert 120 < outcome.measurements["tokens_out"] < 400
    assert outcome.measurements["usage_estimated"] == 1


def test_an_endless_stream_of_thoughts_says_nothing_and_is_our_limit(server: ModelServer) -> None:
    server.script = Script(reasoning=("thinking ",) * 2_000, words=("at last",))
    outcome = look("ai_stream", server)
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.LENGTH_REACHED)


def test_a_whole_answer_where_a_stream_was_asked_for_is_malformed() -> None:
    body = b'{"choices": [{"message": {"content": "OK"}, "finish_reason": "stop"}]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with SpeakingServer(reply=head + body) as plain, ModelServer() as server:
        server_like = {**endpoint(server), "base_url": f"http://127.0.0.1:{plain.port}/v1"}
        with RunningEngine() as running:
            outcome = running.run(job("ai_stream", {"endpoint": server_like}, 3.0))[0]
    assert outcome.reason is Reason.MALFORMED_ANSWER


def test_a_limit_of_ours_is_meant_to_end_it_but_one_that_came_too_soon_is_not(server: ModelServer) -> None:
    server.script = Script(words=("word ",) * 16, finish="length")
    assert look("ai_stream", server, max_output_tokens=16).state is OutcomeState.OK
    assert look("ai_stream", server, max_output_tokens=120).reason is Reason.LENGTH_REACHED


def test_speed_needs_two_pieces(server: ModelServer) -> None:
    server.script = Script(words=("one",))
    measured = look("ai_stream", server).measurements
    assert "ttft_ms" in measured
    assert not {"output_tokens_per_second", "chunk_gap_p50_ms"} & set(measured)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"max_output_tokens": 1}, "max_output_tokens"),
        ({"first_token_timeout_seconds": 0}, "first_token_timeout_seconds"),
        ({"stall_timeout_seconds": 1_000}, "stall_timeout_seconds"),
        ({"connect_timeout_seconds": "soon"}, "connect_timeout_seconds"),
        ({"endpoint": {"api_key": "x"}}, "endpoint"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_field(config: dict[str, object], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(AiStreamConfig, config)
    assert list(caught.value.errors) == [path]


def test_it_needs_no_config_and_asks_for_about_120_tokens(server: ModelServer) -> None:
    most = PROBE_KINDS.get("ai_stream").most_usage(decode(AiStreamConfig, {}))
    assert most.tokens_out == 120
    assert 0 < most.tokens_in < 200
