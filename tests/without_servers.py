"""A pytest plugin, loaded before the settings: pure tests need no servers, so `pytest tests/probes` works as it is.

`portal exec` has set these already; without it, whatever does need a server fails to connect.
"""

from __future__ import annotations

import os

if not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
    os.environ["REDIS_URL"] = "redis://127.0.0.1:1"
    os.environ.setdefault("PORTAL_SECRET_KEY", "only for tests that start no server at all")
