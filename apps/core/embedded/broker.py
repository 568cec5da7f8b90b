"""The launcher's connection to the broker's database of Redis or Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from redis import Redis


def broker_client(redis_url: str) -> Redis:
    """A client that answers or fails within half a second: the launcher has children to look after."""
    # Imported here: the launcher needs it only once everything runs.
    from redis import Redis  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    return Redis.from_url(
        urlunsplit(urlsplit(redis_url)._replace(path="/0")),
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),  # the next look is the retry; waiting here would delay restarts
    )
