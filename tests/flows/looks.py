"""Watched looks: a few checks on real targets, and what history must say whatever died meanwhile.

Every look has one claim, and a claim's generation is the identity of a result. History does not show it, so a trigger
in the portal's own database writes down, in the transaction that records a result, which claim it used up: only this
tells a look that was kept twice from one that was lost and taken again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for

INTERVAL_SECONDS = 2
TIMEOUT_SECONDS = 2
DAY_SECONDS = 86_400
# Nothing here takes this long on a quiet machine; a loaded one may be slow, and slow is not wrong.
PATIENCE_SECONDS = 60.0

_LEDGER = """
    CREATE TABLE IF NOT EXISTS kept_look (
        id uuid, check_id uuid, region_id uuid, generation bigint, at timestamptz
    );
    CREATE OR REPLACE FUNCTION note_kept_look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO kept_look
            SELECT NEW.id, NEW.check_id, NEW.region_id, r.generation, NEW.at FROM checks_checkregion r
            WHERE r.check_id = NEW.check_id AND r.region_id = NEW.region_id;
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER note_kept_look AFTER INSERT ON checks_checkresult
        FOR EACH ROW EXECUTE FUNCTION note_kept_look();
"""
_KEPT = "SELECT id, check_id, region_id, generation, at FROM kept_look WHERE check_id = ANY(%s::uuid[])"


@dataclass(frozen=True)
class Kept:
    """One result with the claim it used up."""

    id: UUID
    check: UUID
    region: UUID
    generation: int
    at: datetime


@dataclass
class WatchedLooks:
    """One service with its checks, which grow; `began` is Unix seconds."""

    portal: RunningPortal
    service: str
    began: float
    checks: list[str] = field(default_factory=list)

    def add(
        self, url: str, *, interval_seconds: int = INTERVAL_SECONDS, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> str:
        """One more HTTP check, due at once; returns its id."""
        body = {
            "target": self.service,
            "kind": "http",
            "name": f"Look {len(self.checks) + 1}",
            "config": {"url": url},
            "interval_seconds": interval_seconds,
            "timeout_seconds": timeout_seconds,
        }
        self.checks.append(self.portal.client.post("/api/v1/checks/", body)["id"])
        return self.checks[-1]

    def results(self, check: str) -> list[dict[str, Any]]:
        """All results of a check, newest first, as the API gives them."""
        rows: list[dict[str, Any]] = []
        path = f"/api/v1/checks/{check}/results/?limit=500"
        while path:
            page = self.portal.client.get(path)
            rows += page["results"]
            path = (page["next"] or "").removeprefix(self.portal.url)
        return rows

    def wait_for_looks(self, moment: float, what: str, *, looks: int = 1, of: list[str] | None = None) -> None:
        """Until `looks` looks that began after `moment` (Unix seconds) are in the history of each check."""

        def all_looked_at() -> bool:
            return all(
                sum(started(row) > moment for row in self.results(check)) >= looks for check in of or self.checks
            )

        wait_for(all_looked_at, f"{looks} looks {what}", PATIENCE_SECONDS)

    def assert_none_is_doubled(self) -> None:
        """One result a claim, no two of one moment, later claims look later; the API shows each result once."""
        with database_of(self.portal) as database:
            kept = [Kept(*row) for row in database.execute(_KEPT, [self.checks]).fetchall()]
        claims = Counter((one.check, one.region, one.generation) for one in kept)
        assert {claim: times for claim, times in claims.items() if times > 1} == {}
        moments = Counter((one.check, one.region, one.at) for one in kept)
        assert {moment: times for moment, times in moments.items() if times > 1} == {}
        by_claim = sorted(kept, key=lambda one: (one.check, one.region, one.generation))
        assert by_claim == sorted(kept, key=lambda one: (one.check, one.region, one.at))
        noted = {str(one.id) for one in kept}
        shown = [row["id"] for check in self.checks for row in self.results(check)]
        assert len(shown) == len(set(shown))
        assert noted <= set(shown), "what was kept stays in history"
        assert len(noted) == len(kept) >= len(self.checks)

    def assert_nothing_is_blamed_on_the_target(self) -> None:
        """No look failed, no status turned for the worse, nobody was told of an incident."""
        client = self.portal.client
        for check in self.checks:
            blamed = [row["id"] for row in self.results(check) if row["state"] not in ("ok", "indeterminate")]
            evidence = [client.get(f"/api/v1/checks/{check}/results/{result}/") for result in blamed]
            assert evidence == []
        changes = client.get(f"/api/v1/state-changes/?target={self.service}")["results"]
        assert [change["to_status"] for change in changes] == ["operational"], changes
        assert client.get(f"/api/v1/incidents/?target={self.service}")["results"] == []
        assert client.get(f"/api/v1/targets/{self.service}/")["status"] == "operational"


@contextmanager
def watched_looks(portal: RunningPortal, *urls: str) -> Iterator[WatchedLooks]:
    """A service with one quick check for each URL, each looked at once; removed at the end."""
    wait_until_whole(portal)
    with database_of(portal) as database:
        database.execute(_LEDGER)
    began = time.time()
    service = portal.client.post("/api/v1/services/", {"name": f"Watched since {began}"})["id"]
    looks = WatchedLooks(portal, service, began)
    try:
        for url in urls:
            looks.add(url)
        looks.wait_for_looks(began, "before anything dies")
        yield looks
    finally:
        wait_until_whole(portal)
        portal.client.call("DELETE", f"/api/v1/services/{service}/")


def started(row: dict[str, Any]) -> float:
    """When the look of a result began, in Unix seconds."""
    return datetime.fromisoformat(row["at"]).timestamp()


@contextmanager
def database_of(portal: RunningPortal) -> Iterator[psycopg.Connection]:
    """The portal's own database, each statement a transaction."""
    with psycopg.connect(portal.processes.run["environment"]["DATABASE_URL"], autocommit=True) as connection:
        yield connection


def wait_until_gone(portal: RunningPortal, part: str) -> None:
    """Until `/readyz` misses this part."""
    wait_for(lambda: not portal.processes.readiness().get(part, True), f"/readyz to miss {part}", PATIENCE_SECONDS)


def wait_until_back(portal: RunningPortal, part: str) -> None:
    """Until `/readyz` finds this part again."""
    wait_for(lambda: portal.processes.readiness().get(part), f"/readyz to find {part} again", PATIENCE_SECONDS)


def wait_until_whole(portal: RunningPortal) -> None:
    """Until every part of the portal works."""
    wait_for(portal.processes.is_whole, "everything to work again", PATIENCE_SECONDS)
