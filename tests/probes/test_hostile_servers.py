"""What one server answers is its own outcome: every other check goes on."""

from __future__ import annotations

import datetime
import math
import ssl
import tempfile
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from apps.core.outbound.certificates import read_certificate
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.engine.delivery import Delivery
from apps.probes.engine.work import Done
from tests.probes.engines import RunningEngine, job
from tests.probes.exchanges import exchange
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer


def strange_certificate() -> tuple[bytes, bytes]:
    """Key and certificate, both PEM; its alternative name is an ediPartyName, which hardly any library reads."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "strange")])
    now = datetime.datetime.now(datetime.UTC)
    edi_party_name = bytes.fromhex("3008a506a1040c026869")
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(
            x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, edi_party_name), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, built.public_bytes(serialization.Encoding.PEM)


def strange_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(b"".join(strange_certificate()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def test_a_status_line_of_superscripts_costs_no_other_check_its_result() -> None:
    answer = "HTTP/1.1 200 OK\r\nHTTP/x \u00b2\u00b2\u00b2 a: b\r\nContent-Length: 2\r\n\r\nhi".encode("latin-1")
    with SpeakingServer(answer) as hostile, HttpServer() as good, RunningEngine() as running:
        running.run(job("http", {"url": f"http://127.0.0.1:{hostile.port}/"}))
        assert running.run(job("http", {"url": good.url()}))[0].state is OutcomeState.OK
        assert running.engine.health().alive


def test_a_certificate_nobody_can_read_is_one_failure_and_its_other_facts_are_known() -> None:
    certificate = read_certificate(strange_certificate()[1].decode())
    assert certificate is not None
    assert (certificate.subject, certificate.names) == ("strange", ())
    with HttpServer(strange_context()) as strange, HttpServer() as good, RunningEngine() as running:
        assert running.run(job("http", {"url": strange.url()}))[0].reason is Reason.TLS_WRONG_HOST
        assert running.run(job("http", {"url": good.url()}))[0].state is OutcomeState.OK


def test_a_fault_of_our_own_is_the_outcome_of_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_arguments: object) -> bool:
        raise RuntimeError("a fault")

    with HttpServer() as good, RunningEngine() as running:
        with monkeypatch.context() as patched:
            patched.setattr("apps.core.outbound.transfer.Transfer.collect", fault)
            outcome = running.run(job("http", {"url": good.url()}))[0]
            assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR)
        with monkeypatch.context() as patched:
            patched.setattr("apps.core.outbound.transfer.Transfer.resolved", fault)
            assert running.run(job("http", {"url": good.url()}))[0].reason is Reason.INTERNAL_ERROR
        assert running.run(job("http", {"url": good.url()}))[0].state is OutcomeState.OK


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("EUC-KR", "한국어".encode("euc-kr"), "한국어"),
        ("iso-8859-1", b"\xe9", "é"),
        ("windows-1252", b"\x80", "€"),
        ('"utf-8"', "é".encode(), "é"),
        ("punycode", b"bcher-kva", "bcher-kva"),
        ("unicode_escape", b"\\u0041", "\\u0041"),
        ("no such\0thing", b"\xff", "\ufffd"),
    ],
)
def test_a_server_chooses_among_common_charsets_only(charset: str, body: bytes, text: str) -> None:
    answer = exchange(body=body, headers={"content-type": f"text/plain; charset={charset}"})
    assert answer.text() == text
    assert answer.text(1) == text[:1]


def test_a_thread_that_ended_by_itself_makes_the_engine_infinitely_old() -> None:
    with RunningEngine() as running:
        assert running.engine.health().loop_age_seconds < 5
        thread = next(thread for thread in threading.enumerate() if thread.name == "probe-delivery")
        assert isinstance(thread, Delivery)
        thread.stop()
        thread.join(5)
        health = running.engine.health()
        assert (health.alive, health.loop_age_seconds) == (False, math.inf)


def test_an_outcome_that_takes_long_to_judge_shows_in_the_age_and_a_broker_that_is_away_does_not() -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold(*_arguments: object) -> Outcome:
        entered.set()
        leave.wait(10)
        return Outcome(state=OutcomeState.OK, reason=Reason.OK)

    handing_over, back = threading.Event(), threading.Event()

    def away(_batch: object) -> None:
        handing_over.set()
        back.wait(10)

    delivery = Delivery(away, settled=lambda _number: None)
    delivery.start()
    delivery.put(Done(job("tcp", {}), hold))
    assert entered.wait(5)
    first = delivery.age()
    ends = time.monotonic() + 5
    while delivery.age() <= first and time.monotonic() < ends:
        leave.wait(0.01)
    assert delivery.age() > first
    leave.set()
    assert handing_over.wait(5)
    assert delivery.age() == 0.0
    back.set()
    delivery.stop()
    delivery.join(5)
