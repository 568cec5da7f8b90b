"""What each process of the portal costs: its own as the launcher sees them, region workers as they say themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.checks.regions.selectors import RegionView

# In the order of the page. PostgreSQL and Valkey may run elsewhere; the others are always the launcher's.
NAMES: dict[str, Any] = {
    "web": _("Web"),
    "worker": _("Worker"),
    "beat": _("Tick"),
    "postgresql": "PostgreSQL",
    "valkey": "Valkey",
    "launcher": _("Launcher"),
}


@dataclass(frozen=True)
class ProcessRow:
    """CPU in per cent of one core, memory in bytes; `count` processes together. None: not measured (yet).

    `key` names it to machines; `region` is set for a worker of a region that runs by itself.
    """

    key: str
    name: Any
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    count: int | None = None
    region: str = ""
    elsewhere: bool = False

    @property
    def cpu_ratio(self) -> float | None:
        return None if self.cpu_percent is None else self.cpu_percent / 100


@dataclass(frozen=True)
class Costs:
    """The rows; when the launcher looked (None: it says nothing), and how many cores its machine has."""

    rows: list[ProcessRow]
    as_of: datetime | None
    processors: int | None

    @property
    def cpu_percent(self) -> float | None:
        """Of the portal's own processes together."""
        known = [row.cpu_percent for row in self.rows if row.cpu_percent is not None and not row.region]
        return sum(known) if known else None

    @property
    def cpu_ratio(self) -> float | None:
        total = self.cpu_percent
        return None if total is None else total / 100

    @property
    def memory_bytes(self) -> int | None:
        known = [row.memory_bytes for row in self.rows if row.memory_bytes is not None and not row.region]
        return sum(known) if known else None


def costs_of(figures: Mapping[str, Any], regions: Iterable[RegionView]) -> Costs:
    """From what the launcher published (see `core.embedded.figures`) and what region workers say of themselves."""
    known: Mapping[str, Any] = figures.get("processes") or {}
    at = figures.get("at")
    own = [_own(name, known) for name in NAMES] if known else []
    # The launcher's own worker serves a region, too: it is in the list already.
    listed = {f"{socket.gethostname()}-{figure.get('pid')}" for figure in known.values()}
    return Costs(
        rows=[*own, *_workers(regions, listed)],
        as_of=datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None,
        processors=figures.get("processors"),
    )


def _own(name: str, known: Mapping[str, Any]) -> ProcessRow:
    figure = known.get(name)
    if figure is None:
        return ProcessRow(name, NAMES[name], elsewhere=True)
    return ProcessRow(
        key=name,
        name=NAMES[name],
        cpu_percent=figure.get("cpu_percent"),
        memory_bytes=figure.get("memory_bytes"),
        count=figure.get("processes"),
    )


def _workers(regions: Iterable[RegionView], listed: set[str]) -> list[ProcessRow]:
    return [
        ProcessRow(
            key=worker.name,
            name=worker.name,
            cpu_percent=worker.cpu_percent,
            memory_bytes=worker.memory_bytes,
            count=1,
            region=region.slug,
        )
        for region in regions
        for worker in region.workers
        if worker.name not in listed
    ]
