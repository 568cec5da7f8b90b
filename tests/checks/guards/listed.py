"""Builders for stories about guards: one that is listed, and what a worker reports of it."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from apps.catalog.models import Region
from apps.checks.guards.services import create_guard
from apps.checks.messages import GuardReport
from apps.checks.models import Guard

_numbers = count(1)


def local() -> Region:
    return Region.objects.get(slug="local")


def list_guard(region: Region | None = None, **fields: Any) -> Guard:
    """A guard of `region` (else of `local`) at a port of this machine."""
    values: dict[str, Any] = {
        "name": f"Guard {next(_numbers)}",
        "kind": "tcp",
        "config": {"host": "127.0.0.1", "port": 9},
        **fields,
    }
    return create_guard(actor=None, region=region or local(), **values)


def report(guard: Guard, *, answers: bool, ago: float = 0.0, **fields: Any) -> GuardReport:
    """What a worker found `ago` seconds ago."""
    values: dict[str, Any] = {"reason": "ok" if answers else "connect_refused", **fields}
    return GuardReport(guard=str(guard.pk), answers=answers, at=time.time() - ago, **values)
