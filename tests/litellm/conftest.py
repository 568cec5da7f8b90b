"""LiteLLM's proxy is too large for the ordinary suite: `make test-litellm`, which names its program, collects this."""

from __future__ import annotations

import os

from tests.flows.conftest import portal

__all__ = ["portal"]

collect_ignore_glob = [] if "LITELLM" in os.environ else ["test_*.py"]
