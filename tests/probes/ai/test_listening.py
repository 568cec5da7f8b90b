"""What is heard of a stream is read when somebody must know what was in it, and not before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.probes.ai import listening
from apps.probes.ai.dialect import AI_DIALECTS, Ask
from apps.probes.ai.listening import Clocks, StreamListener
from apps.probes.reasons import Reason

PING = b": keep-alive\n\n"


class Clock:
    """A moment that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def listener(clock: Clock, dialect: str = "openai", limit: int = 1_000) -> StreamListener:
    """One that waits 30 s for a first token, then 10 s for each."""
    heard = StreamListener(
        AI_DIALECTS.get(dialect), Ask(prompt="x", stream=True), Clocks(30, 10), limit=limit, clock=clock
    )
    heard.began(0.0)
    return heard


def chunk(content: str, **choice: Any) -> bytes:
    document = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": content}, **choice}]}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def hear(heard: StreamListener, clock: Clock, piece: bytes, at: float) -> bool:
    clock.now = at
    return heard.heard(piece, at)


def test_pieces_wait_to_be_read_and_keep_their_moments(clock: Clock) -> None:
    heard = listener(clock)
    for number, at in enumerate((1.0, 1.5, 2.5)):
        assert hear(heard, clock, chunk(f"word{number} "), at)
    assert heard.chunks == 0
    heard.close()
    assert (heard.chunks, heard.first_at, heard.last_at, heard.gaps) == (3, 1.0, 2.5, [0.5, 1.0])


def test_the_end_is_enough_and_its_words_in_an_answer_are_not(clock: Clock) -> None:
    heard = listener(clock)
    assert hear(heard, clock, chunk("data: [DONE]\n\ndata: [DONE]"), 1.0)
    assert hear(heard, clock, chunk("event: message_stop"), 1.1)
    assert hear(heard, clock, b"data: [DONE]", 1.2)
    assert not hear(heard, clock, b"\n\ndata: [DONE]\n\n", 1.3)
    heard.close()
    assert (heard.chunks, heard.ended, heard.malformed) == (2, True, None)


def test_an_error_is_read_at_once(clock: Clock) -> None:
    heard = listener(clock)
    assert hear(heard, clock, chunk("a"), 1.0)
    assert not hear(heard, clock, b'data: {"error": {"message": "Overloaded", "type": "overloaded_error"}}\n\n', 1.1)
    assert heard.problem is Reason.OVERLOADED


def test_the_last_of_json_lines_is_enough(clock: Clock) -> None:
    heard = listener(clock, "ollama")
    line = {"model": "m", "message": {"role": "assistant", "content": "on "}, "done": False}
    assert hear(heard, clock, json.dumps(line).encode() + b"\n", 1.0)
    last = {**line, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    assert not hear(heard, clock, json.dumps(last).encode() + b"\n", 1.1)
    assert (heard.chunks, heard.ended) == (1, True)


@pytest.mark.parametrize("dialect", ["openai", "ollama"])
def test_never_more_waits_to_be_read_than_is_allowed(clock: Clock, dialect: str) -> None:
    heard = listener(clock, dialect, limit=100_000)
    line = b'{"model": "m", "message": {"role": "assistant", "content": "on "}, "done": false}\n'
    for number in range(1_000):
        assert hear(heard, clock, line if dialect == "ollama" else chunk("on "), number / 100)
        assert len(heard._unread) < listening._UNREAD_PIECES
    heard.close()
    assert heard.chunks == 1_000


def test_a_stream_that_goes_on_too_long_is_enough(clock: Clock) -> None:
    heard = listener(clock, limit=16)
    said = next(number for number in range(1_000) if not hear(heard, clock, chunk("on "), number / 100))
    assert said < 200
    assert heard.is_overlong


def test_pings_are_no_first_token(clock: Clock) -> None:
    heard = listener(clock)
    assert heard.deadline() == 30
    assert hear(heard, clock, PING, 5.0)
    # It may have been a token: so it is read before a pause could have been too long.
    assert heard.deadline() == 10
    clock.now = 10.0
    assert heard.deadline() == 30
    clock.now = 30.0
    heard.missed(30.0)
    assert heard.missed_clock == "first_token"


def test_a_token_that_waits_to_be_read_moves_the_deadline_on(clock: Clock) -> None:
    heard = listener(clock)
    hear(heard, clock, chunk("a"), 9.0)
    assert heard.deadline() == 10
    clock.now = 10.0
    assert heard.deadline() == 19
    hear(heard, clock, PING, 18.0)
    assert heard.deadline() == 19
    clock.now = 19.0
    assert heard.deadline() == 19
    heard.missed(19.0)
    assert heard.missed_clock == "stall"


def test_what_ended_before_its_deadline_has_missed_nothing(clock: Clock) -> None:
    heard = listener(clock)
    hear(heard, clock, chunk("a", finish_reason="stop"), 1.0)
    # Its end in two pieces, so that neither of them shows it.
    hear(heard, clock, b"data: [DO", 1.1)
    hear(heard, clock, b"NE]\n\n", 1.2)
    clock.now = 10.0
    assert heard.deadline() == 0
    heard.missed(10.0)
    assert (heard.missed_clock, heard.ended) == ("", True)


@pytest.mark.parametrize(
    ("seconds", "speed"),
    [(0.0, None), (0.0004, None), (0.0099, None), (0.0101, 990.099), (0.04, 250.0), (2.0, 5.0)],
)
def test_tokens_that_came_all_at_once_have_no_speed(clock: Clock, seconds: float, speed: float | None) -> None:
    heard = listener(clock)
    # A clock that has run for long: its moments are not exact to the last digit.
    for number in range(10):
        hear(heard, clock, chunk("four"), 1_000.0 + seconds * number / 9)
    heard.close()
    measured = heard.measurements(0.0)
    assert (measured["tokens_out"], measured["chunks"]) == (10, 10)
    assert measured.get("output_tokens_per_second") == (None if speed is None else pytest.approx(speed, rel=1e-3))
