"""What arrives over one connection: header lines and body, counted and bounded while they stream in."""

from __future__ import annotations

from apps.core.outbound.exchange import HttpRequest

_MAX_HEADER_BYTES = 64 * 1024
_MAX_HEADER_LINES = 200
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})


class Answer:
    """Collects one answer. Its two methods are libcurl's callbacks, so they raise nothing and answer with a number."""

    def __init__(self, request: HttpRequest, *, follow: bool) -> None:
        self._request = request
        self._follow = follow
        self._header_bytes = 0
        self._header_lines = 0
        self.status_line = ""
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.body_bytes = 0
        # Why we ended the transfer ourselves: "headers", "size" or "redirect".
        self.ended_by_us = ""

    @property
    def status(self) -> int:
        """The status code, 0 before there is one."""
        parts = self.status_line.split(" ", 2)
        code = parts[1] if len(parts) > 1 else ""
        # `isdigit` alone is also true of superscripts, of which `int` makes nothing.
        return int(code) if len(code) == 3 and code.isascii() and code.isdigit() else 0

    @property
    def max_bytes(self) -> int:
        """The limit the body is held to."""
        return self._request.max_bytes

    @property
    def redirects(self) -> bool:
        """Whether this answer sends us on and we go."""
        return self._follow and self.status in REDIRECT_STATUSES and "location" in self.headers

    @property
    def is_compressed(self) -> bool:
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    def on_header(self, line: bytes) -> int | None:
        """One header line. Answering -1 ends the transfer."""
        self._header_bytes += len(line)
        self._header_lines += 1
        if self._header_bytes > _MAX_HEADER_BYTES or self._header_lines > _MAX_HEADER_LINES:
            self.ended_by_us = "headers"
            return -1
        text = line.decode("latin-1").rstrip("\r\n")
        if text.startswith("HTTP/"):
            # Also after an interim answer such as 100 Continue: only the last one counts.
            self.status_line = text[:300]
            self.headers = {}
        elif ":" in text:
            name, _colon, value = text.partition(":")
            self._add(name.strip().lower(), value.strip())
        return None

    def _add(self, name: str, value: str) -> None:
        self.headers[name] = f"{self.headers[name]}, {value}" if name in self.headers else value

    def on_body(self, chunk: bytes) -> int | None:
        """A piece of the body, after decompression. Answering -1 ends the transfer."""
        if self.redirects:
            # The body of a redirect tells nothing, and may drip.
            self.ended_by_us = "redirect"
            return -1
        self.body_bytes += len(chunk)
        room = self._request.keep_bytes - len(self.body)
        if room > 0:
            self.body += chunk[:room]
        if self.body_bytes > self._request.max_bytes:
            self.ended_by_us = "size"
            return -1
        return None
