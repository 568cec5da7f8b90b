"""Whether this worker has the key of the portal: told by a proof the portal leaves in the broker, and by messages.

Whoever has another key could only take messages away from those who can read them, so it takes none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from apps.core.secrets import SecretUnreadable, seal, unseal

logger = structlog.get_logger(__name__)

# Sealed by the portal's own worker; what is inside does not matter.
PROOF_KEY = "portal:worker:key-proof"
_PROOF = "the key of this portal"
_SAY_EVERY_SECONDS = 60.0


def proof() -> str:
    """What only the holder of the key could have left."""
    return seal(_PROOF)


class KeyWatch:
    """One a worker process; says each thing once, or once a minute."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._said_at = float("-inf")
        self._unsaid = 0
        self._said_differs = False
        self._opened = 0
        # What the proof says; None while the portal left none.
        self.fits: bool | None = None
        self.unreadable = 0

    @property
    def seen(self) -> int:
        """Messages this process was given."""
        return self._opened + self.unreadable

    @property
    def differs(self) -> bool:
        """Without a proof, a process that could open none of its messages is taken to have another key."""
        if self.fits is None:
            return self.unreadable > 0 and self._opened == 0
        return not self.fits

    def see_proof(self, left: bytes | str | None) -> None:
        """What lies in the broker at this beat; nothing there says nothing."""
        if left is None:
            return
        try:
            text = left if isinstance(left, str) else left.decode(errors="replace")
            self.fits = unseal(text) == _PROOF
        except SecretUnreadable:
            self.fits = False
        self._say_change()

    def see_message(self, *, opened: bool) -> None:
        """A message of the portal could be opened, or could not: sealed with another key, or forged."""
        with self._lock:
            if opened:
                self._opened += 1
                return
            self.unreadable += 1
            self._unsaid += 1
            now = self._monotonic()
            due = now - self._said_at >= _SAY_EVERY_SECONDS
            if due:
                self._said_at, number, self._unsaid = now, self._unsaid, 0
        if due:
            logger.error("messages_unreadable", messages=number, hint="sealed with another key, or not by the portal")

    def _say_change(self) -> None:
        with self._lock:
            changed, self._said_differs = self._said_differs is not self.differs, self.differs
        if changed and self.differs:
            logger.error(
                "key_differs",
                hint="what the portal sends is sealed with another key: give this worker the portal's secret.key "
                "(PORTAL_SECRET_KEY or PORTAL_SECRET_KEY_FILE). It takes no messages until then",
            )
        elif changed:
            logger.info("key_fits")
