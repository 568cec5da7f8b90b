"""The groups of the channel layer, and the messages that travel through them.

`live.env.<uuid>` carries the events of one environment, `live.all` those that concern all of them, and
`live.access` the notice that somebody's right to listen has to be looked at again.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from apps.live import events

ALL = "live.all"
ACCESS = "live.access"

EVENTS_MESSAGE = "live.events"
ACCESS_MESSAGE = "live.access"
PULSE_MESSAGE = "live.pulse"


def group_of(environment: UUID | None) -> str:
    return ALL if environment is None else f"live.env.{environment}"


def events_message(items: list[events.Event]) -> dict[str, Any]:
    return {"type": EVENTS_MESSAGE, "events": events.encode(items)}


def access_message(*, user: UUID, session: str | None = None) -> dict[str, Any]:
    """Ask whoever listens for `user` to look at their right again; `session` (a digest) means that one has ended."""
    return {"type": ACCESS_MESSAGE, "user": str(user), "session": session}


def session_digest(session_key: str) -> str:
    """What stands for a session in a message: the key itself opens the account, so it never leaves the process."""
    return hashlib.sha256(session_key.encode()).hexdigest()
