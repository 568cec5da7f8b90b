"""Certificates as facts: who it is for, who signed it, until when."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from apps.core.outbound.exchange import Certificate
from apps.core.outbound.showing import shortened

_MAX_TEXT = 300
_MAX_NAMES = 100


# A certificate is the same for months: it is read once, not at every look.
@lru_cache(maxsize=1_024)
def read_certificate(pem: str) -> Certificate | None:
    """The facts of a PEM certificate; None when it cannot be read (a server may show anything)."""
    try:
        parsed = x509.load_pem_x509_certificate(pem.encode())
        return Certificate(
            subject=_name(parsed.subject),
            issuer=_name(parsed.issuer),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            names=_names(parsed),
        )
    except Exception:  # a server may show anything, and what is unreadable has errors of many classes
        return None


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    organisation = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    texts = [str(attribute.value) for attribute in (*common, *organisation)]
    return shortened(", ".join(texts) or name.rfc4514_string(), _MAX_TEXT)


def _names(parsed: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = parsed.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
        alternative = extension.value
        assert isinstance(alternative, x509.SubjectAlternativeName)  # noqa: S101 - the type follows from the OID
        names = [*alternative.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    except Exception:  # none there, twice there, or of a kind nobody reads: the other facts still count
        return ()
    return tuple(shortened(name, _MAX_TEXT) for name in names[:_MAX_NAMES])
