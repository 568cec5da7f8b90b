"""REST: what a model's object adds, its history, and models beside each other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.models import SpendDay
from apps.core import clock
from apps.core.ids import uuid7
from apps.probes.base import Reason
from tests.checks.ai.looking_at_models import FAILED, fill, look, make_ai_check
from tests.factories import api_client, make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADDED = {
    "ttft_ms",
    "answer_ttft_ms",
    "output_tokens_per_second",
    "error_class",
    "fault",
    "rate_limit",
    "spend_month",
    "uptime_24h",
}


@pytest.fixture
def viewer(production: Environment) -> User:
    return make_user("viewer", production)


def get(user: User, path: str, **query: Any) -> Any:
    return api_client(user).get(f"/api/v1/{path}", query)


def test_a_model_nobody_looked_at_has_every_field_and_no_value(viewer: User) -> None:
    model = make_model()
    body = get(viewer, f"models/{model.pk}/").json()
    assert set(body) >= ADDED
    assert {body[name] for name in ADDED - {"spend_month"}} == {None}
    assert body["spend_month"] == 0


def test_a_model_shows_what_was_measured_and_whose_fault_an_error_is(viewer: User) -> None:
    model = make_model()
    stream, ping = make_ai_check(model.target, "ai_stream"), make_ai_check(model.target, "ai_ping")
    head_room = {"requests": {"limit": 60.0, "remaining": 12.0}}
    measured = {"ttft_ms": 320.5, "answer_ttft_ms": 400.0, "output_tokens_per_second": 55.0}
    look(stream, measurements=measured, evidence={"rate_limit": head_room})
    look(ping, FAILED, Reason.OVERLOADED)
    SpendDay.objects.create(
        day=clock.now().date(), target_id=model.pk, provider_id=model.provider_id, cost=Decimal("0.0123")
    )
    body = get(viewer, f"models/{model.pk}/").json()
    assert (body["ttft_ms"], body["answer_ttft_ms"], body["output_tokens_per_second"]) == (320.5, 400.0, 55.0)
    assert (body["error_class"], body["fault"]) == ("overloaded", "theirs")
    assert body["rate_limit"] == head_room
    assert body["spend_month"] == 0.0123
    assert body["uptime_24h"] == 0.5


def test_the_fields_are_read_only_and_come_back_after_a_write(production: Environment) -> None:
    operator = make_user("operator", production)
    provider = make_provider()
    answer = api_client(operator).post("/api/v1/models/", {"provider": str(provider.pk), "name": "m"}, format="json")
    assert answer.status_code == 201
    assert answer.json()["uptime_24h"] is None
    answer = api_client(operator).patch(f"/api/v1/models/{answer.json()['id']}/", {"ttft_ms": 1}, format="json")
    assert answer.json()["ttft_ms"] is None


def test_a_list_reads_the_facts_of_all_its_rows_at_once_and_only_when_asked_for(viewer: User) -> None:
    provider = make_provider()

    def queries(**query: Any) -> int:
        client = api_client(viewer)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/v1/models/", query).status_code == 200
        return len(captured)

    for _ in range(2):
        look(make_ai_check(make_model(provider).target))
    few, without = queries(), queries(fields="id,name")
    for _ in range(8):
        look(make_ai_check(make_model(provider).target))
    assert queries() == few == without + 3


def test_history_holds_lines_on_one_clock(viewer: User) -> None:
    check = make_ai_check(kind="ai_stream")
    now = clock.now()
    fill(check, now - 5 * HOUR, now - HOUR)
    fill(check, now - HOUR, now, state=FAILED, reason=Reason.SERVER_ERROR)
    body = get(viewer, f"models/{check.target_id}/history/").json()
    assert body["width_seconds"] == 600
    for lines in (body["first_token_ms"], body["first_answer_ms"], body["duration_ms"]):
        assert set(lines) == {"p50", "p75", "p95", "p99"}
        assert {len(line) for line in lines.values()} == {len(body["times"])}
    assert set(body["output_tokens_per_second"]) == {"p5", "p50", "p95"}
    assert sum(body["errors"]["server_error"]) == 12
    assert body["uptime"] == {"ratio": 0.8, "looks": 60, "failed": 12, "rate_limited": 0}


def test_history_of_a_time_that_was_said(viewer: User) -> None:
    check = make_ai_check()
    body = get(viewer, f"models/{check.target_id}/history/", **{"from": "2026-10-01", "to": "2026-10-31"}).json()
    assert body["times"][0] == "2026-10-01T00:00:00Z"
    assert body["uptime"]["ratio"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        ({"from": "2026-11-02", "to": "2026-11-02"}, "from"),
        ({"from": "2001-01-01"}, "from"),
        ({"from": "0001-01-01T00:00:00Z"}, "from"),
        ({"to": "0001-01-01T00:00:00Z"}, "to"),
        ({"to": "9999-12-31T23:59:59Z"}, "to"),
        ({"since": "2026-11-02"}, "since"),
        ({"from": "2026-11-02\x00"}, "from"),
    ],
)
def test_a_time_that_means_nothing_is_refused_by_its_name(viewer: User, query: dict[str, str], field: str) -> None:
    model = make_model()
    for path, more in ((f"models/{model.pk}/history/", {}), ("models/compare/", {"ids": str(model.pk)})):
        answer = get(viewer, path, **query, **more)
        assert answer.status_code == 400, answer.content
        assert list(answer.json()) == [field]


@pytest.mark.parametrize(
    "moment",
    ["2026-11-20T00:00:00Z", "2026-11-20", "2026-11-20T09:00:00+09:00", "2026-11-20T09:00:00 09:00", "1795132800"],
)
def test_a_moment_is_read_as_charts_read_it_and_without_a_zone_it_is_utc(moment: str) -> None:
    seoul = make_user("viewer", time_zone="Asia/Seoul")
    query = {"from": moment, "to": "2026-11-21"}
    body = get(seoul, f"models/{make_model().pk}/history/", **query).json()
    assert body["times"][0] == "2026-11-20T00:00:00Z"


def test_models_may_be_named_one_by_one(viewer: User) -> None:
    first, second = make_model(), make_model()
    body = api_client(viewer).get(f"/api/v1/models/compare/?ids={second.pk}&ids={first.pk}").json()
    assert [model["id"] for model in body["models"]] == [str(second.pk), str(first.pk)]


def test_models_are_compared_in_the_order_they_were_named(viewer: User) -> None:
    first, second = make_ai_check(kind="ai_stream"), make_ai_check(kind="ai_stream")
    now = clock.now()
    fill(first, now - 5 * HOUR, now, ttft=300.0)
    fill(second, now - 5 * HOUR, now, ttft=900.0)
    ids = [str(second.target_id), str(first.target_id)]
    body = get(viewer, "models/compare/", ids=",".join([*ids, ids[0]])).json()
    assert [model["id"] for model in body["models"]] == ids
    assert body["models"][0]["first_token_ms"]["p50"] > body["models"][1]["first_token_ms"]["p50"]
    for model in body["models"]:
        assert len(model["first_token_ms"]["line"]) == len(body["times"])
        assert model["uptime"]["ratio"] == 1.0
        assert Decimal(model["spend"]) == 0


def test_ids_that_cannot_be_compared_are_refused(viewer: User, development: Environment) -> None:
    service, elsewhere = make_service(), make_model(make_provider(environment=development))
    known = make_model()
    for ids in ("", ",", "nonsense", str(uuid7()), str(service.pk), f"{known.pk},{elsewhere.pk}"):
        answer = get(viewer, "models/compare/", ids=ids)
        assert answer.status_code == 400
        assert list(answer.json()) == ["ids"]
    answer = get(viewer, "models/compare/", ids=",".join(str(uuid7()) for _ in range(21)))
    assert answer.status_code == 400
    assert "20" in str(answer.json()["ids"])


def test_somebody_elses_model_is_not_there(development: Environment) -> None:
    outsider = make_user("viewer", development)
    assert get(outsider, f"models/{make_model().pk}/history/").status_code == 404
