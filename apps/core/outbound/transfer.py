"""One request through all its redirects, whoever drives it: the engine's loop or the synchronous door.

    transfer = Transfer(request, policy=…, timeout_seconds=…)
    while True:
        transfer.resolved(addresses of transfer.location.host, seconds it took)
        transfer.prepare(handle);  run handle.curl
        if not transfer.collect(handle, code, message):
            break
    exchange = transfer.result()

Every step raises OutboundError when the transfer ends there. A new hop is looked up and checked like the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pycurl

from apps.core.addresses import AddressPolicy
from apps.core.kindconfig.fields import is_sensitive_header
from apps.core.outbound.answer import Answer, status_of
from apps.core.outbound.certificates import read_certificate
from apps.core.outbound.exchange import MAX_REDIRECTS, Cut, Exchange, Hop, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.failures import curl_failure
from apps.core.outbound.handles import Handle
from apps.core.outbound.hearing import HeardAnswer
from apps.core.outbound.locations import BadLocation, Location, parse_location, parse_redirect
from apps.core.outbound.requests import method_after, refuse_bad_request
from apps.core.outbound.showing import safe_headers, safe_url, shortened

_SNIPPET_BYTES = 2_048
MAX_LOOKUP_SECONDS = 5.0
# Before the first answer.
_NO_ANSWER = Answer(HttpRequest(url=""), follow=False)
_VERSIONS = {
    pycurl.CURL_HTTP_VERSION_1_0: 1.0,
    pycurl.CURL_HTTP_VERSION_1_1: 1.1,
    pycurl.CURL_HTTP_VERSION_2_0: 2.0,
}


class Transfer:
    """The state of one request between its hops. Not for use by two threads at once.

    Time spent is what lookups and libcurl took; waiting in our own queues is not the target's, and is left out.
    """

    def __init__(
        self,
        request: HttpRequest,
        *,
        policy: AddressPolicy,
        timeout_seconds: float,
        ca_file: str = "",
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.request = request
        self.timeout_seconds = timeout_seconds
        self.started_at = wall_clock()
        self.phases: dict[str, float] = {}
        self.hops: list[Hop] = []
        self._policy = policy
        self._ca_file = ca_file
        self._spent = 0.0
        self._addresses: tuple[str, ...] = ()
        self._visited: set[tuple[str, str]] = set()
        self._answer = _NO_ANSWER
        self._wire_bytes = 0
        self._address = ""
        self._pem = ""
        self._http_version = 0.0
        self._reused = False
        self._cut: Cut = ""
        self._sent_at = 0.0
        refuse_bad_request(request)
        try:
            self.location: Location = parse_location(request.url)
        except BadLocation as error:
            raise OutboundError(OutboundReason.INVALID_CONFIGURATION, error.words.to_evidence()) from None
        self._method = request.method
        self._headers: Mapping[str, str] = request.headers
        self._body = request.body

    def remaining(self) -> float:
        """Seconds left of the whole timeout."""
        return self.timeout_seconds - self._spent

    def shorten(self, seconds: float) -> bool:
        """Leave so much less time, but always a moment: our own queue took it. Whether it is less at all."""
        if seconds <= 0:
            return False
        self.timeout_seconds = max(self.timeout_seconds - seconds, self._spent + 0.1)
        return True

    def lookup_seconds(self) -> float:
        """How long the lookup of the present hop may take: no name is worth more than MAX_LOOKUP_SECONDS."""
        return max(min(self.remaining(), MAX_LOOKUP_SECONDS), 0.0)

    @property
    def endpoint(self) -> tuple[str, int]:
        """The address and port the present hop leads to, once it was looked up; of several addresses the first."""
        return (self._addresses[0] if self._addresses else self.location.host), self.location.port

    def resolved(self, addresses: Sequence[str], seconds: float) -> None:
        """The present hop's host leads to `addresses`; every one of them must be allowed."""
        self._spend("dns_ms", seconds)
        for address in addresses:
            rule = self._policy.refusal(address)
            if rule is not None:
                raise self.failure(OutboundReason.ADDRESS_DENIED, address=address, rule=rule)
        self._addresses = tuple(addresses)

    def unresolved(self, error: OutboundError, seconds: float) -> OutboundError:
        """The failed lookup of the present hop, as this transfer's failure."""
        self._spend("dns_ms", seconds)
        return self.failure(error.reason, **error.evidence)

    def lookup_timed_out(self, seconds: float) -> OutboundError:
        """No answer to the lookup within the time there was."""
        self._spend("dns_ms", seconds)
        return self.failure(OutboundReason.DNS_TIMEOUT, timeout_seconds=round(seconds, 3))

    def prepare(self, handle: Handle) -> None:
        """Set a handle up for the present hop."""
        handle.prepare(
            location=self.location,
            addresses=self._addresses,
            method=self._method,
            headers=self._headers,
            body=self._body,
            timeout_seconds=max(self.remaining(), 0.001),
            request=self.request,
            ca_file=self._ca_file,
            policy=self._policy,
        )

    def collect(self, handle: Handle, code: int = 0, message: str = "") -> bool:
        """Take over what the handle did (`code`: libcurl's, 0 for success). True: there is another hop to run."""
        self._take(handle)
        if isinstance(self._answer, HeardAnswer) and self._is_enough(self._answer):
            return False
        if self._answer.redirects and (code == 0 or self._answer.ended_by_us == "redirect"):
            self._redirect()
            return True
        if code:
            assert handle.guard is not None  # noqa: S101 - it was prepared
            reason, evidence = curl_failure(
                handle.curl,
                code,
                handle.readable(message, self.location.host),
                is_tls=self.location.scheme == "https",
                answer=self._answer,
                guard=handle.guard,
                connect_timeout_seconds=self.request.connect_timeout_seconds,
            )
            raise self.failure(reason, **evidence)
        return False

    def collect_late(self, handle: Handle, now: float) -> float:
        """Take over what the handle did until it was taken from libcurl, for its listener had missed its deadline.

        Returns how many seconds libcurl had it. Raises only what the listener raised.
        """
        assert isinstance(handle.answer, HeardAnswer)  # noqa: S101 - nobody else has a deadline
        waited = now - handle.answer.began_at
        self._take(handle, total=waited)
        self._is_enough(handle.answer)
        self._cut = "late"
        return waited

    def _take(self, handle: Handle, total: float | None = None) -> None:
        assert handle.answer is not None  # noqa: S101 - it was prepared
        assert handle.guard is not None  # noqa: S101
        curl, self._answer = handle.curl, handle.answer
        self._reused = not handle.guard.asked
        self._take_times(curl, curl.getinfo(pycurl.TOTAL_TIME) if total is None else total)
        self._address = str(curl.getinfo(pycurl.PRIMARY_IP) or "")
        self._wire_bytes = int(curl.getinfo(pycurl.SIZE_DOWNLOAD_T))
        self._http_version = _VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), 0.0)
        if self.location.scheme == "https":
            self._pem = _leaf_pem(curl)

    def _is_enough(self, answer: HeardAnswer) -> bool:
        """Whether the listener ended it. Raises what the listener raised, if it did."""
        # Its watcher holds on to us: without it nothing of this outlives its judgement.
        answer.moved = None
        self._sent_at = answer.sent_at
        if answer.surprise is not None:
            raise answer.surprise
        self._cut = "enough" if answer.ended_by_us == "enough" else ""
        return self._cut == "enough"

    def result(self) -> Exchange:
        """The complete answer of the last hop."""
        answer = self._answer
        status_line = answer.status_line
        return Exchange(
            status=status_of(status_line),
            status_line=status_line,
            headers=answer.headers,
            body=bytes(answer.body),
            body_bytes=answer.body_bytes,
            wire_bytes=self._wire_bytes,
            url=self.location.url,
            address=self._address,
            phases=self.phases,
            duration_ms=self._spent * 1000,
            started_at=self.started_at,
            hops=tuple(self.hops),
            certificate=read_certificate(self._pem) if self._pem else None,
            http_version=self._http_version,
            reused=self._reused,
            cut=self._cut,
            listener=self.request.listener,
            sent_at=self._sent_at,
        )

    def failure(self, reason: OutboundReason, **evidence: Any) -> OutboundError:
        """An error with everything known so far as its evidence."""
        known: dict[str, Any] = {
            "url": safe_url(self.location.url),
            "host": self.location.host,
            "port": self.location.port,
            "timeout_seconds": self.timeout_seconds,
        }
        if self._address:
            known["address"] = self._address
        elif self._addresses:
            known["addresses"] = list(self._addresses)
        if self.hops:
            known["redirects"] = hop_evidence(self.hops)
        known |= self._answer_evidence() | self._certificate_evidence() | evidence
        return OutboundError(
            reason,
            known,
            phases=self.phases,
            duration_ms=self._spent * 1000,
            started_at=self.started_at,
            status=self._answer.status or None,
            listener=self.request.listener,
            sent_at=self._sent_at,
        )

    def _answer_evidence(self) -> dict[str, Any]:
        answer = self._answer
        if not answer.status_line:
            return {}
        evidence: dict[str, Any] = {"status_line": answer.status_line, "headers": safe_headers(answer.headers)}
        if answer.body_bytes:
            evidence["body"] = bytes(answer.body[:_SNIPPET_BYTES]).decode("utf-8", "replace")
            evidence["body_bytes"] = answer.body_bytes
        return evidence

    def _certificate_evidence(self) -> dict[str, Any]:
        certificate = read_certificate(self._pem) if self._pem else None
        if certificate is None:
            return {}
        return {
            "certificate": certificate.evidence(),
            "issuer": certificate.issuer,
            "names": list(certificate.names[:20]) or [certificate.subject],
            "not_before": certificate.not_before.date().isoformat(),
            "not_after": certificate.not_after.date().isoformat(),
        }

    def _redirect(self) -> None:
        """Move on to where the answer leads, leaving secrets behind when that is another server."""
        target = self._answer.headers["location"]
        try:
            location = parse_redirect(self.location, target)
        except BadLocation as error:
            shown = safe_url(shortened(target, 300))
            evidence = error.words.to_evidence()
            raise self.failure(OutboundReason.REDIRECT_REFUSED, location=shown, **evidence) from None
        self._visited.add((self._method, self.location.url))
        hop = Hop(status=self._answer.status, url=self.location.url, location=location.url, address=self._address)
        self.hops.append(hop)
        self._method, self._body = method_after(hop.status, self._method, self._body)
        if (self._method, location.url) in self._visited:
            raise self.failure(OutboundReason.REDIRECT_LOOP, url=safe_url(location.url), count=len(self.hops))
        limit = min(self.request.max_redirects, MAX_REDIRECTS)
        if len(self.hops) > limit:
            raise self.failure(OutboundReason.TOO_MANY_REDIRECTS, count=len(self.hops), expected=limit)
        if location.origin != self.location.origin:
            self._headers = {
                name: value
                for name, value in self._headers.items()
                if not is_sensitive_header(name) and name.lower() != "host"
            }
        self.location = location
        self._addresses, self._address, self._pem = (), "", ""

    def _take_times(self, curl: pycurl.Curl, total: float) -> None:
        """libcurl's times are seconds since its own start; the phases between them become ours, summed over hops."""
        time_of = curl.getinfo
        connect, tls = time_of(pycurl.CONNECT_TIME), time_of(pycurl.APPCONNECT_TIME)
        ready, first = time_of(pycurl.PRETRANSFER_TIME), time_of(pycurl.STARTTRANSFER_TIME)
        self._spent += total
        if connect and not self._reused:
            self._add("connect_ms", connect - time_of(pycurl.NAMELOOKUP_TIME))
            if self.location.scheme == "https":
                self._add("tls_ms", (tls or total) - connect)
                if not tls:
                    return
        if first:
            self._add("first_byte_ms", first - max(ready, tls, connect))
            self._add("transfer_ms", total - first)

    def _spend(self, phase: str, seconds: float) -> None:
        self._spent += seconds
        self._add(phase, seconds)

    def _add(self, phase: str, seconds: float) -> None:
        self.phases[phase] = round(self.phases.get(phase, 0.0) + max(seconds, 0.0) * 1000, 3)


def hop_evidence(hops: Sequence[Hop]) -> list[dict[str, Any]]:
    """Redirects as plain values."""
    return [
        {"status": hop.status, "url": safe_url(hop.url), "location": safe_url(hop.location), "address": hop.address}
        for hop in hops
    ]


def _leaf_pem(curl: pycurl.Curl) -> str:
    """The first certificate the server showed; libcurl lists it even when it did not accept it."""
    chain = curl.getinfo(pycurl.INFO_CERTINFO)
    return next((value for name, value in chain[0] if name == "Cert"), "") if chain else ""
