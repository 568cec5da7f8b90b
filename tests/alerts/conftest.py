"""Somebody to receive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.http import HttpServer


@pytest.fixture
def receiver() -> Iterator[HttpServer]:
    with HttpServer() as server:
        yield server
