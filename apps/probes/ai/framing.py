"""Cutting a stream into events as its bytes come in, wherever the borders between the chunks fall.

Three ways to put events on a wire: server-sent events, one JSON array (Gemini without `alt=sse`) and one JSON object a
line (Ollama). Bytes stay bytes until an event is whole, so no border can fall into a character.
"""

from __future__ import annotations

import re
from typing import Literal, Protocol

import msgspec

from apps.probes.ai.answers import BadAnswer
from apps.probes.details import Detail

Event = tuple[str, bytes]
Framing = Literal["sse", "json_array", "json_lines"]

# One event with everything of it that is still waiting. The longest honest one is a few tens of kilobytes.
MAX_EVENT_BYTES = 1024 * 1024
_MAX_NAME = 100
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_LINE_END = re.compile(rb"\r\n|\n|\r")
# Only these change where an element of JSON ends; everything between them is skipped at the speed of C.
_OUTSIDE_TEXT = re.compile(rb'["{}\[\]]')
_INSIDE_TEXT = re.compile(rb'["\\]')


class _Cutter(Protocol):
    """Puts what it finds into `events`, so that what came before a problem is not lost with it."""

    def feed(self, chunk: bytes, events: list[Event]) -> None: ...

    def finish(self) -> list[Event]: ...


class Framer:
    """Events out of chunks: (name, data), the name empty where the wire has none.

    What is kept between two chunks is never more than an event of 1 MiB. Raises BadAnswer for a larger one and for
    bytes that are plainly something else; when events came before it in the same chunk, they are given first, `problem`
    says what is wrong, and it is raised by the next call. However the same bytes are cut, the same events come out.

    Of a stream of server-sent events that begins as JSON does, the JSON values are the events: an error, or a list
    from a server that does not know how to stream.
    """

    def __init__(self, framing: str) -> None:
        self._framing = framing
        # What may yet become a byte order mark; None once that is settled.
        self._begun: bytes | None = b""
        self._cutter: _Cutter | None = None
        self.problem: BadAnswer | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        if self.problem is not None:
            raise self.problem
        return self._cut(self._cutter, chunk) if self._cutter is not None else self._begin(chunk)

    def _begin(self, chunk: bytes) -> list[Event]:
        if self._begun is not None:
            chunk = self._begun + chunk
            if len(chunk) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(chunk):
                self._begun = chunk
                return []
            self._begun = None
            chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
        chunk = chunk.lstrip(_BLANK)
        if not chunk:
            return []
        self._cutter = self._cutter_for(chunk[:1])
        return self._cut(self._cutter, chunk)

    def _cut(self, cutter: _Cutter, chunk: bytes) -> list[Event]:
        events: list[Event] = []
        try:
            cutter.feed(chunk, events)
        except BadAnswer as error:
            self.problem = error
            if not events:
                raise
        return events

    def finish(self) -> list[Event]:
        """What was complete but for the mark of its end; half an event is dropped. Nothing may be fed afterwards."""
        if self.problem is not None:
            raise self.problem
        return self._cutter.finish() if self._cutter is not None else []

    def _cutter_for(self, first: bytes) -> _Cutter:
        if first == b"<":
            raise BadAnswer(Detail.HTML_PAGE)
        if self._framing == "json_lines":
            return _Lines()
        if self._framing == "json_array" or first in b"{[":
            return _Elements()
        return _ServerSentEvents()


class _LineBuffer:
    """Lines out of chunks, ended by LF, CR LF or CR; a CR at the end of a chunk ends its line at once."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._after_return = False
        self._is_too_long = False

    def lines(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` ends, up to the first that is too long; `check` says whether there was one."""
        if self._after_return and chunk:
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        self._after_return = self._after_return or chunk.endswith(b"\r")
        # Most servers end lines with LF alone, and cutting there is a quarter of the work.
        parts = _LINE_END.split(chunk) if b"\r" in chunk else chunk.split(b"\n")
        is_long = len(self._waiting) + len(chunk) > MAX_EVENT_BYTES
        if len(parts) > 1:
            parts[0] = bytes(self._waiting) + parts[0]
            self._waiting = bytearray(parts.pop())
        else:
            self._waiting += parts.pop()
        if is_long:
            short = next((place for place, line in enumerate(parts) if len(line) > MAX_EVENT_BYTES), len(parts))
            self._is_too_long = short < len(parts) or len(self._waiting) > MAX_EVENT_BYTES
            return parts[:short]
        return parts

    def check(self) -> None:
        """Raise BadAnswer after the lines before one that is too long."""
        if self._is_too_long:
            raise _too_large()

    def rest(self) -> bytes:
        return bytes(self._waiting)


