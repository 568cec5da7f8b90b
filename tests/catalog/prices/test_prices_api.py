"""The price table over REST: who may write what, and what is refused at which field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Environment, Price
from apps.core import clock
from tests.factories import api_client, make_provider, make_user

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "dialect": "openai_compatible",
    "model": "m",
    "input_per_million": 1,
    "output_per_million": "2.5",
}


def test_a_price_is_made_read_and_changed(operator: User) -> None:
    client = api_client(operator)
    made = client.post("/api/v1/prices/", {**BODY, "cached_per_million": 0.1, "note": "ours"})
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["input_per_million"], body["output_per_million"], body["cached_per_million"]) == (1.0, 2.5, 0.1)
    assert (body["provider"], body["valid_from"], body["seeded"]) == (None, clock.now().date().isoformat(), False)
    url = f"/api/v1/prices/{body['id']}/"
    assert client.patch(url, {"output_per_million": 0}).json()["output_per_million"] == 0.0
    assert client.get(url).json()["output_per_million"] == 0.0
    assert client.delete(url).status_code == 204
    assert list(AuditEntry.objects.filter(object_type="price").order_by("pk").values_list("action", flat=True)) == [
        "create",
        "update",
        "delete",
    ]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"input_per_million": -1}, "input_per_million", "negative"),
        ({"output_per_million": "-0.01"}, "output_per_million", "negative"),
        ({"cached_per_million": -1}, "cached_per_million", "negative"),
        ({"input_per_million": "cheap"}, "input_per_million", "number"),
        ({"input_per_million": "NaN"}, "input_per_million", ""),
        ({"input_per_million": 10**9}, "input_per_million", "digits"),
        ({"input_per_million": None}, "input_per_million", "null"),
        ({"dialect": "esperanto"}, "dialect", "Known:"),
        ({"dialect": ""}, "dialect", "provider or the dialect"),
        ({"provider": "OWN"}, "dialect", "not both"),
        ({"provider": "0190e7a0-0000-7000-8000-000000000000"}, "provider", "no such provider"),
        ({"model": ""}, "model", ""),
        ({"model": "a\nb"}, "model", "line break"),
        ({"model": "gpt-*-mini"}, "model", "at the end"),
        ({"model": "x" * 201}, "model", "200"),
        ({"valid_from": "soon"}, "valid_from", ""),
        ({"valid_from": "2025-02-30"}, "valid_from", ""),
        ({"note": "x" * 301}, "note", "300"),
        ({"colour": "red"}, "colour", "no such field"),
    ],
)
def test_a_mistake_is_named_by_its_field(operator: User, change: dict[str, Any], field: str, words: str) -> None:
    own = str(make_provider().pk)
    before = Price.objects.count()
    body = {**BODY, **{name: own if value == "OWN" else value for name, value in change.items()}}
    answer = api_client(operator).post("/api/v1/prices/", body)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert words in " ".join(answer.json()[field])
    assert Price.objects.count() == before


def test_one_model_has_one_price_a_day(operator: User) -> None:
    client = api_client(operator)
    body = {**BODY, "valid_from": "2026-01-01"}
    assert client.post("/api/v1/prices/", body).status_code == 201
    again = client.post("/api/v1/prices/", {**body, "model": "M"})
    assert again.status_code == 400
    assert "from this day on already" in again.json()["valid_from"][0]
    assert client.post("/api/v1/prices/", {**body, "valid_from": "2026-01-02"}).status_code == 201
    assert (
        client.post("/api/v1/prices/", {**body, "dialect": "", "provider": str(make_provider().pk)}).status_code == 201
    )


def test_an_edit_makes_a_price_that_came_with_the_portal_ones_own(operator: User) -> None:
    price = Price.objects.filter(seeded=True, dialect="openai").first()
    assert price is not None
    answer = api_client(operator).patch(f"/api/v1/prices/{price.pk}/", {"note": "our contract"})
    assert answer.json()["seeded"] is False


def test_prices_of_all_are_written_by_those_who_work_everywhere(
    production: Environment, development: Environment
) -> None:
    local = api_client(make_user("operator", development))
    inside, outside = make_provider(environment=development), make_provider(environment=production)
    assert local.post("/api/v1/prices/", BODY).status_code == 403
    own = {**BODY, "dialect": "", "provider": str(inside.pk)}
    made = local.post("/api/v1/prices/", own)
    assert made.status_code == 201
    assert local.post("/api/v1/prices/", {**own, "provider": str(outside.pk)}).status_code == 400
    shared = Price.objects.filter(provider=None)[0]
    url = f"/api/v1/prices/{shared.pk}/"
    assert local.get(url).status_code == 200
    assert local.patch(url, {"note": "x"}).status_code == 403
    # Nor by giving away what is one's own.
    mine = f"/api/v1/prices/{made.json()['id']}/"
    assert local.patch(mine, {"provider": None, "dialect": "openai"}).status_code == 403
    everywhere = api_client(make_user("operator"))
    assert everywhere.patch(url, {"note": "x"}).status_code == 200


def test_a_list_is_filtered_and_leaves_out_providers_that_are_gone(operator: User) -> None:
    from apps.catalog.services import delete_target  # noqa: PLC0415

    provider = make_provider()
    today = date(2026, 1, 1)
    Price.objects.create(provider=provider, model="gpt-4o", input_per_million=1, output_per_million=1, valid_from=today)
    client = api_client(operator)
    found = client.get("/api/v1/prices/?model=GPT-4o&limit=500").json()["results"]
    assert {row["dialect"] for row in found} == {"", "openai"}
    assert len(client.get(f"/api/v1/prices/?provider={provider.pk}").json()["results"]) == 1
    delete_target(actor=None, target=provider.target)
    assert client.get(f"/api/v1/prices/?provider={provider.pk}").json()["results"] == []
