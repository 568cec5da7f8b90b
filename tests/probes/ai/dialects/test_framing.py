"""Streams are cut into the same events wherever the network cuts them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.probes.ai.dialect import BadAnswer
from apps.probes.ai.framing import MAX_EVENT_BYTES, Framer

Events = list[tuple[str, bytes]]
BOM = b"\xef\xbb\xbf"


def cut(framing: str, chunks: Iterable[bytes]) -> Events:
    framer = Framer(framing)
    events = [event for chunk in chunks for event in framer.feed(chunk)]
    return events + framer.finish()


def pieces(stream: bytes, borders: Iterable[int]) -> list[bytes]:
    places = [0, *sorted(border % (len(stream) + 1) for border in borders), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(places)]


def data(*events: str) -> Events:
    return [("", event.encode()) for event in events]


SSE_STREAMS: dict[str, tuple[bytes, Events]] = {
    "one event": (b"data: {}\n\n", data("{}")),
    "without the blank after the colon": (b"data:{}\n\n", data("{}")),
    "only one blank is taken": (b"data:  {}\n\n", data(" {}")),
    "carriage returns": (b"data: 1\r\rdata: 2\r\r", data("1", "2")),
    "carriage returns and line feeds": (b"data: 1\r\n\r\ndata: 2\r\n\r\n", data("1", "2")),
    "all kinds of line ends": (b"data: 1\r\ndata: 2\rdata: 3\n\n", data("1\n2\n3")),
    "a named event": (b"event: ping\ndata: {}\n\ndata: 2\n\n", [("ping", b"{}"), ("", b"2")]),
    "a name without data is forgotten": (b"event: ping\n\ndata: 2\n\n", data("2")),
    "comments": (b": keep\n:\ndata: 1\n: in between\ndata: 2\n\n:\n\n", data("1\n2")),
    "fields of no interest": (b"id: 7\nretry: 10\nnonsense\ndata: 1\n\n", data("1")),
    "data without a colon": (b"data\n\ndata: 1\n\n", data("", "1")),
    "a byte order mark": (BOM + b"data: 1\n\n", data("1")),
    "a second byte order mark is none": (BOM + BOM + b"data: 1\n\ndata: 2\n\n", data("2")),
    "empty lines before anything": (b"\n\r\n\rdata: 1\n\n", data("1")),
    "characters of many bytes": ("data: 한국어 🙂\n\n".encode(), data("한국어 🙂")),
    "other line separators are text": ("data: a\u2028b\u0085c\x0bd\n\n".encode(), data("a\u2028b\u0085c\x0bd")),
    "the last empty line forgotten": (b"data: 1\n\ndata: [DONE]", data("1", "[DONE]")),
    "the last event without its end": (b'data: {"a":1}\n', data('{"a":1}')),
    "cut off in the middle": (b'data: 1\n\ndata: {"a":', data("1")),
    "nothing at all": (b"", []),
    "an error in place of a stream": (b' {"error": {"message": "}\\""}} ', data('{"error": {"message": "}\\""}}')),
    "a list in place of a stream": (b'[{"a": [1]},\r\n{"b": {}}]', data('{"a": [1]}', '{"b": {}}')),
}


@pytest.mark.parametrize("name", SSE_STREAMS)
def test_server_sent_events_are_the_same_however_they_are_cut(name: str) -> None:
    stream, expected = SSE_STREAMS[name]
    assert cut("sse", [stream]) == expected
    assert cut("sse", [stream[place : place + 1] for place in range(len(stream))]) == expected
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            parts = [stream[:first], stream[first:second], stream[second:]]
            assert cut("sse", parts) == expected, (first, second)


LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
TEXTS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
BORDERS = st.lists(st.integers(0, 10_000), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=3), max_size=5)


@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))), LINE_ENDS, BORDERS, st.booleans())
def test_any_events_survive_any_cut(
    events: list[tuple[str, list[str]]], end: str, borders: list[int], has_mark: bool
) -> None:
    lines = [f"{end}: comment"]
    for name, texts in events:
        lines += [f"event: {name}", *(f"data: {text}" for text in texts), ""]
    stream = (BOM if has_mark else b"") + "".join(line + end for line in lines).encode()
    expected = [(name, "\n".join(texts).encode()) for name, texts in events]
    assert cut("sse", pieces(stream, borders)) == expected


@given(OBJECTS, BORDERS, st.sampled_from([",", ",\r\n", " , \n\n"]), st.sampled_from([None, 2]))
def test_any_json_array_survives_any_cut(
    objects: list[dict[str, Any]], borders: list[int], between: str, indent: int | None
) -> None:
    stream = f"[{between.join(json.dumps(entry, indent=indent) for entry in objects)}]\n".encode()
    found = cut("json_array", pieces(stream, borders))
    assert [json.loads(event) for _name, event in found] == objects


@given(OBJECTS, BORDERS, LINE_ENDS, st.booleans())
def test_any_json_lines_survive_any_cut(
    objects: list[dict[str, Any]], borders: list[int], end: str, has_end: bool
) -> None:
    stream = end.join(json.dumps(entry, ensure_ascii=False) for entry in objects).encode()
    stream += end.encode() * 2 if has_end else b""
    found = cut("json_lines", pieces(stream, borders))
    assert [json.loads(event) for _name, event in found] == objects


@given(st.sampled_from(["sse", "json_array", "json_lines"]), st.binary(max_size=200), BORDERS)
def test_any_bytes_at_all_are_events_or_a_bad_answer_however_they_are_cut(
    framing: str, stream: bytes, borders: list[int]
) -> None:
    def outcome(chunks: list[bytes]) -> Events | None:
        try:
            return cut(framing, chunks)
        except BadAnswer:
            return None

    assert outcome([stream]) == outcome(pieces(stream, borders))


def test_an_event_comes_with_the_byte_that_ends_it() -> None:
    framer = Framer("sse")
    assert framer.feed(b"data: 1\r") == []
    assert framer.feed(b"\n\r") == data("1")
    assert framer.feed(b"\n") == []
    array = Framer("json_array")
    assert array.feed(b'[{"a": 1') == []
    assert array.feed(b"}") == data('{"a": 1}')
    lines = Framer("json_lines")
    assert lines.feed(b'{"a":1}') == []
    assert lines.feed(b"\n") == data('{"a":1}')


@pytest.mark.parametrize(
    ("framing", "stream"),
    [
        ("sse", b"<!doctype html><html>"),
        ("sse", b"\n <html>"),
        ("json_lines", b"<html>"),
        ("json_array", b"<html>"),
        ("json_array", b"[1, 2]"),
        ("json_array", b'{"a":1} nonsense {"b":2}'),
        ("sse", b'["text"]'),
    ],
)
def test_what_is_plainly_something_else_is_a_bad_answer(framing: str, stream: bytes) -> None:
    with pytest.raises(BadAnswer):
        cut(framing, [stream[place : place + 1] for place in range(len(stream))])


@pytest.mark.parametrize("framing", ["sse", "json_array", "json_lines"])
@pytest.mark.parametrize("size", [1, 16_384])
def test_what_never_ends_is_given_up_at_a_mebibyte(framing: str, size: int) -> None:
    framer = Framer(framing)
    framer.feed({"sse": b"data: ", "json_array": b'[{"', "json_lines": b'{"'}[framing])
    with pytest.raises(BadAnswer, match="too large"):
        for _part in range(2 * MAX_EVENT_BYTES // size):
            framer.feed(b"x" * size)


def test_many_lines_of_one_event_are_bounded_like_one_long_line() -> None:
    framer = Framer("sse")
    with pytest.raises(BadAnswer):
        for _part in range(1_000):
            framer.feed(b"data:\n" * 1_000)


def test_many_small_events_in_one_chunk_are_not_too_large() -> None:
    assert len(cut("sse", [b"data: 1234567890\n\n" * 100_000])) == 100_000
    assert len(cut("json_lines", [b'{"a":1234567890}\n' * 100_000])) == 100_000
    assert len(cut("json_array", [b"[" + b'{"a":1234567890},' * 100_000 + b"]"])) == 100_000


def test_comments_and_empty_lines_may_go_on_for_ever() -> None:
    framer = Framer("sse")
    for _part in range(200):
        assert framer.feed(b": keep-alive\n\n" * 1_000) == []
    assert framer.feed(b"data: 1\n\n") == data("1")
    assert framer.finish() == []


def test_deep_nesting_is_only_counted() -> None:
    assert cut("json_array", [b"[" * 100_000]) == []
    assert len(cut("json_array", [b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"])) == 1
    assert cut("sse", [b"data: " + b"[" * 100_000]) == []
