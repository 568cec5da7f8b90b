"""Kept connections: who may use one that another request opened. One handle is one cache of connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pycurl
import pytest

from apps.core.addresses import AddressPolicy, channel_policy, probe_policy
from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError, OutboundReason
from apps.core.outbound.handles import Handle
from apps.core.outbound.transfer import Transfer
from tests.servers import http, http2
from tests.servers.http import HttpServer
from tests.servers.http2 import Http2Server
from tests.servers.tls import Authority


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer(keep_alive=True) as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def handle() -> Iterator[Handle]:
    made = Handle()
    yield made
    made.close()


def ask(
    handle: Handle,
    url: str,
    *,
    addresses: tuple[str, ...] = ("127.0.0.1",),
    policy: AddressPolicy | None = None,
    ca_file: str = "",
    timeout_seconds: float = 2.0,
    **options: Any,
) -> Exchange:
    """One request with this handle, whatever it did before, its name leading to `addresses`."""
    request = HttpRequest(url=url, **{"reuse_connection": True, **options})
    transfer = Transfer(request, policy=policy or probe_policy(), timeout_seconds=timeout_seconds, ca_file=ca_file)
    another = True
    while another:
        transfer.resolved(addresses, 0.0)
        transfer.prepare(handle)
        code, message = 0, ""
        try:
            handle.curl.perform()
        except pycurl.error as error:
            code, message = error.args
        try:
            another = transfer.collect(handle, code, message)
        finally:
            handle.release()
    return transfer.result()


def named(server: HttpServer, host: str = "service.test") -> str:
    return server.url(host=host)


def test_a_connection_is_kept_only_when_asked(server: HttpServer, handle: Handle) -> None:
    first, second = ask(handle, named(server)), ask(handle, named(server))
    assert (first.reused, second.reused, server.connections) == (False, True, 1)
    assert "connect_ms" in first.phases
    assert "connect_ms" not in second.phases
    assert {"first_byte_ms", "transfer_ms"} <= set(second.phases)
    assert 0 < second.duration_ms < 2_000
    fresh = ask(handle, named(server), reuse_connection=False)
    assert (fresh.reused, server.connections) == (False, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"headers": {"Authorization": "Bearer two"}},
        {"headers": {"X-Api-Key": "one"}},
        {"headers": {}},
    ],
)
def test_other_credentials_never_meet_on_one_connection(
    server: HttpServer, handle: Handle, other: dict[str, Any]
) -> None:
    mine: dict[str, Any] = {"headers": {"Authorization": "Bearer one"}}
    assert not ask(handle, named(server), **mine).reused
    assert not ask(handle, named(server), **other).reused
    assert ask(handle, named(server), **mine).reused
    sent = [received.headers.get("authorization") for received in server.received]
    assert sent == ["Bearer one", other["headers"].get("Authorization"), "Bearer one"]


def test_a_name_that_leads_elsewhere_now_gets_a_new_connection(server: HttpServer, handle: Handle) -> None:
    ask(handle, named(server))
    with pytest.raises(OutboundError) as refused:
        ask(handle, named(server), addresses=("127.0.0.2",))
    assert refused.value.reason is OutboundReason.CONNECT_REFUSED
    assert ".invalid" not in str(refused.value.evidence)
    assert ask(handle, named(server)).reused


def test_a_kept_connection_does_not_carry_a_name_past_the_policy(server: HttpServer, handle: Handle) -> None:
    ask(handle, named(server))
    with pytest.raises(OutboundError) as denied:
        ask(handle, named(server), policy=channel_policy())
    assert denied.value.reason is OutboundReason.ADDRESS_DENIED
    assert len(server.received) == 1


@pytest.mark.parametrize("offers", [("h2",), ()])
def test_a_connection_that_was_not_verified_serves_nobody_who_verifies(
    authority: Authority, handle: Handle, offers: tuple[str, ...]
) -> None:
    with Http2Server(Authority().good("service.test"), http2.answered(), offers=offers) as server:
        url = server.url(host="service.test")
        ask(handle, url, verify_tls=False, ca_file=authority.ca_file)
        with pytest.raises(OutboundError) as refused:
            ask(handle, url, ca_file=authority.ca_file)
    assert refused.value.reason is OutboundReason.TLS_UNTRUSTED


def test_http2_connections_are_kept_by_the_same_rules(authority: Authority, handle: Handle) -> None:
    with Http2Server(authority.good("service.test"), http2.answered()) as server:
        url = server.url(host="service.test")
        answers = [ask(handle, url, ca_file=authority.ca_file) for _number in range(3)]
        assert [answer.reused for answer in answers] == [False, True, True]
        assert {answer.http_version for answer in answers} == {2.0}
        assert server.connections == 1
        assert not ask(handle, url, ca_file=authority.ca_file, headers={"Cookie": "a=b"}).reused
        assert not ask(handle, url, ca_file=authority.ca_file, http_version="1.1").reused


def test_a_connection_the_server_closed_meanwhile_is_opened_again(handle: Handle) -> None:
    with HttpServer() as server:
        answers = [ask(handle, named(server)) for _number in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert not answers[-1].reused


def test_limits_hold_on_a_kept_connection(server: HttpServer, handle: Handle) -> None:
    for path, reason in [
        ("/huge", OutboundReason.BODY_TOO_LARGE),
        ("/endless-headers", OutboundReason.PROTOCOL_ERROR),
        ("/hang", OutboundReason.TIMEOUT),
        ("/bomb", OutboundReason.DECOMPRESSION_BOMB),
    ]:
        ask(handle, named(server))
        with pytest.raises(OutboundError) as caught:
            ask(handle, server.url(path, host="service.test"), timeout_seconds=0.5)
        assert caught.value.reason is reason
        # Half an answer is still in that connection: nobody may read it as his own.
        assert ask(handle, named(server)).body == b"fine"


def test_a_redirect_takes_a_connection_of_its_own_credentials(server: HttpServer, handle: Handle) -> None:
    with HttpServer(keep_alive=True) as other:
        server.behave("/", http.redirect(other.url("/there", host="service.test")))
        headers = {"Authorization": "Bearer one"}
        ask(handle, other.url(host="service.test"), headers=headers)
        ask(handle, named(server), headers=headers, max_redirects=1)
        assert other.connections == 2
        assert "authorization" not in other.received[-1].headers


def test_nothing_of_one_request_is_left_in_the_next(server: HttpServer, handle: Handle) -> None:
    ask(handle, named(server), method="POST", body=b"secret", headers={"X-Api-Key": "k", "Content-Type": "text/x"})
    ask(handle, named(server), method="HEAD", reuse_connection=False)
    ask(handle, named(server), reuse_connection=False)
    posted, head, plain = server.received
    assert (posted.method, posted.body, head.method) == ("POST", b"secret", "HEAD")
    assert (plain.method, plain.body) == ("GET", b"")
    assert set(plain.headers) == {"host", "user-agent", "accept", "accept-encoding"}
    assert handle.answer is None
