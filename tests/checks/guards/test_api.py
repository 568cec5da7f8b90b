"""`/api/v1/guards/`: what can be listed, who may, and what nobody reads back."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import AuditEntry
from apps.catalog.models import Environment, Region
from apps.checks.guards.selectors import forget_jobs, guard_jobs
from apps.checks.guards.services import MOST_IN_A_REGION
from apps.checks.models import Guard
from tests.checks.guards.listed import list_guard
from tests.factories import api_client, make_user

pytestmark = pytest.mark.django_db

GATEWAY = {"region": "local", "name": "Gateway", "kind": "tcp", "config": {"host": "127.0.0.1", "port": 80}}
SECRET = "s3cret-of-the-guard"


@pytest.fixture
def admin() -> APIClient:
    return api_client(make_user("admin"))


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    forget_jobs()


def with_secret() -> dict[str, Any]:
    config = {
        "url": "http://127.0.0.1:9/status",
        "headers": {"Authorization": f"Bearer {SECRET}", "X-Trace": "on"},
    }
    return {**GATEWAY, "kind": "http", "config": config}


def test_a_guard_is_listed_with_its_defaults(admin: APIClient) -> None:
    answer = admin.post("/api/v1/guards/", GATEWAY, format="json")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert {key: body[key] for key in ("region", "name", "kind")} == {
        "region": "local",
        "name": "Gateway",
        "kind": "tcp",
    }
    assert (body["timeout_seconds"], body["enabled"], body["state"], body["since"]) == (3, True, "unknown", None)
    assert body["sentence"] == "Not looked at yet"
    [row] = admin.get("/api/v1/guards/?region=local").json()["results"]
    assert row["id"] == body["id"]


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"region": "atlantis"}, "region", "There is no region “atlantis”; known are local."),
        ({"region": 7}, "region", "There is no region"),
        ({"name": ""}, "name", "blank"),
        ({"name": "gateway taken"}, "name", "This region has a guard with this name."),
        ({"kind": "telnet"}, "kind", "it can be"),
        ({"kind": "heartbeat"}, "kind", "A guard cannot be of the kind “heartbeat”"),
        ({"kind": "ai_models"}, "kind", "A guard cannot be of the kind “ai_models”"),
        ({"config": {"host": "127.0.0.1"}}, "config.port", ""),
        ({"config": {"host": "127.0.0.1", "port": 99_999}}, "config.port", ""),
        ({"config": "127.0.0.1:80"}, "config", "Send an object"),
        ({"timeout_seconds": 3.5}, "timeout_seconds", "3"),
        ({"timeout_seconds": 0}, "timeout_seconds", "0.1"),
        ({"timeout_seconds": "soon"}, "timeout_seconds", "number"),
        ({"timeout_seconds": True}, "timeout_seconds", "number"),
        ({"timeout_seconds": "nan"}, "timeout_seconds", "number"),
        ({"state": "fails", "colour": "red"}, "colour", "There is no such field"),
    ],
)
def test_bad_input_is_a_field_error_and_nothing_is_stored(
    admin: APIClient, changes: dict[str, Any], field: str, says: str
) -> None:
    list_guard(name="Gateway Taken")
    answer = admin.post("/api/v1/guards/", {**GATEWAY, **changes}, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) == {field}
    assert says in answer.json()[field][0]
    assert Guard.objects.count() == 1


def test_a_region_has_at_most_ten_guards(admin: APIClient) -> None:
    for _ in range(MOST_IN_A_REGION):
        list_guard()
    answer = admin.post("/api/v1/guards/", GATEWAY, format="json")
    assert answer.json() == {"region": ["A region has at most 10 guards; remove one first."]}


def test_a_region_nobody_serves_is_warned_of(admin: APIClient) -> None:
    Region.objects.create(slug="seoul", name="Seoul")
    body = admin.post("/api/v1/guards/", {**GATEWAY, "region": "seoul"}, format="json").json()
    assert len(body["warnings"]) == 1
    assert "portal worker --region seoul" in body["warnings"][0]


def test_a_secret_is_never_answered_and_reaches_only_the_worker(admin: APIClient) -> None:
    answer = admin.post("/api/v1/guards/", with_secret(), format="json")
    url = f"/api/v1/guards/{answer.json()['id']}/"
    edited = admin.patch(url, {"name": "Router", "config": answer.json()["config"]}, format="json")
    assert edited.status_code == 200
    answers = (answer, edited, admin.get(url), admin.get("/api/v1/guards/"))
    assert all(SECRET not in one.content.decode() for one in answers)
    assert SECRET not in str(Guard.objects.values_list("config", flat=True)[0])
    assert SECRET not in str(list(AuditEntry.objects.values_list("changes", flat=True)))
    [job] = guard_jobs("local")
    assert job.config["headers"]["Authorization"] == f"Bearer {SECRET}"
    assert (job.check, job.generation, job.timeout_seconds) == (answer.json()["id"], 0, 3)


def test_below_operators_of_all_environments_nobody_reads_headers(admin: APIClient, production: Environment) -> None:
    admin.post("/api/v1/guards/", with_secret(), format="json")

    def config_for(user: Any) -> dict[str, Any]:
        [row] = api_client(user).get("/api/v1/guards/").json()["results"]
        return dict(row["config"])

    assert config_for(make_user("operator"))["headers"]["X-Trace"] == "on"
    assert "headers" not in config_for(make_user("viewer"))
    assert "headers" not in config_for(make_user("admin", production))


def test_region_and_kind_stay(admin: APIClient) -> None:
    Region.objects.create(slug="seoul", name="Seoul")
    url = f"/api/v1/guards/{list_guard().pk}/"
    assert "region" in admin.patch(url, {"region": "seoul"}, format="json").json()
    assert "kind" in admin.patch(url, {"kind": "http"}, format="json").json()
    assert admin.patch(url, {"region": "local", "kind": "tcp"}, format="json").status_code == 200


def test_an_edit_and_a_removal_are_written_down(admin: APIClient) -> None:
    guard = list_guard()
    url = f"/api/v1/guards/{guard.pk}/"
    admin.patch(url, {"timeout_seconds": 2, "config": {"host": "127.0.0.1", "port": 10}}, format="json")
    assert admin.delete(url).status_code == 204
    entries = AuditEntry.objects.filter(object_type="guard").order_by("pk")
    assert [entry.action for entry in entries] == ["create", "update", "delete"]
    assert entries[1].changes["timeout_seconds"] == [3, 2]
    assert [config["port"] for config in entries[1].changes["config"]] == [9, 10]
    assert not Guard.objects.exists()


def test_an_administrator_of_one_environment_only_reads(production: Environment) -> None:
    client = api_client(make_user("admin", production))
    assert client.post("/api/v1/guards/", GATEWAY, format="json").status_code == 403
    assert client.get("/api/v1/guards/").status_code == 200


def test_workers_are_sent_the_enabled_guards_of_their_region_with_one_query(django_assert_num_queries: Any) -> None:
    seoul = Region.objects.create(slug="seoul", name="Seoul")
    first, _off, _foreign = list_guard(name="A"), list_guard(name="B", enabled=False), list_guard(seoul, name="C")
    unreadable = list_guard(name="D", kind="http", config=with_secret()["config"])
    Guard.objects.filter(pk=unreadable.pk).update(
        config={"url": "http://127.0.0.1:9/", "headers": {"Authorization": "sealed with another key"}}
    )
    forget_jobs()
    with django_assert_num_queries(1):
        jobs = guard_jobs("local")
        again = guard_jobs("local")
    assert [job.check for job in jobs] == [str(first.pk)]
    assert again == jobs
