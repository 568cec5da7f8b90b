"""The settings that come from the environment, read once and with a clear error for a bad value.

README.md documents every name here in one table; a test holds the two against each other.
"""

from __future__ import annotations

import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is not a switch: use 1 or 0.")


def names(name: str) -> list[str]:
    return [part.strip() for part in text(name).split(",") if part.strip()]


def networks(name: str) -> str:
    """A comma-separated list of CIDRs, checked here so that a typing error stops the start and not a probe."""
    for part in names(name):
        try:
            ip_network(part, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {part!r} is not an address range such as 10.0.0.0/8.") from error
    return text(name)


def choice(name: str, default: str, choices: set[str]) -> str:
    value = text(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is not one of {', '.join(sorted(choices))}.")
    return value


def state_folder() -> Path:
    return Path(text("PORTAL_STATE", str(BASE_DIR / ".state"))).resolve()


def whole_number(name: str, default: int, least: int, most: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number from {least} to {most}.")
    return int(value)


def secret_key() -> str:
    """PORTAL_SECRET_KEY, or the key file the launcher made in the state folder."""
    from_environment = text("PORTAL_SECRET_KEY")
    if from_environment:
        return from_environment
    key_file = state_folder() / "secret.key"
    if key_file.is_file():
        return key_file.read_text().strip()
    raise ImproperlyConfigured(
        f"No secret key: start the portal with `make run` (which makes {key_file}), or set PORTAL_SECRET_KEY."
    )


def with_certificate_checked(url: str) -> str:
    """A TLS address of a broker that asks for the server's certificate: Celery by itself would take any.

    Somebody who says otherwise in the address (`?ssl_cert_reqs=none`) is believed.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs=" in parts.query:
        return url
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required")))))


def required(name: str, example: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set: start the portal with `make run`, or set it, such as {example}."
        )
    return value
