"""Hearing a stream while it arrives: when the first token came, how far apart the others were, and when it is enough.

Everything is bounded: bytes, events, the text that is kept and the time without a token. A stream that goes on past
what was asked for is ended by us, because it costs money and tells nothing new.

What is heard is noted with its moment and read later, many pieces at once: the thread that hears is everybody's, and
reading piece by piece between its other work costs several times as much.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from apps.core.details import Words
from apps.probes.ai import counting
from apps.probes.ai.dialect import Ask, BadAnswer, Delta, Dialect, Finish
from apps.probes.ai.framing import Framer
from apps.probes.ai.usage import Usage
from apps.probes.reasons import Reason

MAX_BYTES = 8 * 1024 * 1024
MAX_EVENTS = 50_000
# Of an answer, for the evidence; what is counted is all of it.
KEPT_CHARACTERS = 500
# So many times the tokens we asked for, and a few: whoever says more does not keep to our limit.
_ENOUGH_TIMES = 2
_ENOUGH_MORE = 64
_MILLISECONDS = 1000.0
# What is over sooner was emptied from a buffer and not written while we heard it: the quickest models take some 40 ms
# for the about 120 tokens we ask for, and moments are known to about a millisecond.
_SHORTEST_SPEED_SECONDS = 0.010
# What is heard waits to be read until it is so much, or until somebody must know what was in it.
_UNREAD_PIECES = 128
_UNREAD_BYTES = 64 * 1024
# Lines no answer can hold, for its text has no line ends of its own: nothing comes after them.
_LAST_LINES = (b"data: [DONE]", b"event: message_stop", b"event: response.completed")
# The last of JSON lines.
_DONE = re.compile(rb'"done":\s*true')


class Clocks(NamedTuple):
    """Seconds until the first token of any sort, counted from when the request was handed over, and between two."""

    first_token_seconds: float
    stall_seconds: float


class StreamListener:
    """Hears one stream of one dialect. A `core.outbound.Listener`; moments are monotonic seconds."""

    def __init__(
        self,
        dialect: Dialect,
        ask: Ask,
        clocks: Clocks,
        *,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit`: the tokens the model was allowed, thinking included."""
        self._clock = clock
        self.ask = ask
        self.limit = limit
        self.clocks = clocks
        self.began_at: float | None = None
        self.first_at: float | None = None
        self.first_answer_at: float | None = None
        self.last_at: float | None = None
        self.gaps: list[float] = []
        self.chunks = 0
        self.events = 0
        self.heard_bytes = 0
        self.answer = ""
        self.answer_bytes = 0
        self.reasoning_bytes = 0
        self.has_tool_calls = False
        self.finish: Finish = ""
        self.ended = False
        self.usage: Usage | None = None
        self.problem: Reason | None = None
        self.detail = ""
        # Why it is no stream of this dialect.
        self.malformed: Words | None = None
        self.missed_clock: Literal["", "first_token", "stall"] = ""
        # Whatever went wrong in our own reading: raised again where surprises are dealt with.
        self.surprise: Exception | None = None
        self._unread: list[tuple[bytes, float]] = []
        self._unread_bytes = 0
        self._framer = Framer(dialect.framing)
        self._is_sse = dialect.framing == "sse"
        self._reader = dialect.event_reader()
        self._heard_at = 0.0
        self._closed = False

    # --- What the transfer calls ---

    def began(self, at: float) -> None:
        self.began_at = at

    def heard(self, chunk: bytes, at: float) -> bool:
        self.heard_bytes += len(chunk)
        self._unread.append((chunk, at))
        self._unread_bytes += len(chunk)
        # This runs for every piece, so what is cheap is asked first.
        has_mark = b"[DONE]" in chunk or b"message_stop" in chunk or b"response.completed" in chunk
        if has_mark and self._is_sse and _is_last(chunk):
            return False
        is_full = self._unread_bytes >= _UNREAD_BYTES or len(self._unread) >= _UNREAD_PIECES
        if is_full or b'"error"' in chunk or (b'"done":' in chunk and _DONE.search(chunk)):
            self.read()
            return not self.has_enough
        return True

    def deadline(self) -> float | None:
        """While something is unread, a moment that is early enough whatever is in it: when it comes, it is read."""
        if self.began_at is None:
            return None
        moment = self._next_by(self.began_at)
        if self._unread and moment <= self._clock():
            self.read()
            # Of what ended, or went wrong, nothing more is waited for.
            return self.began_at if self.has_enough else self._next_by(self.began_at)
        return moment

    def _next_by(self, began_at: float) -> float:
        if self.last_at is not None:
            return self.last_at + self.clocks.stall_seconds
        first = self.clocks.first_token_seconds
        return began_at + (min(first, self.clocks.stall_seconds) if self._unread else first)

    def missed(self, at: float) -> None:
        self.read()
        if not self.has_enough:
            self.missed_clock = "first_token" if self.last_at is None else "stall"

    def read(self) -> None:
        """Read what was heard and not read yet. Raises nothing: `close` does it later."""
        unread, self._unread, self._unread_bytes = self._unread, [], 0
        try:
            for chunk, at in unread:
                if self.has_enough:
                    return
                self._heard_at = at
                for name, data in self._framer.feed(chunk):
                    self._take(self._reader.read(name, data), at)
                    # Asked after each event, so that no verdict depends on how the bytes were cut.
                    if self.has_enough:
                        return
                if self._framer.problem is not None:
                    raise self._framer.problem
        except BadAnswer as error:
            self.malformed = error.words
        except Exception as error:  # on the loop's thread nothing may be raised
            self.surprise = error

    # --- What it came to ---

    @property
    def has_enough(self) -> bool:
        """Nothing more is worth waiting for: it ended, it went wrong, or it went on too long."""
        return bool(self.ended or self.problem or self.malformed or self.surprise) or self.is_overlong

    @property
    def is_overlong(self) -> bool:
        """More came than we asked for, or than anybody sends."""
        enough = _ENOUGH_TIMES * self.limit + _ENOUGH_MORE
        return self.spoken_tokens > enough or self.events > MAX_EVENTS or self.heard_bytes > MAX_BYTES

    @property
    def spoken_tokens(self) -> int:
        """About how many tokens were heard. A piece is at least one."""
        tokens = -(-(self.answer_bytes + self.reasoning_bytes) // 4)
        return max(tokens, self.chunks)

    @property
    def is_complete(self) -> bool:
        """It ended as its dialect ends streams, or at least said why it stopped."""
        return self.ended or bool(self.finish)

    @property
    def has_answer(self) -> bool:
        return self.first_answer_at is not None

    def close(self) -> None:
        """The transfer is over: read what only its end completes, and raise what surprised us while hearing."""
        self.read()
        if not self._closed and not self.has_enough and not self.missed_clock:
            try:
                for name, data in self._framer.finish():
                    if not self.has_enough:
                        self._take(self._reader.read(name, data), self._heard_at)
            except BadAnswer as error:
                self.malformed = error.words
        self._closed = True
        if self.surprise is not None:
            raise self.surprise

    def settled_usage(self) -> Usage:
        """The provider's count where it named one before the end, else ours of what was heard."""
        reasoning = min(-(-self.reasoning_bytes // 4), self.spoken_tokens)
        ours = counting.estimated(counting.text_of(self.ask), self.spoken_tokens, reasoning)
        # A count named before the end is one of a part.
        named = self.usage if self.is_complete else None
        return counting.believed(named, ours, self.limit)

    def measurements(self, sent_at: float) -> dict[str, float]:
        """Times from `sent_at` (0: from when the request was handed over), gaps, speed and tokens."""
        usage = self.settled_usage()
        measured = usage.measurements() | {"chunks": float(self.chunks)}
        start = sent_at or self.began_at
        if start is not None and self.first_at is not None:
            measured["ttft_ms"] = _milliseconds(self.first_at - start)
        if start is not None and self.first_answer_at is not None:
            measured["answer_ttft_ms"] = _milliseconds(self.first_answer_at - start)
        if self.gaps:
            ordered = sorted(self.gaps)
            measured["chunk_gap_p50_ms"] = _milliseconds(_percentile(ordered, 0.50))
            measured["chunk_gap_p95_ms"] = _milliseconds(_percentile(ordered, 0.95))
            measured["chunk_gap_max_ms"] = _milliseconds(ordered[-1])
        return measured | self._speed(usage)

    def _speed(self, usage: Usage) -> dict[str, float]:
        if self.first_at is None or self.last_at is None:
            return {}
        seconds = self.last_at - self.first_at
        if seconds < _SHORTEST_SPEED_SECONDS:
            return {}
        # What was thought before the first token and never shown took no part of this time.
        hidden = usage.tokens_reasoning if not self.reasoning_bytes else 0
        spoken = max(usage.tokens_out - hidden, 0)
        return {"output_tokens_per_second": round(spoken / seconds, 3)} if spoken else {}

    def _take(self, delta: Delta, at: float) -> None:
        self.events += 1
        self.finish = delta.finish or self.finish
        self.ended = self.ended or delta.ended
        self.usage = delta.usage or self.usage
        if delta.problem is not None and self.problem is None:
            self.problem, self.detail = delta.problem, delta.detail
        if delta.text or delta.reasoning or delta.tool_calls:
            self._count(delta, at)

    def _count(self, delta: Delta, at: float) -> None:
        if self.last_at is not None:
            self.gaps.append(at - self.last_at)
        self.first_at = at if self.first_at is None else self.first_at
        self.last_at = at
        self.chunks += 1
        self.reasoning_bytes += len(delta.reasoning.encode("utf-8", "replace"))
        self.answer_bytes += len(delta.text.encode("utf-8", "replace"))
        for call in delta.tool_calls:
            self.has_tool_calls = True
            self.answer_bytes += len(call.name) + len(call.arguments)
        if (delta.text or delta.tool_calls) and self.first_answer_at is None:
            self.first_answer_at = at
        if len(self.answer) < KEPT_CHARACTERS:
            self.answer = (self.answer + delta.text)[:KEPT_CHARACTERS]


def _is_last(chunk: bytes) -> bool:
    """Whether the event that ends `chunk` says that nothing comes after it."""
    if not chunk.endswith((b"\n\n", b"\r\n\r\n", b"\r\r")):
        return False
    last = chunk.rstrip(b"\r\n").splitlines()[-2:]
    return any(line.startswith(_LAST_LINES) for line in last)


def _milliseconds(seconds: float) -> float:
    return round(max(seconds, 0.0) * _MILLISECONDS, 3)


def _percentile(ordered: list[float], share: float) -> float:
    """The nearest rank: a value that was really measured."""
    return ordered[max(-(-int(share * 100) * len(ordered) // 100) - 1, 0)]
