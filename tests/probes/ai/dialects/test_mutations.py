"""Recorded streams with something wrong in them: never a surprise, never for long, and the same verdict however cut."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.probes.ai.dialect import AI_DIALECTS, Ask, BadAnswer
from apps.probes.ai.listening import Clocks, StreamListener
from tests.probes.ai.dialects.samples import GEMINI_ARRAY, SAMPLES
from tests.probes.ai.dialects.test_responses import SPOKEN
from tests.probes.ai.dialects.test_responses import STREAM as RESPONSES_STREAM

STREAMS = {
    **{name: (name, sample.stream) for name, sample in SAMPLES.items()},
    "openai by responses": ("openai", RESPONSES_STREAM),
    "gemini by array": ("gemini", GEMINI_ARRAY),
}
REPLIES = {
    **{name: (name, sample.reply) for name, sample in SAMPLES.items()},
    "openai by responses": ("openai", json.dumps(SPOKEN).encode()),
}
EVERY_STREAM = pytest.mark.parametrize(("dialect", "stream"), STREAMS.values(), ids=STREAMS)
# What a broken server, a proxy in between or a hostile one puts into a stream.
ODD = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([
        b"\n\n", b"\r", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"data:", b"null", b"[]",
        b"data: [DONE]\n\n", b"event: error\n", b": ping\n\n", b"id: 1\nretry: 5\n", b"{}", b"}", b"{", b'"', b"\\",
        b"-1", b"1e400", b"1e18", b'"7"', b"true", b"<html>", b'"\\ud800"', b"[" * 600, b'"choices":', b'"usage":',
        b'data: {"error":{"message":"no"}}\n\n', b'"type":"response.failed"', b'data: {"type":"error"}\n\n',
        b"data: 7\n\n", b"data\n\n",
    ]),
)  # fmt: skip
Edit = tuple[str, int, int, bytes]
EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.sampled_from(["insert", "drop", "twice", "replace", "end"]),
        st.integers(0, 4_000),
        st.integers(0, 80),
        ODD,
    ),
    min_size=1,
    max_size=4,
)
# The same examples each time: a rare one is news for whoever changes a reader, not for whoever runs the tests.
FUZZED = settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edited(stream: bytes, edits: list[Edit]) -> bytes:
    for what, start, length, odd in edits:
        place = start % (len(stream) + 1)
        after = place + length
        stream = {
            "insert": stream[:place] + odd + stream[place:],
            "drop": stream[:place] + stream[after:],
            "twice": stream[:after] + stream[place:],
            "replace": stream[:place] + odd + stream[place + len(odd) :],
            "end": stream[:place],
        }[what]
    return stream


def verdict(dialect: str, chunks: list[bytes]) -> tuple[Any, ...]:
    """What a listener makes of a stream in these chunks, apart from its times."""
    ask = Ask(prompt="?", stream=True, max_output_tokens=120)
    listener = StreamListener(AI_DIALECTS.get(dialect), ask, Clocks(30, 10), limit=120, clock=lambda: 0.0)
    listener.began(0.0)
    for chunk in chunks:
        if chunk and not listener.heard(chunk, 1.0):
            break
    listener.close()
    assert listener.surprise is None
    said = (listener.answer, listener.answer_bytes, listener.reasoning_bytes, listener.chunks, listener.has_tool_calls)
    ended = (listener.finish, listener.ended, listener.problem, listener.detail, str(listener.malformed or ""))
    return *said, *ended, listener.settled_usage(), listener.has_answer


@EVERY_STREAM
@FUZZED
@given(edits=EDITS, size=st.integers(1, 50))
def test_a_broken_stream_is_judged_the_same_however_it_is_cut(
    dialect: str, stream: bytes, edits: list[Edit], size: int
) -> None:
    broken = edited(stream, edits)
    pieces = [broken[start : start + size] for start in range(0, len(broken), size)]
    assert verdict(dialect, [broken]) == verdict(dialect, pieces)


@EVERY_STREAM
def test_a_good_stream_is_judged_the_same_at_every_border(dialect: str, stream: bytes) -> None:
    whole = verdict(dialect, [stream])
    assert whole[6] or whole[5], "it ended"
    assert all(verdict(dialect, [stream[:place], stream[place:]]) == whole for place in range(1, len(stream)))


@EVERY_STREAM
def test_what_comes_after_the_end_changes_nothing(dialect: str, stream: bytes) -> None:
    if dialect == "gemini":
        return
    whole = verdict(dialect, [stream])
    for rest in (b"data: {\n\n", b'data: {"error": {"message": "late"}}\n\n', b"{]", b"x" * 2_000_000):
        assert verdict(dialect, [stream + rest]) == whole
        assert verdict(dialect, [stream, rest]) == whole


def test_what_came_before_a_line_without_an_end_was_said() -> None:
    said = b'data: {"choices":[{"delta":{"content":"OK"}}]}\n\n'
    endless = said + b"data: " + b"x" * 1_100_000
    assert verdict("openai", [endless]) == verdict("openai", [said, endless[len(said) :]])
    assert verdict("openai", [endless])[0] == "OK"


@pytest.mark.parametrize(("dialect", "reply"), REPLIES.values(), ids=REPLIES)
@FUZZED
@given(edits=EDITS)
@example(edits=[("replace", 0, 0, b"[" * 600)])
def test_a_broken_answer_is_read_or_refused_and_nothing_else(dialect: str, reply: bytes, edits: list[Edit]) -> None:
    speaker, broken = AI_DIALECTS.get(dialect), edited(reply, edits)
    for read in (speaker.read_reply, speaker.read_models, speaker.read_embedding):
        try:
            read(broken)
        except BadAnswer as error:
            assert str(error)
    for status in (200, 400, 429, 500):
        reason, _words = speaker.classify(status, {}, broken)
        assert reason.label
    speaker.retry_after({}, broken)


@EVERY_STREAM
def test_the_worst_of_streams_takes_no_time(dialect: str, stream: bytes) -> None:
    began = time.process_time()
    for unit in (b"data: {}\n\n", b"data:\n", b"\r", b'{"a":', b"[", b'"\\', b": x\n", b'data: {"choices":[]}\n\n'):
        verdict(dialect, [unit * (16_384 // len(unit))] * 64)
    assert time.process_time() - began < 20
