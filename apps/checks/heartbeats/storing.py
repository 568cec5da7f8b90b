"""One statement that finds whose pings these are and stores them, and the connection it runs on.

Kept apart from the ORM: a group of pings costs one round trip and one commit, and the connection is the web process's
own, so that no page can keep a ping waiting for a place in the pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connections

from apps.checks.heartbeats.dialects import PingRequest
from apps.core.secrets import digest

# What the database is given for one group before it counts as away. Clients wait 10 s as a rule (`curl -m 10`).
SECONDS = 5.0
# What pg_stat_activity calls the connection.
APPLICATION_NAME = "monitor-portal-pings"

# Every address is looked up by its index, found or not, so that an unknown key takes the way of a known one.
# Rows are numbered by arrival: a start and an end told at the same moment keep their order.
_STORE = """
WITH told AS MATERIALIZED (
    SELECT *
    FROM unnest(
        %s::int[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int2[], %s::uuid[], %s::float8[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::int[]
    ) AS ping (
        place, ping_id, push_token, key_digest, slug, kind, exit_status, run_id, said_ms,
        method, dialect, address, user_agent, body, body_bytes
    )
), opened AS MATERIALIZED (
    SELECT told.*, key.environment_id
    FROM told JOIN checks_pingkey key ON key.digest = told.key_digest AND key.closed_at IS NULL
), meant AS MATERIALIZED (
    SELECT told.*, NULL::uuid AS environment_id, heartbeat.check_id
    FROM told JOIN checks_heartbeat heartbeat ON heartbeat.ping_id = told.ping_id
    UNION ALL
    SELECT told.*, NULL, heartbeat.check_id
    FROM told JOIN checks_heartbeat heartbeat ON heartbeat.push_token = told.push_token
    UNION ALL
    SELECT opened.*, heartbeat.check_id
    FROM opened JOIN checks_heartbeat heartbeat ON heartbeat.slug = opened.slug
), found AS MATERIALIZED (
    SELECT meant.*, count(*) OVER (PARTITION BY meant.place) AS matches
    FROM meant
    CROSS JOIN LATERAL (SELECT target_id, deleted_at FROM checks_check WHERE id = meant.check_id OFFSET 0) told_check
    CROSS JOIN LATERAL (
        SELECT environment_id, deleted_at FROM catalog_target WHERE id = told_check.target_id OFFSET 0
    ) target
    WHERE told_check.deleted_at IS NULL AND target.deleted_at IS NULL
        AND (meant.environment_id IS NULL OR meant.environment_id = target.environment_id)
), stored AS (
    INSERT INTO checks_pinginbox (
        at, check_id, kind, exit_status, run_id, said_ms, method, dialect, address, user_agent, body, body_bytes
    )
    SELECT clock_timestamp(), check_id, kind, exit_status, run_id, said_ms,
           method, dialect, address, user_agent, body, body_bytes
    FROM found
    WHERE matches = 1
    ORDER BY place
)
SELECT place, matches::int, NULL::uuid FROM found
UNION ALL
SELECT place, 0, environment_id FROM opened
"""

# One plan for all, each ping by index. Left alone (without these, and without OFFSET 0), the planner begins with all
# targets while the tables have no statistics yet, which was measured to cost ten times the CPU.
_SESSION = (
    "SELECT set_config('synchronous_commit', 'on', false), set_config('statement_timeout', %s, false),"
    " set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),"
    " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false)"
)


class Told(NamedTuple):
    """A ping with what its request brought: who sent it, and the kept part of a body of `body_bytes`."""

    request: PingRequest
    address: str
    body: bytes
    body_bytes: int


class Match(NamedTuple):
    """How many heartbeats a ping could mean (stored when 1). With an open key and none: the key's environment."""

    matches: int
    environment_id: UUID | None = None


class Store:
    """A connection to the database, made when it is needed and again when it broke.

    A server that is there gives a statement up after nine tenths of `seconds`, so that nothing is stored after its
    client was told otherwise; a server that is not there has the connection cut under it.
    """

    def __init__(self, seconds: float = SECONDS, parameters: Callable[[], dict[str, Any]] | None = None) -> None:
        self._seconds = seconds
        self._parameters = parameters or connection_parameters
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def store(self, pings: Sequence[Told]) -> list[Match]:
        """Commit the pings that mean one heartbeat. Raises psycopg.Error or OSError: then nothing is known of them."""
        connection = await self._open()
        timer = asyncio.get_running_loop().call_later(self._seconds, cut, connection)
        try:
            cursor = await connection.execute(_STORE, columns(pings), prepare=True, binary=True)
            rows = await cursor.fetchall()
        except (psycopg.DataError, ValueError):
            raise  # the connection is as good as before
        except BaseException:
            await self.close()
            raise
        finally:
            timer.cancel()
        found: dict[int, Match] = {}
        for place, matches, environment_id in rows:
            if matches or place not in found:
                found[place] = Match(matches, environment_id)
        return [found.get(place, _NOBODY) for place in range(len(pings))]

    async def close(self) -> None:
        """Give the connection up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is not None and _was_left(self._connection):
            await self.close()
        if self._connection is None:
            async with asyncio.timeout(self._seconds):
                connection = await psycopg.AsyncConnection.connect(**self._parameters(), autocommit=True)
                await connection.execute(_SESSION, [f"{self._seconds * 900:.0f}ms"])
            self._connection = connection
        return self._connection


_NOBODY = Match(0)


def columns(pings: Sequence[Told]) -> list[list[Any]]:
    """The statement's arrays: one a column, one element a ping."""
    requests = [ping.request for ping in pings]
    return [
        list(range(len(pings))),
        [request.ping_id for request in requests],
        [request.push_token for request in requests],
        [digest(request.ping_key) if request.ping_key is not None else None for request in requests],
        [request.slug for request in requests],
        [request.kind for request in requests],
        [request.exit_status for request in requests],
        [request.run_id for request in requests],
        [request.said_ms for request in requests],
        [request.method for request in requests],
        [request.dialect for request in requests],
        [ping.address for ping in pings],
        [request.user_agent for request in requests],
        [ping.body for ping in pings],
        [ping.body_bytes for ping in pings],
    ]


def cut(connection: psycopg.AsyncConnection[Any]) -> None:
    """End the connection under whoever waits on it, as if the server had gone: the wait ends with an error at once.

    Cancelling the wait instead would ask a server that does not answer to cancel the statement, and wait for that.
    """
    with contextlib.suppress(psycopg.Error, OSError):
        same = socket.socket(fileno=os.dup(connection.fileno()))
        with contextlib.closing(same):
            same.shutdown(socket.SHUT_RDWR)


def _was_left(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether the server closed it while it was idle: then there is something to read, though nothing was asked."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def connection_parameters() -> dict[str, Any]:
    """Where Django's database is and who may enter, for a connection that is not Django's."""
    parameters = connections["default"].get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    return {**parameters, "application_name": APPLICATION_NAME}
