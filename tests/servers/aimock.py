"""aimock, a published server of AI models that nobody here wrote: every dialect on one port, and faults on request.

with AimockServer([{"match": {"model": "good"}, "response": {"content": "OK"}}], api_key="a-key") as server:
    server.base_url("anthropic")
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.platform.portal import wait_until
from tests.servers.node import PACKAGES, node

_COMMAND = PACKAGES / "@copilotkit" / "aimock" / "dist" / "aimock-cli.js"
_LISTENS = "listening on "
# Where each dialect's API begins on it, as its owner would write it down.
_PATHS = {"openai": "/v1", "openai_compatible": "/v1"}


class AimockServer:
    """One process on 127.0.0.1. A fixture says what is answered to which model; with `api_key` only that is taken."""

    def __init__(self, fixtures: Iterable[Mapping[str, Any]], *, api_key: str = "") -> None:
        self.api_key = api_key
        self.url = ""
        self._fixtures = list(fixtures)
        self._folder = tempfile.TemporaryDirectory(prefix="aimock-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        (folder / "fixtures.json").write_text(json.dumps({"fixtures": self._fixtures}))
        settings: dict[str, Any] = {"llm": {"fixtures": str(folder / "fixtures.json")}}
        if self.api_key:
            settings["auth"] = {"apiKeys": [self.api_key]}
        (folder / "aimock.json").write_text(json.dumps(settings))
        output = folder / "output.txt"
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [node(), _COMMAND, "--config", folder / "aimock.json", "--host", "127.0.0.1", "--port", "0"],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        process = self._process
        wait_until(
            lambda: process.poll() is not None or output.read_text().endswith("\n"), "aimock to listen", seconds=30
        )
        said = output.read_text()
        assert _LISTENS in said, said
        self.url = said.partition(_LISTENS)[2].split()[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        """End it at once, whatever it is answering."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answered(self, model: str) -> int:
        """How often this model was asked, by its own journal."""
        request = urllib.request.Request(f"{self.url}/__aimock/journal", headers={"x-api-key": self.api_key})
        with urllib.request.urlopen(request, timeout=10) as response:
            entries = json.loads(response.read())
        return sum((entry["body"] or {}).get("model") == model for entry in entries)

    def base_url(self, dialect: str) -> str:
        """The base URL of a provider of this dialect."""
        return self.url + _PATHS.get(dialect, "")
