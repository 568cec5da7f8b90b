"""Where the browser is and how it is started."""

from __future__ import annotations

import os
import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # root in a container, and a page of our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",  # a container's /dev/shm is small
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    return os.environ.get("PORTAL_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


def chromium_path() -> str:
    """The browser; fails the test where one is required and there is none."""
    chromium = find_chromium()
    assert chromium is not None, "PORTAL_REQUIRE_BROWSER is set and there is no Chromium on PATH"
    return chromium
