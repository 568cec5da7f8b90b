"""Monitoring a server that nobody here wrote, as a person would: a provider, its models, a check of each kind that is
looked at now, and what the portal says of it afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from apps.probes.ai.classes import class_of
from tests.flows.conftest import RunningPortal
from tests.flows.published_faults import Seen
from tests.flows.rest import wait_for

# One look a month is never due a second time while a story is told.
_INTERVAL_SECONDS = 86_400
_PATIENCE_SECONDS = 60.0
# The portal answers several at once; more would only wait.
_AT_ONCE = 4


@dataclass(frozen=True)
class Asked:
    """One check to be made of a model (or of the provider itself: no model) and looked at once."""

    provider: str
    kind: str
    model: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: float = 10.0


@dataclass(frozen=True)
class Look:
    """What came of it: the target it belongs to and the result with its evidence."""

    asked: Asked
    target: str
    result: dict[str, Any]

    @property
    def seen(self) -> Seen:
        """The class of its reason."""
        found = class_of(self.result["reason"])
        return Seen(found[0].value, found[1].value) if found else Seen()

    @property
    def measured(self) -> dict[str, float]:
        measurements: dict[str, float] = self.result["measurements"]
        return measurements

    @property
    def evidence(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.result["evidence"]
        return facts

    def __str__(self) -> str:
        """Everything that is told of it."""
        return json.dumps(self.result)


class Watcher:
    """One portal that monitors providers. What was made stays until the portal ends."""

    def __init__(self, portal: RunningPortal) -> None:
        self._portal = portal
        self._client = portal.client
        self._models: dict[tuple[str, str], str] = {}

    def provider(self, dialect: str, base_url: str, api_key: str = "") -> str:
        """Add a provider; returns its id."""
        body = {"name": f"{dialect} {uuid4().hex[:8]}", "dialect": dialect, "base_url": base_url, "paid_at_once": 1_000}
        return str(self._client.post("/api/v1/providers/", {**body, "api_key": api_key})["id"])

    def discover(self, provider: str) -> list[str]:
        """Add every model it offers; returns their names."""
        found = self._client.post(f"/api/v1/providers/{provider}/discover/", {"all": True})
        self._models |= {(provider, name): row["id"] for name, row in self.models(provider).items()}
        added: list[str] = found["added"]
        return added

    def look(self, asked: Iterable[Asked]) -> list[Look]:
        """Make the checks, run each now and wait for what they find, in the order they were asked for."""
        wanted = list(asked)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            models = dict.fromkeys((one.provider, one.model) for one in wanted if one.model)
            list(threads.map(self._add_model, models))
            runs = list(threads.map(self._run, wanted))
            results = list(threads.map(self._result, runs))
        return [Look(one, self._target(one), result) for one, result in zip(wanted, results, strict=True)]

    def model(self, look: Look) -> dict[str, Any]:
        """The model of a look, as `models/{id}/` tells it."""
        row: dict[str, Any] = self._client.get(f"/api/v1/models/{look.target}/")
        return row

    def models(self, provider: str) -> dict[str, dict[str, Any]]:
        """All models of a provider as the list tells them, by name."""
        rows = self._client.get(f"/api/v1/models/?provider={provider}&limit=500")["results"]
        return {row["name"]: row for row in rows}

    def _add_model(self, place: tuple[str, str]) -> None:
        if place not in self._models:
            row = self._client.post("/api/v1/models/", {"provider": place[0], "name": place[1]})
            self._models[place] = row["id"]

    def _target(self, asked: Asked) -> str:
        return self._models[asked.provider, asked.model] if asked.model else asked.provider

    def _run(self, asked: Asked) -> str:
        """Make the check and run it now; returns where its result will be."""
        check = self._client.post(
            "/api/v1/checks/",
            {
                "target": self._target(asked),
                "kind": asked.kind,
                "name": f"{asked.kind} {uuid4().hex[:8]}",
                "config": dict(asked.config),
                "interval_seconds": _INTERVAL_SECONDS,
                "timeout_seconds": asked.timeout_seconds,
            },
        )
        run = self._client.post(f"/api/v1/checks/{check['id']}/run/")
        return str(run["url"]).removeprefix(self._portal.url)

    def _result(self, path: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            result: dict[str, Any] = self._client.get(path)
            return None if result["state"] == "pending" else result

        return wait_for(found, f"what {path} found", _PATIENCE_SECONDS)
