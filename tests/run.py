"""Runs the suite as `make test` does, inside `portal exec`: everything but the browser tests, then those alone.

Two pytest processes, because Playwright keeps an event loop in the main thread until its process ends, which breaks
whatever needs a loop of its own and runs after it. Arguments are passed on to both.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_TESTS_COLLECTED = 5


def main(arguments: list[str]) -> int:
    """Exit code 0 when every test passed; a missing browser fails the run only with PORTAL_REQUIRE_BROWSER."""
    first = run_pytest("not browser", arguments, {})
    second = run_browser_tests(arguments)
    return first or second


def run_browser_tests(arguments: list[str]) -> int:
    browser = os.environ.get("PORTAL_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        required = bool(os.environ.get("PORTAL_REQUIRE_BROWSER"))
        left_out = "are required (PORTAL_REQUIRE_BROWSER)" if required else "are left out"
        say(f"Browser tests {left_out}: no Chromium on PATH (on Debian: apt-get install chromium).")
        return int(required)
    # Playwright's loop makes Django refuse the ORM in the main thread, where the tests use it on purpose.
    extra = {"PORTAL_CHROMIUM": browser, "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    code = run_pytest("browser", arguments, extra)
    if code == NO_TESTS_COLLECTED and not any((TESTS / "browser").glob("test_*.py")):
        say("There are no browser tests yet.")
        return 0
    return code


def run_pytest(mark: str, arguments: list[str], extra: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-m", mark, *arguments]
    return subprocess.run(command, cwd=TESTS.parent, env={**os.environ, **extra}, check=False).returncode


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
