"""Answers of the API kept for seconds: shared among equals, gone with the first write, and most of a poller's reads."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Target
from apps.catalog.services import update_target
from apps.core.cache import cache_statistics
from tests.factories import api_client, make_environment, make_service, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def names(client: Any, query: str = "") -> list[str]:
    return [row["name"] for row in client.get(f"/api/v1/services/{query}").json()["results"]]


def queries_of(ask: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len([query for query in queries if "catalog_" in query["sql"]])


def test_a_second_look_reads_no_target() -> None:
    make_service("Shop")
    client = api_client(make_user("viewer"))
    assert queries_of(lambda: names(client)) > 0
    assert queries_of(lambda: names(client)) == 0
    assert queries_of(lambda: names(client, "?limit=1")) > 0


def test_a_write_is_seen_at_once() -> None:
    target = make_service("Shop").target
    client = api_client(make_user("viewer"))
    url = f"/api/v1/targets/{target.pk}/"
    assert (names(client), client.get(url).json()["name"]) == (["Shop"], "Shop")
    update_target(actor=None, target=target, name="Mail")
    assert (names(client), client.get(url).json()["name"]) == (["Mail"], "Mail")


def test_nobody_is_served_what_somebody_else_may_see() -> None:
    make_service("Shop")
    everywhere: User = make_user("viewer")
    development = make_user("viewer", make_environment("dev"))
    assert names(api_client(everywhere)) == ["Shop"]
    assert names(api_client(development)) == []
    target = Target.objects.get()
    assert api_client(everywhere).get(f"/api/v1/targets/{target.pk}/").status_code == 200
    assert api_client(development).get(f"/api/v1/targets/{target.pk}/").status_code == 404


def test_a_polling_page_is_served_from_the_cache_four_times_out_of_five() -> None:
    make_service("Shop")
    client = api_client(make_user("viewer"))
    hits, misses = reads()
    for _ in range(20):
        for path in ("/api/v1/summary/", "/api/monitoring/realtime-stats", "/api/v1/services/"):
            assert client.get(path).status_code == 200
    hits, misses = (after - before for after, before in zip(reads(), (hits, misses), strict=True))
    assert hits / (hits + misses) > 0.8


def reads() -> tuple[int, int]:
    """Hits and misses of all cached selectors so far."""
    rows = cache_statistics()
    return sum(row.hits for row in rows), sum(row.misses for row in rows)
