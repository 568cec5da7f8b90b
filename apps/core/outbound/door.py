"""The synchronous way out: one call, one answer, for whoever may wait (webhooks, discovery, "Try it")."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import TimeoutError as LookupTimeout

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.outbound.exchange import DEFAULT_MAX_BYTES, Exchange, HttpRequest, OutboundError
from apps.core.outbound.handles import Handle
from apps.core.outbound.hearing import HeardAnswer
from apps.core.outbound.listening import listen
from apps.core.outbound.names import Names, default_names
from apps.core.outbound.transfer import Transfer


def request(  # noqa: PLR0913 - all but two are optional and named
    method: str,
    url: str,
    *,
    policy: AddressPolicy,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_seconds: float = 15.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_redirects: int = 0,
    verify_tls: bool = True,
    ca_file: str = "",
    names: Names | None = None,
) -> Exchange:
    """Send one request and wait for the whole answer, any status being an answer. Raises OutboundError.

    `timeout_seconds` covers everything: lookups, redirects (at most `max_redirects`, 0 to 5) and the last byte.
    `max_bytes` bounds the body after decompression. Only http and https; no proxy from the environment.
    """
    wanted = HttpRequest(
        url=url,
        method=method,
        headers=dict(headers or {}),
        body=body,
        max_bytes=max_bytes,
        keep_bytes=max_bytes,
        max_redirects=max_redirects,
        verify_tls=verify_tls,
    )
    return run(Transfer(wanted, policy=policy, timeout_seconds=timeout_seconds, ca_file=ca_file), names)


def run(transfer: Transfer, names: Names | None = None) -> Exchange:
    """Drive a transfer to its end on this thread. Raises OutboundError."""
    handle = Handle()
    try:
        another = True
        while another:
            _look_up(transfer, names or default_names())
            transfer.prepare(handle)
            another = _perform(transfer, handle)
        return transfer.result()
    finally:
        handle.close()


def _perform(transfer: Transfer, handle: Handle) -> bool:
    if isinstance(handle.answer, HeardAnswer):
        # No redirect is followed, so there is no other hop.
        listen(transfer, handle, handle.answer)
        return False
    try:
        handle.curl.perform()
    except pycurl.error as error:
        return transfer.collect(handle, int(error.args[0]), str(error.args[1]))
    return transfer.collect(handle)


def _look_up(transfer: Transfer, names: Names) -> None:
    started = time.monotonic()
    allowed = transfer.lookup_seconds()
    try:
        addresses = names.look_up(transfer.location.host).result(timeout=allowed)
    except LookupTimeout:
        raise transfer.lookup_timed_out(allowed) from None
    except OutboundError as error:
        raise transfer.unresolved(error, time.monotonic() - started) from None
    transfer.resolved(addresses, time.monotonic() - started)
