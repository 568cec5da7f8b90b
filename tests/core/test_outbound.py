"""The door out, against real servers: what comes back, and a reason of its own for everything that does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pycurl
import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.core.outbound import HttpRequest, OutboundError, OutboundReason, request
from apps.core.outbound.handles import Handle
from apps.core.outbound.names import Names
from apps.core.outbound.transfer import Transfer
from tests.servers import http
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer, free_port
from tests.servers.tls import Authority, self_signed

POLICY = probe_policy()


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def failure(url: str, **options: object) -> OutboundError:
    with pytest.raises(OutboundError) as caught:
        request("GET", url, **{"policy": POLICY, "timeout_seconds": 2.0, **options})  # type: ignore[arg-type]
    return caught.value


def test_an_answer_carries_status_headers_body_address_and_phases(server: HttpServer) -> None:
    url = server.behave("/", http.answer(201, {"fine": True}, {"X-Trace": "a", "x-trace": "b"}))
    answer = request("GET", url, policy=POLICY, headers={"X-Ask": "yes"})
    assert (answer.status, answer.body, answer.address) == (201, b'{"fine": true}', "127.0.0.1")
    assert answer.status_line == "HTTP/1.1 201 Told So"
    assert answer.headers["x-trace"] == "a, b"
    assert {"dns_ms", "connect_ms", "first_byte_ms", "transfer_ms"} <= set(answer.phases)
    assert 0 < answer.duration_ms < 2_000
    assert abs(answer.started_at - time.time()) < 5
    assert server.received[0].headers["x-ask"] == "yes"


def test_a_body_is_sent_with_the_method_asked_for(server: HttpServer) -> None:
    request("POST", server.url(), policy=POLICY, body=b'{"a": 1}', headers={"Content-Type": "application/json"})
    request("HEAD", server.url(), policy=POLICY)
    request("DELETE", server.url(), policy=POLICY)
    sent = [(received.method, received.body) for received in server.received]
    assert sent == [("POST", b'{"a": 1}'), ("HEAD", b""), ("DELETE", b"")]


def test_compressed_answers_are_unpacked(server: HttpServer) -> None:
    url = server.behave("/", http.gzipped("hello " * 100))
    answer = request("GET", url, policy=POLICY)
    assert answer.text() == "hello " * 100
    assert answer.wire_bytes < answer.body_bytes == 600


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/hang", OutboundReason.TIMEOUT),
        ("/drip", OutboundReason.SLOW_RESPONSE),
        ("/reset", OutboundReason.CONNECTION_RESET),
        ("/reset-halfway", OutboundReason.CONNECTION_RESET),
        ("/empty", OutboundReason.EMPTY_RESPONSE),
        ("/garbage", OutboundReason.PROTOCOL_ERROR),
        ("/endless-headers", OutboundReason.PROTOCOL_ERROR),
        ("/huge", OutboundReason.BODY_TOO_LARGE),
        ("/bomb", OutboundReason.DECOMPRESSION_BOMB),
        ("/loop", OutboundReason.REDIRECT_LOOP),
    ],
)
def test_each_fault_is_its_own_reason_within_the_timeout(server: HttpServer, path: str, reason: OutboundReason) -> None:
    started = time.monotonic()
    error = failure(server.url(path), timeout_seconds=1.0, max_redirects=5)
    assert error.reason is reason
    assert time.monotonic() - started < 3
    assert error.evidence["host"] == "127.0.0.1"
    assert error.evidence["port"] == server.port


def test_a_slow_answer_keeps_what_had_arrived(server: HttpServer) -> None:
    error = failure(server.url("/drip"), timeout_seconds=0.5)
    assert error.evidence["status_line"] == "HTTP/1.1 200 OK"
    assert error.evidence["body"].startswith(".")
    assert error.phases["transfer_ms"] > 100


def test_a_refused_connection_and_a_dead_name_are_told_apart() -> None:
    assert failure(f"http://127.0.0.1:{free_port()}/").reason is OutboundReason.CONNECT_REFUSED
    with DnsServer({"silent.test": DnsServer.HANG, "broken.test": DnsServer.BROKEN}) as dns:
        with closing(Names([dns.address])) as names:
            assert failure("http://gone.test/", names=names).reason is OutboundReason.DNS_NOT_FOUND
            assert failure("http://broken.test/", names=names).reason is OutboundReason.DNS_ERROR
            started = time.monotonic()
            silent = failure("http://silent.test/", names=names, timeout_seconds=0.4)
        assert silent.reason is OutboundReason.DNS_TIMEOUT
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("case", ["expired", "wrong_host", "self_signed", "other_authority"])
def test_each_bad_certificate_is_its_own_reason_and_is_shown(authority: Authority, case: str) -> None:
    contexts = {
        "expired": (authority.expired, OutboundReason.TLS_EXPIRED),
        "wrong_host": (authority.wrong_host, OutboundReason.TLS_WRONG_HOST),
        "self_signed": (self_signed, OutboundReason.TLS_UNTRUSTED),
        "other_authority": (Authority().good, OutboundReason.TLS_UNTRUSTED),
    }
    make, reason = contexts[case]
    with HttpServer(make()) as server:
        error = failure(server.url(), ca_file=authority.ca_file)
        assert error.reason is reason
        assert error.evidence["certificate"]["not_after"]
        # And only because it was looked at: the same server answers who does not verify.
        assert request("GET", server.url(), policy=POLICY, verify_tls=False).status == 200


def test_a_good_certificate_is_accepted_and_described(authority: Authority) -> None:
    with HttpServer(authority.good(days=20)) as server:
        answer = request("GET", server.url(), policy=POLICY, ca_file=authority.ca_file)
    assert answer.certificate is not None
    assert timedelta(days=18) < answer.certificate.not_after - datetime.now(UTC) < timedelta(days=21)
    assert "127.0.0.1" in answer.certificate.names
    assert answer.phases["tls_ms"] > 0


def test_a_server_that_does_not_speak_tls_is_told_from_one_that_does_not_finish(server: HttpServer) -> None:
    silent = failure(server.url().replace("http:", "https:"), timeout_seconds=0.4)
    assert (silent.reason, silent.evidence["phase"]) == (OutboundReason.TIMEOUT, "tls")
    assert silent.phases["tls_ms"] > 100
    with SpeakingServer(b"220 mail.example ESMTP\r\n") as mail:
        assert failure(f"https://127.0.0.1:{mail.port}/").reason is OutboundReason.TLS_ERROR


def test_redirects_are_followed_as_far_as_asked(server: HttpServer) -> None:
    for step in range(4):
        server.behave(f"/{step}", http.redirect(f"/{step + 1}"))
    answer = request("GET", server.url("/0"), policy=POLICY, max_redirects=5)
    assert [hop.status for hop in answer.hops] == [302] * 4
    assert answer.url.endswith("/4")
    assert request("GET", server.url("/0"), policy=POLICY).status == 302
    error = failure(server.url("/0"), max_redirects=3)
    assert error.reason is OutboundReason.TOO_MANY_REDIRECTS
    assert len(error.evidence["redirects"]) == 4


@pytest.mark.parametrize(
    ("status", "method", "second"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"), (308, "PUT", "PUT")],
)
def test_a_redirect_changes_the_method_as_browsers_do(
    server: HttpServer, status: int, method: str, second: str
) -> None:
    server.behave("/", http.redirect("/there", status))
    request(method, server.url(), policy=POLICY, body=b"x", max_redirects=1)
    assert [received.method for received in server.received] == [method, second]
    assert bool(server.received[1].body) == (second != "GET")


def test_secrets_do_not_follow_a_redirect_to_another_server(server: HttpServer) -> None:
    with HttpServer() as other:
        server.behave("/", http.redirect(other.url("/there")))
        server.behave("/same", http.redirect("/end"))
        headers = {"Authorization": "Bearer abc", "X-Api-Key": "abc", "Cookie": "a=b", "X-Plain": "stays"}
        request("GET", server.url(), policy=POLICY, headers=headers, max_redirects=1)
        request("GET", server.url("/same"), policy=POLICY, headers=headers, max_redirects=1)
        arrived = other.received[0].headers
    assert "x-plain" in arrived
    assert not {"authorization", "x-api-key", "cookie"} & set(arrived)
    assert server.received[-1].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://user:pass@127.0.0.1/", "javascript:alert(1)"]
)
def test_a_redirect_out_of_http_is_refused(server: HttpServer, location: str) -> None:
    error = failure(server.behave("/", http.redirect(location)), max_redirects=5)
    assert error.reason is OutboundReason.REDIRECT_REFUSED
    assert "pass@" not in str(error.evidence)


def test_each_hop_of_a_redirect_is_checked_against_the_policy(server: HttpServer) -> None:
    error = failure(server.behave("/", http.redirect("http://169.254.169.254/latest/meta-data/")), max_redirects=5)
    assert error.reason is OutboundReason.ADDRESS_DENIED
    assert error.evidence["rule"] == "metadata"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "017700000001"]
)
def test_every_spelling_of_a_denied_address_is_denied(server: HttpServer, host: str) -> None:
    error = failure(f"http://{host}:{server.port}/", policy=channel_policy())
    assert error.reason is OutboundReason.ADDRESS_DENIED
    assert error.evidence["rule"] == "loopback"
    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST."])
def test_every_spelling_of_an_allowed_address_is_reached(server: HttpServer, host: str) -> None:
    assert request("GET", f"http://{host}:{server.port}/", policy=POLICY).status == 200


def test_a_name_with_one_denied_address_is_denied(server: HttpServer) -> None:
    with DnsServer({"two.test": ["93.184.216.34", "127.0.0.1"]}) as dns, closing(Names([dns.address])) as names:
        error = failure(f"http://two.test:{server.port}/", policy=channel_policy(), names=names)
    assert error.reason is OutboundReason.ADDRESS_DENIED
    assert error.evidence["address"] == "127.0.0.1"
    assert server.connections == 0


def test_the_socket_itself_is_checked_again(server: HttpServer) -> None:
    """Were the lookup fooled, the socket-open guard would still refuse."""
    transfer = Transfer(HttpRequest(url=server.url()), policy=channel_policy(), timeout_seconds=2)
    transfer._addresses = ("127.0.0.1",)
    handle = Handle()
    transfer.prepare(handle)
    with pytest.raises(pycurl.error) as caught:
        handle.curl.perform()
    with pytest.raises(OutboundError) as denied:
        transfer.collect(handle, caught.value.args[0], caught.value.args[1])
    assert denied.value.reason is OutboundReason.ADDRESS_DENIED
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        " http://example.com/",
        "view-source:http://example.com/",
        "data:text/plain,hello",
        "file:///etc/passwd",
        "HTTP:/example.com",
        "http://user:hunter2@example.com/",
        "http://exa mple.com/",
        "http://example.com/\r\nX-Injected: 1",
        "http://example.com\\@other.example/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http:///path",
        "http://300.1.1.1/",
        "http://[::1/",
        "",
    ],
)
def test_a_url_that_is_not_plain_http_is_refused(url: str) -> None:
    error = failure(url)
    assert error.reason is OutboundReason.INVALID_CONFIGURATION
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "headers", [{"X-A": "a\r\nX-B: c"}, {"X-A\r\n": "b"}, {"X A": "b"}, {"X-A": "a\0b"}, {"Content-Length": "5"}]
)
def test_a_header_that_could_split_the_request_is_refused(server: HttpServer, headers: dict[str, str]) -> None:
    assert failure(server.url(), headers=headers).reason is OutboundReason.INVALID_CONFIGURATION
    assert server.connections == 0


def test_a_proxy_from_the_environment_is_not_used(server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert request("GET", server.url(), policy=POLICY).status == 200
