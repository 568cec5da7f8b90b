"""The portal's own database, watched from outside: which steps were committed, when, and what still waits.

A trigger notes each step in the transaction that commits it, and PostgreSQL keeps the moment of every commit: so the
list is complete whatever dies, and its moments are those of the commits, not of the statements.
"""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from benchmarks.delivery.arrivals import Step
from tests.platform.portal import PortalUnderTest, wait_until

_WATCH = """
    CREATE TABLE bench_step (incident_id uuid, sequence integer, kind text);
    CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO bench_step SELECT incident_id, sequence, kind FROM added;
        RETURN NULL;
    END $$;
    CREATE TRIGGER bench_note AFTER INSERT ON checks_incidentevent
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION bench_note();
"""
# Notes are for people who look; no channel is told.
_STEPS = """
    SELECT incident_id::text, sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
    FROM bench_step WHERE kind <> 'note'
"""
_WAITING = """
    SELECT (SELECT count(*) FROM checks_incident WHERE resolved_at IS NULL),
           (SELECT count(*) FROM checks_incidentevent WHERE routed_at IS NULL),
           (SELECT count(*) FROM alerts_alertevent WHERE routed_at IS NULL),
           (SELECT count(*) FROM alerts_notification WHERE state IN ('pending', 'sending') AND channel_id = %s)
"""
_NOT_SENT = """
    SELECT state, reason, count(*) FROM alerts_notification
    WHERE state <> 'sent' AND channel_id = %s GROUP BY state, reason
"""


@dataclass
class Ledger:
    """What was committed. What it has seen it remembers: a step that a crash of the database takes back is lost."""

    portal: PortalUnderTest
    seen: dict[Step, float] = field(default_factory=dict)
    _connection: psycopg.Connection[Any] | None = None

    def start(self) -> None:
        """Begin to watch. PostgreSQL is restarted once, because it keeps commit moments only from a start on."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
            connection.execute(_WATCH)
        restart_database(self.portal)
        wait_until(lambda: self.ask("SHOW track_commit_timestamp") == [("on",)], "the database is back", seconds=60)
        wait_until(self.portal.is_whole, "the portal is whole again", seconds=60)

    def count(self) -> int | None:
        """Steps committed so far; None while the database cannot be asked."""
        rows = self.ask("SELECT count(*) FROM bench_step WHERE kind <> 'note'")
        return None if rows is None else int(rows[0][0])

    def look(self) -> None:
        """Remember every step there is now."""
        for incident, sequence, moment in self.ask(_STEPS) or []:
            self.seen.setdefault((incident, sequence), moment)

    def waiting(self, channel: str) -> tuple[int, int, int, int] | None:
        """(open incidents, steps not routed, alert events not routed, messages not finished); None: cannot be asked."""
        rows = self.ask(_WAITING, channel)
        return None if rows is None else rows[0]

    def not_sent(self, channel: str) -> list[tuple[Any, ...]]:
        """(state, reason, how many) of the channel's messages that were not sent."""
        return self.ask(_NOT_SENT, channel) or []

    def ask(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]] | None:
        """The rows of a query; None while the database is away."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=2)
            return self._connection.execute(query, values).fetchall()
        except psycopg.OperationalError:
            with contextlib.suppress(psycopg.Error):
                if self._connection is not None:
                    self._connection.close()
            self._connection = None
            return None

    @property
    def _url(self) -> str:
        return str(self.portal.run["environment"]["DATABASE_URL"])


def restart_database(portal: PortalUnderTest) -> None:
    """As an operator would: it ends its sessions, writes a checkpoint, and the launcher starts it again."""
    before = portal.kill("postgresql", signal.SIGINT)
    wait_until(lambda: portal.pids.get("postgresql") != before, "another PostgreSQL", seconds=60)
