"""LiteLLM's proxy as an operator runs it: a config file, a master key, no database, and nothing of the internet."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from apps.core.embedded.ports import free_port
from tests.platform.portal import wait_until

START_SECONDS = 120.0


class LiteLlmProxy:
    """One process on 127.0.0.1 in front of other servers; `models` as `model_list` of its config has them."""

    def __init__(self, models: Iterable[Mapping[str, Any]], *, master_key: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.master_key = master_key
        self._models = list(models)
        self._folder = tempfile.TemporaryDirectory(prefix="litellm-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        # JSON is YAML, too.
        (folder / "config.yaml").write_text(json.dumps(self._config()))
        output = folder / "output.txt"
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [os.environ["LITELLM"], "--config", "config.yaml", "--host", "127.0.0.1", "--port", self._port()],
                cwd=folder,
                env=self._environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        process = self._process
        wait_until(lambda: process.poll() is not None or self._is_alive(), "LiteLLM to listen", seconds=START_SECONDS)
        assert process.poll() is None, output.read_text()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _port(self) -> str:
        return self.url.rpartition(":")[2]

    def _is_alive(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/liveliness", timeout=2) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def _config(self) -> dict[str, Any]:
        return {
            "model_list": self._models,
            "litellm_settings": {"num_retries": 0, "telemetry": False},
            # What one model does wrong must not take it out of the list for the next look.
            "router_settings": {
                "num_retries": 0,
                "disable_cooldowns": True,
                "optional_pre_call_checks": ["enforce_model_rate_limits"],
            },
            "general_settings": {"master_key": self.master_key},
        }

    @staticmethod
    def _environment(folder: Path) -> dict[str, str]:
        """Nothing of the portal's, no prices from the internet, and no word of what goes wrong on purpose."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_TELEMETRY": "False",
            "LITELLM_LOG": "CRITICAL",
        }
