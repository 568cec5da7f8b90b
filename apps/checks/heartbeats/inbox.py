"""The inbox of one web process: pings are stored in groups, and each is answered after the commit that holds it.

One writer: requests that arrive while a commit is under way form the next group. A ping alone is stored at once; under
load groups form by themselves (measured: 15 at 50 concurrent clients), and waiting for more of them gained nothing.
The writer is a task of the event loop; a thread with a connection of its own cost the same.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import structlog
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import connection

from apps.checks.heartbeats import services
from apps.checks.heartbeats.answers import Outcome
from apps.checks.heartbeats.storing import Match, Store, Told

logger = structlog.get_logger(__name__)

GROUP_ROWS = 500
GROUP_BYTES = 4 * 1024 * 1024
# Above either of these a ping is refused at once: it could not be answered before its client gives up.
WAITING_ROWS = 2_000
WAITING_BYTES = 32 * 1024 * 1024
# One that waited longer than this is not stored any more: its client is about to give up and to send it again.
OLDEST_SECONDS = 8.0
# Checks made at once by `?create=1`; each takes a thread and a connection of the pool.
_CREATING = 2


@dataclass(slots=True)
class _Waiting:
    told: Told
    since: float
    answered: asyncio.Future[Match | None]


@dataclass
class Inbox:
    """Stores pings. `groups` counts commits."""

    store: Store = field(default_factory=Store)
    waiting_rows: int = WAITING_ROWS
    groups: int = 0

    def __post_init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._creating = asyncio.Semaphore(_CREATING)
        self._failing = False

    async def put(self, told: Told) -> Outcome:
        """Returns once the ping is committed, or is known not to be."""
        match = await self._put(told)
        if isinstance(match, Outcome):
            return match
        if match.matches == 0 and match.environment_id is not None and told.request.create:
            return await self._create(told, match.environment_id)
        return _MEANING.get(match.matches, Outcome.AMBIGUOUS)

    async def _put(self, told: Told) -> Match | Outcome:
        if len(self._waiting) >= self.waiting_rows or self._waiting_bytes + len(told.body) > WAITING_BYTES:
            return Outcome.BUSY
        loop = asyncio.get_running_loop()
        waiting = _Waiting(told, time.monotonic(), loop.create_future())
        self._waiting.append(waiting)
        self._waiting_bytes += len(told.body)
        if self._writer is None:
            self._writer = loop.create_task(self._write())
        return await waiting.answered or Outcome.UNAVAILABLE

    async def _write(self) -> None:
        """Store group after group until nothing waits."""
        try:
            while self._waiting:
                group = self._take_group()
                if group:
                    await self._store_group(group)
        finally:
            self._writer = None
            # Only when the writer itself was ended: nobody would answer these any more.
            self._answer_all(self._take_everything())

    def _take_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        oldest = time.monotonic() - OLDEST_SECONDS
        while self._waiting and len(group) < GROUP_ROWS and size < GROUP_BYTES:
            waiting = self._waiting.popleft()
            self._waiting_bytes -= len(waiting.told.body)
            if waiting.since < oldest:
                self._answer_all([waiting])
                continue
            size += len(waiting.told.body)
            group.append(waiting)
        return group

    def _take_everything(self) -> list[_Waiting]:
        everything = list(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        return everything

    async def _store_group(self, group: list[_Waiting]) -> None:
        try:
            matches = await self.store.store([waiting.told for waiting in group])
        except (psycopg.DataError, ValueError) as error:
            await self._store_one_by_one(group, error)
        except (Exception, asyncio.CancelledError) as error:  # whatever it is, all of them are waiting for a word
            self._note_failure(error, len(group))
            self._answer_all(group)
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            self.groups += 1
            self._note_success()
            for waiting, match in zip(group, matches, strict=True):
                if not waiting.answered.done():  # the client has not left
                    waiting.answered.set_result(match)

    async def _store_one_by_one(self, group: list[_Waiting], error: Exception) -> None:
        """A value that no check of ours refused: it must not take the others with it."""
        if len(group) == 1:
            self._note_failure(error, 1)
            self._answer_all(group)
            return
        for waiting in group:
            await self._store_group([waiting])

    @staticmethod
    def _answer_all(group: list[_Waiting]) -> None:
        for waiting in group:
            if not waiting.answered.done():
                waiting.answered.set_result(None)

    async def _create(self, told: Told, environment_id: UUID) -> Outcome:
        """Make the heartbeat that this ping is the first of, then store the ping."""
        slug = told.request.slug or ""
        async with self._creating:
            try:
                await asyncio.to_thread(_create_by_slug, environment_id, slug)
            except ValidationError as error:
                logger.warning("heartbeat_not_made", reasons=error.messages)
                return Outcome.UNKNOWN
            except DatabaseError as error:
                self._note_failure(error, 1)
                return Outcome.UNAVAILABLE
        match = await self._put(told)
        if isinstance(match, Outcome):
            return match
        return Outcome.CREATED if match.matches == 1 else _MEANING.get(match.matches, Outcome.AMBIGUOUS)

    def _note_failure(self, error: BaseException, pings: int) -> None:
        """Said once an outage. Neither statement nor values are logged: they hold the keys."""
        if not self._failing:
            logger.warning(
                "pings_not_stored", error=type(error).__name__, sqlstate=getattr(error, "sqlstate", None), pings=pings
            )
        self._failing = True

    def _note_success(self) -> None:
        if self._failing:
            logger.info("pings_stored_again")
        self._failing = False


_MEANING = {0: Outcome.UNKNOWN, 1: Outcome.STORED}


def _create_by_slug(environment_id: UUID, slug: str) -> None:
    try:
        services.create_by_slug(environment_id=environment_id, slug=slug)
    finally:
        # This thread's connection goes back to the pool: no request ends here to give it back.
        connection.close()