class _ServerSentEvents:
    """As the HTML standard has them. `id` and `retry` are for those who come back; a probe never does."""

    def __init__(self) -> None:
        self._buffer = _LineBuffer()
        self._name = ""
        self._data: list[bytes] = []
        self._bytes = 0

    def feed(self, chunk: bytes, events: list[Event]) -> None:
        for line in self._buffer.lines(chunk):
            if line:
                self._take(line)
            else:
                self._end(events)
        self._buffer.check()

    def finish(self) -> list[Event]:
        rest = self._buffer.rest()
        if rest:
            self._take(rest)
        # Some servers forget the empty line after the last event; but what was cut in the middle is no event.
        if self._data and not _is_whole(b"\n".join(self._data)):
            self._data.clear()
        events: list[Event] = []
        self._end(events)
        return events

    def _take(self, line: bytes) -> None:
        field, _colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            # An empty line of data takes room, too.
            self._bytes += len(value) + 64
            if self._bytes > MAX_EVENT_BYTES:
                raise _too_large()
            self._data.append(value)
        elif field == b"event":
            self._name = value[:_MAX_NAME].decode("utf-8", "replace")

    def _end(self, events: list[Event]) -> None:
        if self._data:
            events.append((self._name, b"\n".join(self._data)))
        self._name, self._data, self._bytes = "", [], 0


class _Lines:
    """One JSON value a line; empty lines say nothing."""

    def __init__(self) -> None:
        self._buffer = _LineBuffer()

    def feed(self, chunk: bytes, events: list[Event]) -> None:
        events += [("", line) for line in self._buffer.lines(chunk) if line.strip(_BLANK)]
        self._buffer.check()

    def finish(self) -> list[Event]:
        rest = self._buffer.rest().strip(_BLANK)
        return [("", rest)] if rest and _is_whole(rest) else []


class _Elements:
    """The objects of one JSON array as each is closed; also one object alone, or several in a row."""

    def __init__(self) -> None:
        self._element = bytearray()
        self._depth = 0
        self._in_text = False
        self._escaped = False

    def feed(self, chunk: bytes, events: list[Event]) -> None:
        position = 0
        while position < len(chunk):
            if self._depth == 0:
                position = self._skip(chunk, position)
                continue
            end = self._end_of_step(chunk, position)
            self._element += chunk[position:end]
            position = end
            if len(self._element) > MAX_EVENT_BYTES:
                raise _too_large()
            if self._depth == 0:
                events.append(("", bytes(self._element)))
                self._element = bytearray()

    def finish(self) -> list[Event]:
        return []

    def _skip(self, chunk: bytes, position: int) -> int:
        """Over what stands between two objects, to the byte after the next opening brace."""
        opening = chunk.find(b"{", position)
        between = chunk[position : len(chunk) if opening < 0 else opening]
        if between.strip(b" \t\r\n[],"):
            raise BadAnswer(Detail.NO_OBJECTS)
        if opening < 0:
            return len(chunk)
        self._element += b"{"
        self._depth = 1
        return opening + 1

    def _end_of_step(self, chunk: bytes, position: int) -> int:
        """The position after the next byte that matters, or the end of the chunk."""
        if self._escaped:
            self._escaped = False
            return position + 1
        found = (_INSIDE_TEXT if self._in_text else _OUTSIDE_TEXT).search(chunk, position)
        if found is None:
            return len(chunk)
        mark = found[0]
        if mark == b"\\":
            self._escaped = True
        elif mark == b'"':
            self._in_text = not self._in_text
        else:
            self._depth += 1 if mark in b"{[" else -1
        return found.end()


def _is_whole(data: bytes) -> bool:
    if data.strip() == b"[DONE]":
        return True
    try:
        msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def _too_large() -> BadAnswer:
    return BadAnswer(Detail.TOO_LARGE)
