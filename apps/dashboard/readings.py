"""What the portal's own parts say about themselves, read in bounded time whatever state they are in.

The database and Valkey are asked side by side, each in a thread that is given up on after a moment. A thread that
hangs is not joined by another: until it returns, its part simply does not answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from apps.checks.dispatch import queue_of
from apps.checks.regions.selectors import RegionState, RegionView, get_regions, outcome_counters
from apps.checks.worker import HEARTBEAT_KEY
from apps.core import clock
from apps.core.cache import cached
from apps.core.queues import PREFIX, Queue, read_queues

logger = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 1.5
# Written by the launcher (`core.embedded.figures`), which knows the process ids.
_PROCESSES_KEY = "portal:processes"

Reading = TypeVar("Reading")


@dataclass(frozen=True)
class DatabaseReading:
    """Ages in seconds, by the database's clock. None: there is nothing that could have an age."""

    beat_lag: float | None = None
    outbox_age: float | None = None
    notification_age: float | None = None


@dataclass(frozen=True)
class ValkeyReading:
    """`heartbeat_age` in seconds, None when no worker was heard for an hour; queues by name.

    `processes` is what the launcher says of its children (see `core.embedded.figures`); empty when it says nothing.
    """

    heartbeat_age: float | None = None
    queues: dict[str, Queue] = field(default_factory=dict)
    processes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LookingReading:
    """The regions; by how much the row that waits longest is late, in seconds by short name; what became of outcomes.

    `counters` holds `recorded` and the reasons outcomes were dropped for; empty while Valkey is away. `ticking_seconds`
    is for how long the portal has ticked without a gap, None before its first tick.
    """

    regions: list[RegionView]
    due_lag: dict[str, float]
    counters: dict[str, int]
    as_of: datetime
    ticking_seconds: float | None = None

    @property
    def enabled(self) -> list[RegionView]:
        return [region for region in self.regions if region.enabled]


# A delivery is late when nothing keeps it: its time has come, its endpoint's breaker is closed, and no earlier event
# of the incident still waits (a receiver that is down must not make the portal look unready).
_AGES = """
    SELECT
        extract(epoch FROM now() - (SELECT ticked_at FROM checks_clock WHERE id = 1))::float8,
        extract(epoch FROM now() - least(
            (SELECT min(at) FROM checks_statechange WHERE routed_at IS NULL),
            (SELECT min(at) FROM checks_incidentevent WHERE routed_at IS NULL)
        ))::float8,
        (
            SELECT extract(epoch FROM now() - min(greatest(due.not_before, channel.open_until, (
                SELECT max(earlier.finished_at) FROM alerts_notification AS earlier
                WHERE earlier.channel_id = due.channel_id AND earlier.incident_id = due.incident_id
                  AND earlier.sequence < due.sequence
            ))))::float8
            FROM alerts_notification AS due JOIN alerts_channel AS channel ON channel.id = due.channel_id
            WHERE due.state = 'pending' AND due.not_before <= now()
              AND channel.enabled AND channel.deleted_at IS NULL
              AND (channel.open_until IS NULL OR channel.open_until <= now())
              AND NOT EXISTS (
                SELECT 1 FROM alerts_notification AS earlier
                WHERE earlier.channel_id = due.channel_id AND earlier.incident_id = due.incident_id
                  AND earlier.sequence < due.sequence AND earlier.state IN ('pending', 'sending')
              )
        )
"""


def read_database() -> DatabaseReading:
    """One query. Raises what Django raises when the database is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(_AGES)
            return DatabaseReading(*cursor.fetchone())
    finally:
        connection.close()  # the thread is ours, so nobody else gives the connection back


def read_valkey() -> ValkeyReading:
    """Three round trips. Raises what redis-py raises when Valkey is away."""
    with Redis.from_url(
        settings.REDIS_BROKER_URL, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    ) as client:
        heartbeat, processes = cast("list[bytes | None]", client.mget(HEARTBEAT_KEY, _PROCESSES_KEY))
        names = {"portal", "record", queue_of(settings.PORTAL_REGION)}
        for key in client.scan_iter(match=f"{PREFIX}{queue_of('*')}", _type="list"):
            names.add(key.decode().removeprefix(PREFIX))
        return ValkeyReading(
            heartbeat_age=None if heartbeat is None else max(0.0, time.time() - float(heartbeat)),
            queues=read_queues(client, sorted(names)),
            processes=_object(processes),
        )


def _object(text: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_DUE_LAG = """
    SELECT region.slug, greatest(0, extract(epoch FROM now() - min(row.next_due_at)))::float8
    FROM checks_checkregion AS row JOIN catalog_region AS region ON region.id = row.region_id
    WHERE row.enabled AND NOT row.passive AND region.enabled AND (row.lease_until IS NULL OR row.lease_until <= now())
    GROUP BY region.slug
"""


_TICKING = "SELECT extract(epoch FROM now() - steady_since)::float8 FROM checks_clock WHERE id = 1"


@cached("looking", ttl=3)
def get_looking() -> LookingReading:
    """A few queries, two of them over every row of the schedule: remembered for a moment, as every page asks."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_LAG)
        due_lag = dict(cursor.fetchall())
        cursor.execute(_TICKING)
        (ticking,) = cursor.fetchone() or (None,)
    regions = get_regions()
    # A Valkey that hangs has cost a second already, and whoever asks waits for little more.
    away = any(region.state == RegionState.UNKNOWN for region in regions)
    return LookingReading(regions, due_lag, {} if away else outcome_counters(), clock.now(), ticking)


def read_looking() -> LookingReading:
    """Raises what Django raises when the database is away; without Valkey the regions know less."""
    try:
        return get_looking()
    finally:
        connection.close()


class BoundedReader(Generic[Reading]):
    """Calls one function in one thread of its own, never twice at once."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=read.__name__)
        self._lock = threading.Lock()
        self._running: Future[Reading] | None = None

    def start(self) -> Future[Reading]:
        """A reading under way: the one that is running, or a new one."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._executor.submit(self._read)
            return self._running


def take(readings: list[Future[Any]], seconds: float = TIMEOUT_SECONDS) -> list[Any]:
    """The result of each reading, None for one that failed or is not there in `seconds` (shared by all of them)."""
    wait_for(readings, timeout=seconds)
    return [reading.result() if _succeeded(reading) else None for reading in readings]


def _succeeded(reading: Future[Any]) -> bool:
    if not reading.done():
        return False
    error = reading.exception()
    if error is None:
        return True
    if not isinstance(error, DatabaseError | RedisError | OSError):
        raise error
    logger.info("own_part_not_read", error=repr(error))
    return False


_database_reader = BoundedReader(read_database)
_valkey_reader = BoundedReader(read_valkey)
_looking_reader = BoundedReader(read_looking)


@dataclass(frozen=True)
class Readings:
    """What the parts said; None for one that does not answer."""

    database: DatabaseReading | None
    valkey: ValkeyReading | None
    looking: LookingReading | None


def take_readings(seconds: float = TIMEOUT_SECONDS) -> Readings:
    """All of them, side by side."""
    readers: list[Future[Any]] = [_database_reader.start(), _valkey_reader.start(), _looking_reader.start()]
    return Readings(*take(readers, seconds))


def readings_of(request: HttpRequest) -> Readings:
    """Taken once a request, so that the panels of a page cannot disagree."""
    known: Readings | None = getattr(request, "_portal_readings", None)
    if known is None:
        known = take_readings()
        request._portal_readings = known  # type: ignore[attr-defined]
    return known
