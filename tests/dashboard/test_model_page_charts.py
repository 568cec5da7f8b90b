"""The charts of a model: percentiles with bands, gaps that stay gaps, what went wrong stacked, money by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import AIModel
from apps.checks.ai.history import ModelHistory
from apps.checks.charts import Period
from apps.checks.models import Incident
from apps.core import clock
from apps.dashboard.ai import documents
from apps.dashboard.ai.differences import LONGEST, difference
from apps.probes.ai.classes import ErrorClass
from tests.dashboard.model_past import fill_past, spend
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_model, make_provider

NOW = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)


def history(**fields: Any) -> ModelHistory:
    return ModelHistory(times=[NOW - timedelta(hours=2 - number) for number in range(3)], width_seconds=3600, **fields)


def test_where_nobody_looked_nothing_is_known_to_have_gone_well() -> None:
    drawn = documents.errors(history(looks=[5, 0, 5], errors={ErrorClass.OVERLOADED: [2, 0, 0]}))
    assert drawn["lines"][0]["values"] == [2, None, 0]
    assert drawn["stacked"]


def test_without_a_failure_the_chart_says_so_instead_of_that_nothing_was_measured() -> None:
    assert documents.errors(history(looks=[5, 5, 5]))["empty"] == "No look failed in this period."
    assert documents.errors(history(looks=[0, 0, 0]))["empty"] == ""


def test_the_rarest_classes_are_added_up_so_that_colours_stay_apart() -> None:
    errors = {name: [position + 1, 0, 0] for position, name in enumerate(ErrorClass)}
    lines = documents.errors(history(looks=[99, 9, 9], errors=errors))["lines"]
    assert len(lines) == documents.MOST_CLASSES + 1
    counts = [line["values"][0] for line in lines]
    assert counts[:-1] == sorted(counts[:-1], reverse=True)
    assert sum(counts) == sum(range(1, len(ErrorClass) + 1))
    assert lines[-1]["label"] == "Others"


def test_a_gap_in_a_percentile_stays_a_gap() -> None:
    drawn = documents.first_token(
        history(first_token={"p50": [1.234, None, 3], "p95": [2, None, 4], "p99": [3, None, 5]})
    )
    assert drawn["lines"][0]["values"] == [1.23, None, 3]
    assert {(band["low"], band["high"]) for band in drawn["bands"]} == {("p50", "p95"), ("p95", "p99")}


def test_the_first_answer_token_has_a_line_only_where_it_is_another() -> None:
    tokens = {"p50": [1, 2, 3], "p95": [2, 3, 4], "p99": [2, 3, 4]}
    assert len(documents.first_token(history(first_token=tokens, first_answer=tokens))["lines"]) == 3
    thinking = documents.first_token(history(first_token=tokens, first_answer={"p50": [9, 9, 9]}))
    assert thinking["lines"][-1]["values"] == [9, 9, 9]


def test_speed_has_a_band_from_the_fifth_to_the_ninety_fifth() -> None:
    drawn = documents.speed(history(speed={"p5": [50.0] * 3, "p50": [80.0] * 3, "p95": [95.0] * 3}))
    assert [(line["key"], line.get("style")) for line in drawn["lines"]] == [
        ("p50", None),
        ("p5", "edge"),
        ("p95", "edge"),
    ]
    assert drawn["bands"][0]["low"] == "p5"


def test_a_day_on_which_nothing_was_paid_is_zero_and_a_month_without_any_is_empty() -> None:
    period = Period(NOW - timedelta(days=2), NOW)
    days = [(NOW.date() - timedelta(days=1), Decimal("0.25"))]
    assert documents.spend(days, period)["lines"][0]["values"] == [0.0, 0.25, 0.0]
    assert documents.spend([], period)["lines"][0]["values"] == [None, None, None]


# --- Over the wire --------------------------------------------------------------------------------------------


@pytest.fixture
def page(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


@pytest.fixture
def model(db: None) -> AIModel:
    made = make_model(make_provider("OpenAI"), "gpt-5")
    fill_past(made, 8)
    return made


def chart(client: Client, model: AIModel, name: str, query: str) -> Any:
    answer = client.get(f"{model.target.get_absolute_url()}charts/{name}.json{query}")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(documents.DOCUMENTS))
def test_every_line_has_a_value_or_a_gap_for_every_moment(page: Client, model: AIModel, name: str) -> None:
    drawn = chart(page, model, name, "?range=7d")
    assert drawn["lines"]
    assert {len(line["values"]) for line in drawn["lines"]} == {len(drawn["times"])}
    assert drawn["to"] - drawn["from"] == pytest.approx(7 * 86_400)
    assert any(value is not None for line in drawn["lines"] for value in line["values"])


@pytest.mark.django_db
def test_incidents_are_marks_and_a_zoom_is_its_own_period(page: Client, model: AIModel) -> None:
    at = clock.now() - timedelta(hours=5)
    Incident.objects.create(
        target=model.target, severity="outage", reason="overloaded", opened_at=at, evidence={"actual": 529}
    )
    drawn = chart(page, model, "speed", "?range=24h")
    assert [mark["label"] for mark in drawn["marks"]] == ["The provider says it is overloaded (status 529)."]
    start, end = at.timestamp() - 3_600, at.timestamp() - 600
    zoomed = chart(page, model, "speed", f"?range=24h&from={start:.3f}&to={end:.3f}")
    assert zoomed["marks"] == []
    assert zoomed["from"] == pytest.approx(start)


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "words"), [(21, "$3.00"), (19, "$1.00"), (1, "$0.14")])
def test_a_day_on_average_is_since_the_first_that_cost_anything(page: Client, first: int, words: str) -> None:
    model = make_model(make_provider("Another"), "new")
    with clock.frozen(datetime(2026, 11, 21, 12, tzinfo=UTC)):
        spend(model, datetime(2026, 10, 30, tzinfo=UTC), "90")
        spend(model, datetime(2026, 11, first, tzinfo=UTC), "3")
        shown = text_of(page.get(f"{model.target.get_absolute_url()}fragments/spend/").content)
    assert f"A day, on average {words}" in shown.replace("\u00a0", " ")


@pytest.mark.django_db
def test_a_short_period_still_shows_a_month_of_money(page: Client, model: AIModel) -> None:
    spend(model, clock.now() - timedelta(days=25), "1.5")
    drawn = chart(page, model, "spend", "?range=24h")
    assert len(drawn["times"]) == 31
    assert 1.5 in drawn["lines"][0]["values"]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["?range=1y", "?from=nonsense", "?from=1&to=2", "?from=2026-01-01&to=2026-11-01"])
def test_a_period_that_makes_no_sense_is_refused_with_a_sentence(page: Client, model: AIModel, query: str) -> None:
    answer = page.get(f"{model.target.get_absolute_url()}charts/speed.json{query}")
    assert answer.status_code == 400
    assert all(messages for messages in answer.json().values())


# --- Differences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "pieces"),
    [
        ("Paris is it", "Paris is it", [("same", "Paris is it")]),
        ("It is Paris.", "It is Lyon.", [("same", "It is "), ("missing", "Paris"), ("added", "Lyon"), ("same", ".")]),
        ("yes", "", [("missing", "yes")]),
        ("", "no", [("added", "no")]),
        ("alpha beta", "12345", [("missing", "alpha beta"), ("added", "12345")]),
    ],
)
def test_a_difference_names_what_is_missing_and_what_came(
    expected: str, actual: str, pieces: list[tuple[str, str]]
) -> None:
    assert [(piece.kind, piece.text) for piece in difference(expected, actual)] == pieces


def test_both_texts_can_be_read_back_from_their_difference() -> None:
    expected, actual = "one two  three\nfour", "one 2 three four five"
    found = difference(expected, actual)
    assert "".join(piece.text for piece in found if piece.kind != "added") == expected
    assert "".join(piece.text for piece in found if piece.kind != "missing") == actual


def test_what_is_too_long_to_be_compared_is_shown_as_two_whole_texts() -> None:
    expected, actual = "word " * LONGEST, "ward " * LONGEST
    assert [piece.text for piece in difference(expected, actual)] == [expected, actual]
