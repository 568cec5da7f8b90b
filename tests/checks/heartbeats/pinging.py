"""Pings through the edge as a server would hand them over, and a second pair of eyes on the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from django.db import connection

from apps.checks.heartbeats.edge import PingEdge
from apps.checks.heartbeats.inbox import Inbox
from apps.checks.heartbeats.storing import APPLICATION_NAME
from tests.platform.portal import wait_until


@dataclass
class Asked:
    """One request, and what it was answered."""

    path: str
    query: str = ""
    method: str = "GET"
    chunks: list[bytes] = field(default_factory=lambda: [b""])
    headers: dict[str, bytes] = field(default_factory=dict)
    client: str = "192.0.2.7"
    # Called when the answer begins.
    when_answered: Callable[[], None] = lambda: None
    whole: bool = True
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def through(self, edge: PingEdge) -> Asked:
        waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in self.chunks]
        if self.whole:
            waiting[-1]["more_body"] = False

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.when_answered()
            self.sent.append(message)

        await edge(self.scope, receive, send)
        return self

    @property
    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self.query.encode(),
            "headers": [(name.encode(), value) for name, value in self.headers.items()],
            "client": [self.client, 50_000],
        }

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def answer(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def nobody(_scope: Any, _receive: Any, _send: Any) -> None:
    raise AssertionError("the request went past the edge")


Result = TypeVar("Result")


def with_edge(story: Callable[[PingEdge], Awaitable[Result]], inbox: Inbox | None = None) -> Result:
    """Run a story against an edge of its own."""

    async def run() -> Result:
        edge = PingEdge(nobody, inbox)
        try:
            return await story(edge)
        finally:
            await edge.inbox.store.close()

    return asyncio.run(run())


def ask(path: str, query: str = "", inbox: Inbox | None = None, **fields: Any) -> Asked:
    """One request through an edge of its own."""
    return with_edge(lambda edge: Asked(path, query, **fields).through(edge), inbox)


class Watcher:
    """A connection of its own: it sees what is committed, holds locks, and ends the connection of the pings."""

    def __init__(self) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(**self._parameters(), autocommit=True)
        # Inside a transaction pg_stat_activity stays as it was first seen, so the lock is held by another one.
        self._holder: psycopg.Connection[Any] = psycopg.connect(**self._parameters(), autocommit=True)

    def close(self) -> None:
        self.connection.close()
        self._holder.close()

    @staticmethod
    def _parameters() -> dict[str, Any]:
        parameters = connection.get_connection_params()
        return {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}

    def rows(self) -> list[tuple[Any, ...]]:
        """What the inbox holds: check, kind, method, dialect, address, user agent, body, its size; by id."""
        return self.connection.execute(
            "SELECT check_id, kind, method, dialect, address, user_agent, body, body_bytes"
            " FROM checks_pinginbox ORDER BY id"
        ).fetchall()

    def count(self) -> int:
        return len(self.rows())

    @contextmanager
    def inbox_locked(self) -> Iterator[None]:
        """Nobody can store a ping meanwhile."""
        with self._holder.transaction():
            self._holder.execute("LOCK TABLE checks_pinginbox IN ACCESS EXCLUSIVE MODE")
            yield

    def wait_for_a_held_group(self) -> None:
        wait_until(lambda: self._backends("wait_event_type = 'Lock'") == 1, "a group waits for the lock")

    def _backends(self, condition: str) -> int:
        row = self.connection.execute(
            f"SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND {condition}", [APPLICATION_NAME]
        ).fetchone()
        assert row is not None
        return int(row[0])

    def end_connections(self) -> None:
        """As a restarted or failing server would."""
        self.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [APPLICATION_NAME]
        )
        wait_until(lambda: self._backends("true") == 0, "the connection is gone")
