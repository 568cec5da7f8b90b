"""What an `async` kind is given to look with: time that runs out, checked names, connections that are timed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from apps.core.addresses import AddressPolicy
from apps.core.outbound.door import run
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.locations import BadLocation, parse_host
from apps.core.outbound.names import Names
from apps.core.outbound.sockets import as_the_system_says, connect_failure, tls_failure
from apps.core.outbound.transfer import MAX_LOOKUP_SECONDS, Transfer


@dataclass(frozen=True, slots=True)
class Stream:
    """An open connection. `address` is the one really reached."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str

    def close(self) -> None:
        """Let go at once; nobody waits for a goodbye."""
        self.writer.transport.abort()


class Looking:
    """One look in progress. `measurements` and `evidence` fill up as it goes, so a timeout can tell how far it came."""

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        names: Names,
        timeout_seconds: float,
        ca_file: str = "",
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy = policy
        self.timeout_seconds = timeout_seconds
        self.measurements: dict[str, float] = {}
        self.evidence: dict[str, Any] = {"timeout_seconds": timeout_seconds}
        self.current_phase = ""
        self.started_at = wall_clock()
        self._names = names
        self._ca_file = ca_file
        self._clock = clock
        self._wall_clock = wall_clock
        self._started = clock()

    def elapsed(self) -> float:
        """Seconds since the look began."""
        return self._clock() - self._started

    def remaining(self) -> float:
        """Seconds left, at least a millisecond."""
        return max(self.timeout_seconds - self.elapsed(), 0.001)

    def now(self) -> float:
        """Unix seconds, for comparing with what the target says about time."""
        return self._wall_clock()

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a part of the look as `<name>_ms`."""
        started, self.current_phase = self._clock(), name
        try:
            yield
        except BaseException:
            self._measure(name, started)
            raise
        self._measure(name, started)
        self.current_phase = ""

    def _measure(self, name: str, started: float) -> None:
        key = f"{name}_ms"
        spent = (self._clock() - started) * 1000
        self.measurements[key] = round(self.measurements.get(key, 0.0) + spent, 3)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Where `host` leads, every address allowed. Raises OutboundError."""
        self.evidence["host"] = host
        try:
            name = parse_host(host)
        except BadLocation as error:
            raise OutboundError(OutboundReason.INVALID_CONFIGURATION, error.words.to_evidence()) from None
        with self.phase("dns"):
            found = await self._looked_up(name)
        for address in found:
            rule = self.policy.refusal(address)
            if rule is not None:
                raise OutboundError(OutboundReason.ADDRESS_DENIED, {"host": host, "address": address, "rule": rule})
        return found

    async def _looked_up(self, name: str) -> tuple[str, ...]:
        # Shielded: the query is shared with others who asked for the same name.
        future = asyncio.shield(asyncio.wrap_future(self._names.look_up(name)))
        allowed = min(self.remaining(), MAX_LOOKUP_SECONDS)
        try:
            async with asyncio.timeout(allowed):
                return await future
        except TimeoutError:
            # Retrieved, so that nobody is told of an exception never looked at.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            evidence = {"host": name, "timeout_seconds": round(allowed, 3)}
            raise OutboundError(OutboundReason.DNS_TIMEOUT, evidence) from None

    async def connect(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Stream:
        """A connection to the first address that takes one, with TLS when a context is given. Raises OutboundError."""
        addresses = await self.addresses(host)
        self.evidence["port"] = port
        with self.phase("connect"):
            connected = await self._first(addresses, port)
        address = str(connected.getpeername()[0])
        self.evidence["address"] = address
        if tls is None:
            reader, writer = await asyncio.open_connection(sock=connected)
            return Stream(reader, writer, address)
        with self.phase("tls"):
            return await self._encrypted(connected, host, tls, address)

    async def exchange(self, request: HttpRequest, timeout_seconds: float) -> Exchange:
        """One HTTP request, in at most `timeout_seconds` and the time that is left. Raises OutboundError."""
        transfer = Transfer(
            request,
            policy=self.policy,
            timeout_seconds=min(timeout_seconds, self.remaining()),
            ca_file=self._ca_file,
            wall_clock=self._wall_clock,
        )
        answer: Future[Exchange] = Future()
        # A thread of its own, which holds up no other look and no end of the process.
        threading.Thread(target=_exchange, args=(transfer, self._names, answer), daemon=True).start()
        return await asyncio.wrap_future(answer)

    async def _first(self, addresses: tuple[str, ...], port: int) -> socket.socket:
        problem: OSError | None = None
        for tried, address in enumerate(addresses):
            share = self.remaining() / (len(addresses) - tried)
            try:
                async with asyncio.timeout(share):
                    return await _connected(address, port)
            except TimeoutError:
                problem = problem or as_the_system_says(errno.ETIMEDOUT)
            except OSError as error:
                problem = error
        raise connect_failure(problem or as_the_system_says(errno.EHOSTUNREACH))

    async def _encrypted(self, connected: socket.socket, host: str, tls: ssl.SSLContext, address: str) -> Stream:
        try:
            reader, writer = await asyncio.open_connection(
                sock=connected, ssl=tls, server_hostname=host, ssl_handshake_timeout=self.remaining() + 1
            )
        except ssl.SSLError as error:
            raise tls_failure(error) from None
        return Stream(reader, writer, address)


def _exchange(transfer: Transfer, names: Names, answer: Future[Exchange]) -> None:
    # False when nobody waits for it any more.
    if not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(run(transfer, names))
    except BaseException as error:
        answer.set_exception(error)


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock
