"""Secrets at rest and in messages: sealed with a key derived from SECRET_KEY, opened only where they are used."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as system_secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

SEALED_PREFIX = "sealed:1:"
MASK = "••••••"


class SecretUnreadable(Exception):
    """A sealed value was made with another key."""


@lru_cache(maxsize=4)
def _fernet(key: str) -> Fernet:
    digest = hmac.new(key.encode(), b"monitor-portal sealing 1", hashlib.sha256).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def seal(plain: str) -> str:
    """Encrypt and authenticate `plain`; an empty string stays empty (nothing to hide, and "is it set?" stays cheap)."""
    if not plain:
        return ""
    return SEALED_PREFIX + _fernet(settings.SECRET_KEY).encrypt(plain.encode()).decode()


def is_sealed(value: str) -> bool:
    return value.startswith(SEALED_PREFIX)


def unseal(sealed: str) -> str:
    """Open what `seal` made. Raises SecretUnreadable when the key differs."""
    if not sealed:
        return ""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.removeprefix(SEALED_PREFIX).encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "A stored secret cannot be read with the present key. Put back the secret.key (or PORTAL_SECRET_KEY) "
            "it was sealed with, or enter the secret again."
        ) from error


def new_token(prefix: str) -> str:
    """A random bearer secret of 256 bits, recognisable by its prefix (for secret scanners and for people)."""
    return f"{prefix}_{system_secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """What is stored of a bearer secret: its SHA-256. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
