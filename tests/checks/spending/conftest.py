from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.spending.paying import paid_kind


@pytest.fixture(autouse=True)
def _something_costs_money() -> Iterator[None]:
    with paid_kind():
        yield
