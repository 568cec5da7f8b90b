"""Which pages may open a socket with a browser's cookies."""

from __future__ import annotations

import pytest

from apps.live.origins import is_own_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://portal.example", "portal.example"),
        ("http://portal.example:80", "portal.example"),
        ("http://portal.example", "portal.example:80"),
        ("https://portal.example", "portal.example"),
        ("https://portal.example", "portal.example:443"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://PORTAL.example", "portal.EXAMPLE"),
    ],
)
def test_a_page_of_the_same_host_and_port_is_ours(origin: str, host: str) -> None:
    assert is_own_origin(origin, host, [])


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "portal.example"),
        ("http://portal.example.evil.example", "portal.example"),
        ("http://evil.example/portal.example", "portal.example"),
        ("http://portal.example@evil.example", "portal.example"),
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),
        ("http://127.0.0.1", "127.0.0.1:8000"),
        ("https://portal.example", "portal.example:80"),
        ("null", "portal.example"),
        ("file://", "portal.example"),
        ("", "portal.example"),
        ("http://", ""),
        ("http://portal.example:port", "portal.example"),
        ("http://[::1", "[::1"),
        (None, "portal.example"),
        ("http://portal.example", None),
    ],
)
def test_any_other_origin_is_foreign(origin: str | None, host: str | None) -> None:
    assert not is_own_origin(origin, host, [])


def test_a_trusted_origin_may_differ_from_the_host() -> None:
    trusted = ["https://status.example.org", "https://*.example.net"]

    assert is_own_origin("https://status.example.org", "10.0.0.5:8000", trusted)
    assert is_own_origin("https://a.example.net", "10.0.0.5:8000", trusted)
    assert not is_own_origin("http://status.example.org", "10.0.0.5:8000", trusted)
    assert not is_own_origin("https://status.example.org:8443", "10.0.0.5:8000", trusted)
    assert not is_own_origin("https://example.org", "10.0.0.5:8000", trusted)
    assert not is_own_origin("https://evilexample.net", "10.0.0.5:8000", trusted)
