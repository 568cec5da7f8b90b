"""Who we are to ourselves: an id that every process of one portal knows, sent with what could come back.

A message that carries it and arrives here has gone in a circle. It is made from the secret key, tells nobody
anything, and stays the same over restarts.
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac


def instance_id() -> str:
    """32 hexadecimal digits."""
    return _made_from(settings.SECRET_KEY)


@lru_cache(maxsize=4)
def _made_from(key: str) -> str:
    return salted_hmac("apps.core.instance", "who we are", secret=key, algorithm="sha256").hexdigest()[:32]
