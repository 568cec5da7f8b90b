"""What was spent, over REST: added up by whatever a script wants to tell apart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import AIModel, Environment, Provider
from apps.checks.models import SpendDay
from apps.core import clock
from apps.core.ids import uuid7
from tests.factories import api_client, make_model, make_provider, make_user

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER = {"from": "2026-10-01", "to": "2026-10-31"}, {"from": "2026-11-01", "to": "2026-11-30"}
BOTH = {"from": "2026-10-01", "to": "2026-11-30"}


def get(user: User, **query: Any) -> Any:
    return api_client(user).get("/api/v1/spending/", query)


def rows(user: User, *names: str, **query: Any) -> list[tuple[Any, ...]]:
    answer = get(user, **query)
    assert answer.status_code == 200, answer.json()
    return [tuple(row[name] for name in names) for row in answer.json()["results"]]


def spend(owner: AIModel | Provider, day: str, cost: str, **numbers: int) -> None:
    provider_id = owner.provider_id if isinstance(owner, AIModel) else owner.pk
    SpendDay.objects.create(
        day=date.fromisoformat(day), target_id=owner.pk, provider_id=provider_id, cost=Decimal(cost), **numbers
    )


@pytest.fixture
def models() -> tuple[AIModel, AIModel, AIModel]:
    """Two models of Acme and one of Brook, that cost something in October and November."""
    acme, brook = make_provider("Acme"), make_provider("Brook")
    small, large, other = make_model(acme, "small"), make_model(acme, "large"), make_model(brook, "other")
    spend(small, "2026-10-30", "0.10", looks=2, tokens_in=20, tokens_out=10)
    spend(small, "2026-11-02", "0.20", looks=3, estimated_looks=1, tokens_cached=5, tokens_reasoning=7)
    spend(large, "2026-11-02", "1.00", looks=1)
    spend(large, "2026-11-03", "2.00", looks=1)
    spend(other, "2026-11-03", "0.00000001", looks=1)
    spend(brook, "2026-11-03", "0.5", looks=4)
    return small, large, other


def test_days_and_models_are_told_apart_unless_said_otherwise(viewer: User, models: Any) -> None:
    small, large, _other = models
    answer = get(viewer, **NOVEMBER).json()
    assert answer["results"][-2:] == [
        {
            "period": "2026-11-02",
            "provider": str(small.provider_id),
            "provider_name": "Acme",
            "model": str(small.pk),
            "model_name": "small",
            "cost": 0.2,
            "looks": 3,
            "estimated_looks": 1,
            "tokens_in": 0,
            "tokens_out": 0,
            "tokens_cached": 5,
            "tokens_reasoning": 7,
        },
        {
            "period": "2026-11-02",
            "provider": str(large.provider_id),
            "provider_name": "Acme",
            "model": str(large.pk),
            "model_name": "large",
            "cost": 1.0,
            "looks": 1,
            "estimated_looks": 0,
            "tokens_in": 0,
            "tokens_out": 0,
            "tokens_cached": 0,
            "tokens_reasoning": 0,
        },
    ]
    assert (answer["from"], answer["to"], answer["next"], answer["previous"]) == (
        "2026-11-01",
        "2026-11-30",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("month", [("2026-11-01", None, None, 3.70000001), ("2026-10-01", None, None, 0.1)]),
        (
            "day",
            [("2026-11-03", None, None, 2.50000001), ("2026-11-02", None, None, 1.2), ("2026-10-30", None, None, 0.1)],
        ),
        ("provider", [(None, "Acme", None, 3.3), (None, "Brook", None, 0.50000001)]),
        (
            "provider, month",
            [
                ("2026-11-01", "Acme", None, 3.2),
                ("2026-11-01", "Brook", None, 0.50000001),
                ("2026-10-01", "Acme", None, 0.1),
            ],
        ),
        (
            "model",
            [
                (None, "Acme", "small", 0.3),
                (None, "Acme", "large", 3.0),
                (None, "Brook", None, 0.5),
                (None, "Brook", "other", 0.00000001),
            ],
        ),
    ],
)
def test_sums_are_by_what_is_named(viewer: User, models: Any, by: str, told: list[Any]) -> None:
    assert rows(viewer, "period", "provider_name", "model_name", "cost", by=by, **BOTH) == told
    assert get(viewer, by=by, **BOTH).json()["total"] == {
        "cost": 3.80000001,
        "looks": 12,
        "estimated_looks": 1,
        "tokens_in": 20,
        "tokens_out": 10,
        "tokens_cached": 5,
        "tokens_reasoning": 7,
    }


def test_what_was_asked_of_a_provider_itself_is_of_no_model(viewer: User, models: Any) -> None:
    brook = models[2].provider
    assert rows(viewer, "model", "cost", by="model", provider=brook.pk, **NOVEMBER) == [
        (None, 0.5),
        (str(models[2].pk), 0.00000001),
    ]


def test_a_provider_a_model_and_days_narrow_rows_and_total(viewer: User, models: Any) -> None:
    small, large, _other = models
    assert rows(viewer, "period", "cost", by="day", model=large.pk, **NOVEMBER) == [
        ("2026-11-03", 2.0),
        ("2026-11-02", 1.0),
    ]
    assert rows(viewer, "cost", by="month", provider=small.provider_id, **OCTOBER) == [(0.1,)]
    assert get(viewer, by="month", **{"from": "2026-11-03", "to": "2026-11-03"}).json()["total"]["looks"] == 6
    nothing = get(viewer, model=uuid7(), **NOVEMBER).json()
    assert (nothing["results"], nothing["total"]["cost"], nothing["total"]["looks"]) == ([], 0.0, 0)


def test_the_present_month_is_meant_unless_days_are_named(viewer: User) -> None:
    model, today = make_model(), clock.now().date()
    spend(model, today.isoformat(), "0.25")
    spend(model, (today.replace(day=1) - timedelta(days=1)).isoformat(), "9")
    answer = get(viewer).json()
    assert answer["total"]["cost"] == 0.25
    assert (answer["from"], answer["to"]) == (today.replace(day=1).isoformat(), today.isoformat())


def test_every_row_is_on_exactly_one_page(viewer: User) -> None:
    provider = make_provider()
    SpendDay.objects.bulk_create(
        SpendDay(day=date(2026, 11, 2), target_id=uuid7(), provider_id=provider.pk, cost=1) for _ in range(1_120)
    )
    client, url, seen = api_client(viewer), "/api/v1/spending/?limit=100&from=2026-11-01&to=2026-11-30", []
    while url:
        page = client.get(url).json()
        assert page["total"]["cost"] == 1_120
        seen += [row["model"] for row in page["results"]]
        assert len(seen) <= 1_120
        url = page["next"]
    assert len(seen) == len(set(seen)) == 1_120


def test_only_what_one_may_see_is_added_up(production: Environment, development: Environment) -> None:
    here, there = make_model(make_provider(environment=production)), make_model(make_provider(environment=development))
    spend(here, "2026-11-02", "1")
    spend(there, "2026-11-02", "2")
    outsider, everywhere = make_user("viewer", development), make_user("viewer")
    assert get(outsider, **NOVEMBER).json()["total"]["cost"] == 2
    assert get(outsider, model=here.pk, **NOVEMBER).json()["results"] == []
    assert get(everywhere, **NOVEMBER).json()["total"]["cost"] == 3
    assert get(everywhere, environment=development.slug, **NOVEMBER).json()["total"]["cost"] == 2
    assert get(everywhere, environment=str(production.pk), **NOVEMBER).json()["total"]["cost"] == 1
    assert list(get(outsider, environment=production.slug).json()) == ["environment"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"from": "yesterday"}, "Enter a day, such as 2026-11-21."),
        ({"to": "2026-11-21T10:00:00Z"}, "Enter a day, such as 2026-11-21."),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "This must not lie after “to”."),
        ({"by": "week"}, "Name one or more of these, with commas between: day, month, provider, model."),
        ({"by": ""}, "Name one or more of these, with commas between: day, month, provider, model."),
        ({"by": "day,month"}, "Name “day” or “month”, not both."),
        ({"provider": "acme"}, "“acme” is not an id."),
        ({"environment": "moon\x00"}, "There is no such environment; give its short name or id."),
        ({"group": "day"}, "There is no such parameter"),
        ({"fields": "price"}, "There is no field “price”"),
        ({"cursor": "rubbish"}, "This is not a cursor"),
        ({"limit": "0"}, "Give a whole number from 1 to 500."),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_at_its_field(
    viewer: User, query: dict[str, str], sentence: str
) -> None:
    answer = get(viewer, **query)
    assert answer.status_code == 400
    [(name, [message])] = answer.json().items()
    assert name == next(iter(query))
    assert message.startswith(sentence)


def test_only_the_fields_asked_for_come_back(viewer: User, models: Any) -> None:
    [row, *_] = get(viewer, fields="period,cost", by="month", **BOTH).json()["results"]
    assert row == {"period": "2026-11-01", "cost": 3.70000001}
