"""One open page or stream: what it may hear, and what waits to be told to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from apps.live.events import RESYNC, Event, EventBag
from apps.live.viewers import Viewer


class Listener:
    """Filled by the hub and emptied by one connection, both in the same event loop."""

    def __init__(self, viewer: Viewer, wanted: Callable[[str], bool] | None = None) -> None:
        self.viewer = viewer
        self._wanted = wanted
        self._bag = EventBag()
        self._changed = asyncio.Event()
        # The right to listen has to be looked at again.
        self.doubted = False
        # The session was ended: nothing needs to be looked at.
        self.signed_out = False
        # Something may have been missed.
        self.lost = False

    def offer(self, event: Event) -> None:
        """Keep `event` if it concerns this listener."""
        if event.environment is None:
            if not self.viewer.environments:
                return  # somebody without any grant sees nothing at all
        elif event.environment not in self.viewer.environments:
            return
        if event.family == "environment":
            self.doubt()  # there may be one more to hear
        if self._wanted is None or event.type == RESYNC or self._wanted(event.type):
            self._bag.add(event)
            self._changed.set()

    def doubt(self, ended_session: str | None = None) -> None:
        """Somebody's rights changed; `ended_session` (a digest) names a session that was signed out."""
        if ended_session is None:
            self.doubted = True
        elif ended_session == self.viewer.session:
            self.signed_out = True
        self._changed.set()

    def lose(self) -> None:
        self.lost = True
        self._changed.set()

    async def wait(self, seconds: float) -> None:
        """Until something happened, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
        self._changed.clear()

    def take(self) -> list[Event]:
        """What waits, oldest first."""
        return self._bag.take()
