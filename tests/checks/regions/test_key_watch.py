"""Whether a worker has the portal's key: by the proof the portal leaves, and by the messages it is given."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from apps.checks.regions.key_watch import KeyWatch, proof


def proof_of(settings: Any, key: str) -> str:
    own, settings.SECRET_KEY = settings.SECRET_KEY, key
    left = proof()
    settings.SECRET_KEY = own
    return left


def test_the_portal_s_own_proof_opens() -> None:
    watch = KeyWatch()
    watch.see_proof(proof().encode())
    assert (watch.fits, watch.differs) == (True, False)


def test_another_key_is_said_once_however_often_it_is_seen(settings: Any) -> None:
    watch, left = KeyWatch(), proof_of(settings, "of another portal" * 4)
    with capture_logs() as logs:
        for _ in range(5):
            watch.see_proof(left.encode())
    assert (watch.fits, watch.differs) == (False, True)
    assert [line["event"] for line in logs] == ["key_differs"]
    assert "sealed with another key" in logs[0]["hint"]


def test_nothing_left_says_nothing() -> None:
    watch = KeyWatch()
    watch.see_proof(None)
    assert (watch.fits, watch.differs) == (None, False)


def test_what_cannot_be_opened_is_counted_and_said_once_a_minute() -> None:
    now = [0.0]
    watch = KeyWatch(monotonic=lambda: now[0])
    with capture_logs() as logs:
        for second in range(120):
            now[0] = second
            watch.see_message(opened=False)
    assert watch.unreadable == 120
    assert [line["messages"] for line in logs] == [1, 60]
    assert watch.differs, "none of them could be opened, and there is no proof to the contrary"


@pytest.mark.parametrize("order", [(True, False), (False, True)])
def test_one_forged_message_does_not_make_the_key_another(order: tuple[bool, bool]) -> None:
    watch = KeyWatch()
    for opened in order:
        watch.see_message(opened=opened)
    assert (watch.differs, watch.seen, watch.unreadable) == (False, 2, 1)
