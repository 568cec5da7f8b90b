"""Fixtures of the stories about pings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.heartbeats.pinging import Watcher


@pytest.fixture
def watcher(transactional_db: None) -> Iterator[Watcher]:
    watching = Watcher()
    yield watching
    watching.close()
