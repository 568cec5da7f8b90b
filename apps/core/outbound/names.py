"""Looking up names: c-ares with our own deadline a name, so that a dead name server delays nobody else.

libcurl and the C library never resolve for us: their resolvers hold a thread a name, and twenty silent names made every
other host time out. `/etc/hosts` and `localhost` are honoured. Answers are futures, for threads and coroutines alike.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import pycares

from apps.core.outbound.exchange import OutboundError, OutboundReason
from apps.core.outbound.locations import literal_address

Addresses = tuple[str, ...]

KEEP_SECONDS = 5.0
_MAX_KEPT = 10_000
_MAX_ADDRESSES = 16
# c-ares doubles the wait at each try: it gives a name up after about 6 s. Callers usually stop waiting earlier.
_TRY_SECONDS = 2.0
_TRIES = 2


class Names:
    """A resolver for the whole process, usable from any thread. `nameservers`: addresses, with a port if not 53.

    Lookups of one name in flight share one query; an answer is kept for KEEP_SECONDS on top of what c-ares keeps by
    the record's own time to live.
    """

    def __init__(self, nameservers: Sequence[str] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Addresses]] = {}
        self._waiting: dict[str, Future[Addresses]] = {}
        self._channel = pycares.Channel(
            timeout=_TRY_SECONDS, tries=_TRIES, servers=list(nameservers) if nameservers else None
        )

    def known(self, host: str) -> Addresses | None:
        """The addresses of `host` when nobody need be asked: it is an address itself, or was looked up just now."""
        address = literal_address(host)
        if address is not None:
            return (address,)
        with self._lock:
            kept = self._kept.get(host)
            return kept[1] if kept is not None and kept[0] > self._clock() else None

    def look_up(self, host: str) -> Future[Addresses]:
        """The addresses of `host` (ASCII name or address). The future fails with OutboundError; never cancel it."""
        known = self.known(host)
        if known is not None:
            return _done(known)
        with self._lock:
            if host in self._waiting:
                return self._waiting[host]
            future = self._waiting[host] = Future()
        self._ask(host, future)
        return future

    def _ask(self, host: str, future: Future[Addresses]) -> None:
        def answered(result: pycares.AddrInfoResult | None, error: int | None) -> None:
            # Runs on c-ares' own thread: whatever goes wrong must end in the future, for nobody else would see it.
            try:
                self._settle(host, future, result, error)
            except BaseException as problem:
                if not future.done():
                    future.set_exception(problem)

        try:
            self._channel.getaddrinfo(host, None, family=socket.AF_UNSPEC, callback=answered)
        except Exception as problem:  # a malformed name or a closed channel, told in several ways
            with self._lock:
                self._waiting.pop(host, None)
            if not future.done():
                future.set_exception(
                    OutboundError(OutboundReason.DNS_ERROR, {"host": host, "detail": str(problem)[:200]})
                )

    def _settle(
        self, host: str, future: Future[Addresses], result: pycares.AddrInfoResult | None, error: int | None
    ) -> None:
        addresses = _addresses(result) if result is not None and error is None else ()
        with self._lock:
            self._waiting.pop(host, None)
            if addresses:
                if len(self._kept) >= _MAX_KEPT:
                    self._kept.clear()
                self._kept[host] = (self._clock() + KEEP_SECONDS, addresses)
        if future.done():
            return
        if addresses:
            future.set_result(addresses)
        else:
            future.set_exception(_failure(host, error))

    def close(self) -> None:
        """Give up every query and end c-ares' thread."""
        self._channel.close()


def _addresses(result: pycares.AddrInfoResult) -> Addresses:
    found = (node.addr[0] for node in result.nodes)
    texts = [address.decode() if isinstance(address, bytes) else str(address) for address in found]
    return tuple(dict.fromkeys(texts))[:_MAX_ADDRESSES]


def _done(addresses: Addresses) -> Future[Addresses]:
    future: Future[Addresses] = Future()
    future.set_result(addresses)
    return future


_REASONS = {
    None: OutboundReason.DNS_NOT_FOUND,
    pycares.errno.ARES_ENOTFOUND: OutboundReason.DNS_NOT_FOUND,
    pycares.errno.ARES_ENODATA: OutboundReason.DNS_NOT_FOUND,
    pycares.errno.ARES_ETIMEOUT: OutboundReason.DNS_TIMEOUT,
}


def _failure(host: str, error: int | None) -> OutboundError:
    reason = _REASONS.get(error, OutboundReason.DNS_ERROR)
    evidence: dict[str, object] = {"host": host}
    if reason is OutboundReason.DNS_ERROR and error is not None:
        evidence["detail"] = pycares.errno.strerror(error)
    if reason is OutboundReason.DNS_TIMEOUT:
        evidence["timeout_seconds"] = _TRY_SECONDS * (2**_TRIES - 1)
    return OutboundError(reason, evidence)


_default: tuple[int, Names] | None = None
_default_lock = threading.Lock()


def nameservers_from(text: str) -> tuple[str, ...]:
    """Name servers from settings text (PORTAL_DNS): addresses, with a port if not 53, separated by commas or spaces."""
    return tuple(text.replace(",", " ").split())


def default_names() -> Names:
    """The process's own resolver, asking PORTAL_DNS or the system's name servers. Made anew after a fork."""
    global _default  # noqa: PLW0603 - one resolver a process is the point
    with _default_lock:
        if _default is None or _default[0] != os.getpid():
            _default = (os.getpid(), Names(nameservers_from(os.environ.get("PORTAL_DNS", ""))))
        return _default[1]
