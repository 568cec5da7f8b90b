"""A name server of our own on UDP: what it says about each name is up to the test."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

_A, _AAAA = 1, 28
_NXDOMAIN, _SERVFAIL = 3, 2


class DnsServer:
    """Names lead to addresses, or to one of HANG, NOT_FOUND, BROKEN; unknown names do not exist.

    `asked` counts queries by name. `address` is what a resolver is given as its name server.
    """

    HANG = "hang"
    NOT_FOUND = "not_found"
    BROKEN = "broken"

    def __init__(self, names: Mapping[str, Sequence[str] | str]) -> None:
        self.names = dict(names)
        self.asked: dict[str, int] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._stopping = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                query, peer = self._socket.recvfrom(4_096)
                reply = self._reply(query)
                if reply is not None:
                    self._socket.sendto(reply, peer)
            except OSError:
                return

    def _reply(self, query: bytes) -> bytes | None:
        name, end = _read_name(query, 12)
        kind = struct.unpack_from("!H", query, end)[0]
        self.asked[name] = self.asked.get(name, 0) + 1
        known = self.names.get(name, self.NOT_FOUND)
        if known == self.HANG:
            return None
        question = query[12 : end + 4]
        if isinstance(known, str):
            code = _SERVFAIL if known == self.BROKEN else _NXDOMAIN
            return query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 0, 0, 0) + question
        wanted = 4 if kind == _A else 6 if kind == _AAAA else 0
        answers = [address for text in known if (address := ipaddress.ip_address(text)).version == wanted]
        records = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(address.packed)) + address.packed for address in answers
        )
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(answers), 0, 0) + question + records

    def close(self) -> None:
        self._stopping.set()
        port = self._socket.getsockname()[1]
        # A datagram to ourselves wakes the blocked receive.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"\0" * 12 + b"\0\0\0\0\0", ("127.0.0.1", port))
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _read_name(data: bytes, position: int) -> tuple[str, int]:
    labels = []
    while data[position]:
        length = data[position]
        labels.append(data[position + 1 : position + 1 + length].decode("ascii", "replace"))
        position += length + 1
    # Resolvers may mix upper and lower case to tell true answers from forged ones.
    return ".".join(labels).lower(), position + 1
