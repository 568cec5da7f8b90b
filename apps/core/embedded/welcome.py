"""What a person reads when the portal has started: where it is, and at the first start as whom to sign in."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARGIN = "    "


def ready_lines(*, url: str, seconds: float, logs: Path, user: Mapping[str, Any] | None, state: str = "") -> list[str]:
    """The lines, without their ends. `user` is the one that was made just now: {"username", "password"}, the password
    empty where the environment gave it; `state` is PORTAL_STATE, which other commands need too."""
    lines = ["", f"The portal is running (started in {seconds:.1f} s). Open it in a browser:", "", f"{_MARGIN}{url}"]
    if user is not None:
        lines += ["", *_first_user_lines(url, user, f"PORTAL_STATE={shlex.quote(state)} " if state else "")]
    return [*lines, "", f"Stop with Ctrl-C. Logs: {logs}", ""]


def _first_user_lines(url: str, user: Mapping[str, Any], prefix: str) -> list[str]:
    name, password = user.get("username", "admin"), user.get("password")
    lines = ["Sign in with", "", f"{_MARGIN}Name      {name}"]
    if password:
        lines += [f"{_MARGIN}Password  {password}", "", "Keep it: it is shown this once only."]
    else:
        lines += [f"{_MARGIN}Password  the one in PORTAL_ADMIN_PASSWORD", ""]
    python = os.path.join(".venv", "bin", "python")
    return [
        *lines,
        f"Change it on the page {url}/settings/ when you have signed in.",
        f"Lost it? {prefix}{python} manage.py changepassword {name}",
    ]
