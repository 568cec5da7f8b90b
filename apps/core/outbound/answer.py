"""What arrives over one connection: header lines and body, counted and bounded while they stream in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from apps.core.outbound.exchange import HttpRequest

MAX_HEADER_BYTES = 64 * 1024
MAX_HEADER_LINES = 200
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class HeaderLines(Mapping[str, str]):
    """Header lines as a mapping of lower-case names, read when somebody asks: of most answers nobody does.

    Several headers of one name are joined by ", ". After an interim answer such as 100 Continue the last one counts.
    """

    __slots__ = ("_headers", "_lines")

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._headers: dict[str, str] | None = None

    def _read(self) -> dict[str, str]:
        if self._headers is None:
            self._headers = _headers_in(self._lines)
        return self._headers

    def __getitem__(self, name: str) -> str:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


def _headers_in(lines: Sequence[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        text = line.decode("latin-1").rstrip("\r\n")
        if text.startswith("HTTP/"):
            headers = {}
        elif ":" in text:
            name, _colon, value = text.partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


class Answer:
    """Collects one answer. `on_header` and `on_body` serve libcurl's callbacks: they raise nothing."""

    __slots__ = (
        *("_follow", "_header_bytes", "_keep_bytes", "_lines", "_read_lines", "_status_line"),
        *("body", "body_bytes", "ended_by_us", "max_bytes"),
    )

    def __init__(self, request: HttpRequest, *, follow: bool) -> None:
        self._follow = follow
        self._keep_bytes = request.keep_bytes
        # The limit the body is held to.
        self.max_bytes = request.max_bytes
        self._header_bytes = 0
        self._lines: list[bytes] = []
        self._status_line = ""
        # How many lines there were when the status line was looked for.
        self._read_lines = 0
        self.body = bytearray()
        self.body_bytes = 0
        # Why we ended the transfer ourselves: "headers", "size" or "redirect".
        self.ended_by_us = ""

    @property
    def status_line(self) -> str:
        """The last one, empty before there is one."""
        if self._read_lines != len(self._lines):
            self._read_lines = len(self._lines)
            found = next((line for line in reversed(self._lines) if line.startswith(b"HTTP/")), b"")
            self._status_line = found.decode("latin-1").rstrip("\r\n")[:300]
        return self._status_line

    @property
    def status(self) -> int:
        """The status code, 0 before there is one."""
        return status_of(self.status_line)

    @property
    def headers(self) -> HeaderLines:
        return HeaderLines(self._lines)

    @property
    def redirects(self) -> bool:
        """Whether this answer sends us on and we go."""
        return self._follow and self.status in REDIRECT_STATUSES and "location" in self.headers

    @property
    def is_compressed(self) -> bool:
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    def on_header(self, line: bytes) -> int | None:
        """One header line. Answering -1 ends the transfer."""
        self._lines.append(line)
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADER_BYTES or len(self._lines) > MAX_HEADER_LINES:
            self.ended_by_us = "headers"
            return -1
        return None

    def on_body(self, chunk: bytes) -> int | None:
        """A piece of the body, after decompression. Answering -1 ends the transfer."""
        if not self.body_bytes and self.redirects:
            # The body of a redirect tells nothing, and may drip.
            self.ended_by_us = "redirect"
            return -1
        self.body_bytes += len(chunk)
        room = self._keep_bytes - len(self.body)
        if room > 0:
            self.body += chunk[:room]
        if self.body_bytes > self.max_bytes:
            self.ended_by_us = "size"
            return -1
        return None


def status_of(status_line: str) -> int:
    """The code in a status line, 0 when there is none."""
    parts = status_line.split(" ", 2)
    code = parts[1] if len(parts) > 1 else ""
    # `isdigit` alone is also true of superscripts, of which `int` makes nothing.
    return int(code) if len(code) == 3 and code.isascii() and code.isdigit() else 0
