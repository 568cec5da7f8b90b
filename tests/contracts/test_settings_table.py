"""Every setting that is read from the environment stands in README's table, and the table names no other."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"[\"'](PORTAL_[A-Z_]+|DATABASE_URL|REDIS_URL|SENTRY_DSN)[\"']")
ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def read_somewhere() -> set[str]:
    sources = [PROJECT / "manage.py", PROJECT / "tests/run.py"]
    for folder in ("apps", "monitor_portal"):
        sources += (PROJECT / folder).rglob("*.py")
    return {name for source in sources for name in NAMED.findall(source.read_text())}


def test_the_table_holds_exactly_the_settings_that_are_read() -> None:
    documented = ROW.findall((PROJECT / "README.md").read_text())
    assert len(documented) == len(set(documented))
    assert set(documented) == read_somewhere()
