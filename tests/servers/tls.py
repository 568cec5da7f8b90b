"""Certificates for local servers: a good one, and one for each way of being wrong."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A certificate authority of its own. `ca_file` is what a client that trusts it is given."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self._folder = tempfile.TemporaryDirectory()
        self.ca_file = str(Path(self._folder.name) / "ca.pem")
        self._ca.cert_pem.write_to_path(self.ca_file)

    def good(self, *names: str, days: int = 30) -> ssl.SSLContext:
        """For these names (127.0.0.1 and localhost), valid for `days` more days."""
        return self._issued(*names, not_after=_now() + datetime.timedelta(days=days))

    def expired(self) -> ssl.SSLContext:
        return self._issued(not_after=_now() - datetime.timedelta(days=3))

    def wrong_host(self) -> ssl.SSLContext:
        return self._issued("other.example", not_after=_now() + datetime.timedelta(days=30))

    def _issued(self, *names: str, not_after: datetime.datetime) -> ssl.SSLContext:
        issued = self._ca.issue_cert(*(names or ("127.0.0.1", "localhost")), not_after=not_after)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context


def self_signed() -> ssl.SSLContext:
    """Signed by itself, for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - datetime.timedelta(days=1))
        .not_valid_after(_now() + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM) + private)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
