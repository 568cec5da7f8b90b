"""The broker's address over TLS: its certificate is looked at unless somebody says otherwise."""

from __future__ import annotations

import pytest

from monitor_portal.settings.environment import with_certificate_checked


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("redis://:secret@host:6379", "redis://:secret@host:6379"),
        ("rediss://:secret@host:6379", "rediss://:secret@host:6379?ssl_cert_reqs=required"),
        (
            "rediss://host/0?ssl_ca_certs=/etc/ca.pem",
            "rediss://host/0?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required",
        ),
        ("rediss://host?ssl_cert_reqs=none", "rediss://host?ssl_cert_reqs=none"),
    ],
)
def test_a_certificate_is_asked_for_where_nobody_decided(given: str, used: str) -> None:
    assert with_certificate_checked(given) == used
