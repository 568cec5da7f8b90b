"""Whether a channel is concerned with an alert at all."""

from __future__ import annotations

from uuid import UUID

# The cause of an alert about a channel that tells nobody any more.
BROKEN_CHANNEL = "channel"


def is_heard(channel_environment: UUID | None, alert_environment: UUID | None, cause: str) -> bool:
    """A channel of one environment hears of that one only; but that a channel of all is broken concerns everybody."""
    if channel_environment is None or channel_environment == alert_environment:
        return True
    return alert_environment is None and cause == BROKEN_CHANNEL
