"""Cached selectors: shared by equals, out of reach when what they depend on changes, and never in the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import transaction
from django_redis import get_redis_connection
from pytest_django import Settings

from apps.accounts.models import User
from apps.core import cache as core_cache
from apps.core.cache import bump, cache_statistics, cached
from tests.factories import make_environment, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Counted:
    """A selector that counts how often it is really asked."""

    def __init__(self, **options: Any) -> None:
        self.asked = 0
        self.answer: Any = "first"
        self.read = cached(f"story-{uuid4().hex}", ttl=60, **options)(self._select)

    def _select(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return self.answer


@pytest.fixture(autouse=True)
def _valkey_was_never_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_cache, "_resting_until", 0.0)


def test_a_second_look_asks_nothing() -> None:
    selector = Counted()
    assert [selector.read(1), selector.read(1)] == ["first", "first"]
    assert selector.asked == 1


@pytest.mark.parametrize("answer", [None, [], 0, {"a": [1, None]}])
def test_an_empty_answer_is_an_answer(answer: Any) -> None:
    selector = Counted()
    selector.answer = answer
    assert [selector.read(), selector.read()] == [answer, answer]
    assert selector.asked == 1


def test_other_arguments_are_another_answer() -> None:
    selector = Counted()
    for arguments in (("1",), (1,), (None,), ([1, 2],), ([[1], 2],), (uuid4(),)):
        selector.read(*arguments)
    selector.read(limit=1)
    assert selector.asked == 7


def test_an_argument_nobody_can_name_is_an_error() -> None:
    with pytest.raises(TypeError, match="cannot be part of a cache key"):
        Counted().read(object())


def test_a_bump_puts_every_dependent_answer_out_of_reach() -> None:
    targets, both, neither = Counted(depends=("targets",)), Counted(depends=("incidents", "targets")), Counted()
    for selector in (targets, both, neither):
        selector.read()
    bump("targets")
    for selector in (targets, both, neither):
        selector.read()
    assert [selector.asked for selector in (targets, both, neither)] == [2, 2, 1]


def test_a_bump_counts_when_its_transaction_commits() -> None:
    selector = Counted(depends=("targets",))
    selector.read()
    with transaction.atomic():
        bump("targets")
        other = threading.Thread(target=selector.read)
        other.start()
        other.join()
        assert selector.asked == 1
    selector.read()
    assert selector.asked == 2


def test_a_bump_that_was_rolled_back_never_happened() -> None:
    selector = Counted(depends=("targets",))
    selector.read()
    with transaction.atomic():
        bump("targets")
        transaction.set_rollback(True)
    selector.read()
    assert selector.asked == 1


def test_a_slow_reader_cannot_store_old_data_under_the_new_key() -> None:
    """It read the version, then the old rows; a write commits before it stores what it has."""
    facts = {"status": "operational"}
    has_read, may_go_on = threading.Event(), threading.Event()

    @cached("slow-reader", ttl=60, depends=("targets",))
    def slow() -> str:
        status = facts["status"]
        has_read.set()
        assert may_go_on.wait(10)
        return status

    answers: list[str] = []
    reader = threading.Thread(target=lambda: answers.append(slow()))
    reader.start()
    assert has_read.wait(10)
    facts["status"] = "outage"
    bump("targets")
    may_go_on.set()
    reader.join(10)
    assert answers == ["operational"]
    assert slow() == "outage"


def test_inside_a_transaction_nothing_is_remembered() -> None:
    selector = Counted()
    with transaction.atomic():
        selector.read()
        selector.answer = "second"
        assert selector.read() == "second"
    selector.answer = "third"
    assert selector.read() == "third"


def test_equals_share_an_answer_and_others_never_do() -> None:
    selector = Counted()
    development = make_environment("dev")
    viewers = [make_user("viewer"), make_user("viewer")]
    for user in (*viewers, make_user("viewer", development), make_user(None), make_user("operator")):
        selector.read(User.objects.get(pk=user.pk))
    assert selector.asked == 4


def test_every_key_ends_by_itself() -> None:
    Counted(depends=("targets", "incidents")).read()
    bump("targets")
    core_cache.flush_counts()
    connection = get_redis_connection("default")
    keys = list(connection.scan_iter("*"))
    assert len(keys) >= 4
    assert all(connection.ttl(key) > 0 for key in keys)


def test_lost_versions_bring_no_old_answer_back() -> None:
    selector = Counted(depends=("targets",))
    selector.read()
    kept = {key: cache.get(key) for key in cache.keys("cached:*")}  # type: ignore[attr-defined]
    cache.clear()
    for key, value in kept.items():
        cache.set(key, value)
    selector.read()
    assert selector.asked == 2


def test_hits_and_misses_of_every_process_are_counted() -> None:
    name = f"counted-{uuid4().hex}"
    read = cached(name, ttl=60)(lambda number: number)
    for number in (1, 1, 1, 2):
        read(number)
    found = {row.name: row for row in cache_statistics()}[name]
    assert (found.hits, found.misses, found.hit_rate) == (2, 2, 0.5)


@pytest.fixture
def valkey_away(settings: Settings) -> Iterator[None]:
    """Nothing listens where the cache should be."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}}
    yield


def test_without_valkey_selectors_go_straight_to_sql(valkey_away: None) -> None:
    selector = Counted(depends=("targets",))
    assert [selector.read(), selector.read()] == ["first", "first"]
    assert selector.asked == 2
    assert cache_statistics() == []


def test_without_valkey_a_write_still_commits(valkey_away: None) -> None:
    with transaction.atomic():
        user = make_user("viewer")
        bump("targets", "incidents")
    assert User.objects.filter(pk=user.pk).exists()


def test_a_valkey_that_failed_is_left_alone_for_a_moment(valkey_away: None, settings: Settings) -> None:
    selector = Counted()
    selector.read()
    assert not core_cache._usable()
