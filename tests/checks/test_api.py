"""REST of checks: every listed part of the contract, by token, and what bad input is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.accounts.access import Role, Scope
from apps.accounts.models import User
from apps.accounts.services import create_token, grant_role
from apps.catalog.models import Environment
from apps.catalog.services import create_model, create_provider, create_service
from apps.checks.models import Check, CheckRun, Incident
from apps.checks.services import open_config
from apps.core import clock
from tests.checks.looking import FAILED, OK, claim, finished, look, make_check, record

pytestmark = pytest.mark.django_db


def client_for(role: Role, scope: Scope = Scope.WRITE, environment: str = "") -> APIClient:
    user = User.objects.create_user(username=f"user-{uuid4()}")
    where = Environment.objects.get(slug=environment).pk if environment else None
    grant_role(actor=None, user=user, role=role, environment=where)
    _, plain = create_token(actor=user, user=user, name="script", scope=scope)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
    return client


@pytest.fixture
def operator() -> APIClient:
    return client_for(Role.OPERATOR)


def body(subject: Any, /, **fields: Any) -> dict[str, Any]:
    return {
        "target": str(subject.pk),
        "kind": "http",
        "config": {"url": "https://example.com/"},
        "interval_seconds": 20,
        "timeout_seconds": 5,
        **fields,
    }


def test_a_check_is_made_with_its_defaults(operator: APIClient) -> None:
    service = create_service(actor=None, name="Shop")
    answer = operator.post("/api/v1/checks/", body(service.target))
    assert answer.status_code == 201, answer.json()
    check = answer.json()
    assert (check["failure_threshold"], check["recovery_threshold"], check["enabled"]) == (2, 1, True)
    assert (check["status"], check["reason"]) == ("unknown", "not_measured")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "carrier_pigeon"}, "kind"),
        ({"timeout_seconds": True}, "timeout_seconds"),
        ({"timeout_seconds": "nan"}, "timeout_seconds"),
        ({"config": {"url": "ftp://example.com"}}, "config.url"),
        ({"config": {"url": " javascript:alert(1)"}}, "config.url"),
        ({"config": {}}, "config.url"),
        ({"config": []}, "config"),
        ({"config": "text"}, "config"),
        ({"config": {"url": "https://example.com", "colour": "red"}}, "config.colour"),
        ({"config": {"url": "https://example.com", "headers": {"X-A": "b\r\nX-C: d"}}}, "config.headers"),
        (
            {"config": {"url": "https://example.com", "conditions": [{"field": "mood", "operator": "==", "value": 1}]}},
            "config.conditions.0.field",
        ),
        ({"interval_seconds": 0}, "interval_seconds"),
        ({"interval_seconds": "soon"}, "interval_seconds"),
        ({"timeout_seconds": 60, "interval_seconds": 20}, "timeout_seconds"),
        ({"retry_interval_seconds": 20}, "retry_interval_seconds"),
        ({"retry_interval_seconds": 0}, "retry_interval_seconds"),
        ({"failure_threshold": 0}, "failure_threshold"),
        ({"target": "not-an-id"}, "target"),
        ({"target": str(uuid4())}, "target"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_bad_input_is_a_field_error_and_nothing_is_stored(
    operator: APIClient, change: dict[str, Any], field: str
) -> None:
    service = create_service(actor=None, name="Shop")
    answer = operator.post("/api/v1/checks/", body(service.target, **change))
    assert answer.status_code == 400, answer.content
    errors = answer.json()
    assert any(name == field or name.startswith(f"{field}.") for name in errors), errors
    assert all(isinstance(messages, list) and messages for messages in errors.values())
    assert not Check.objects.exists()


def test_a_name_taken_on_the_target_is_an_error_on_name(operator: APIClient) -> None:
    check = make_check()
    answer = operator.post("/api/v1/checks/", body(check.target, name="http"))
    assert (answer.status_code, list(answer.json())) == (400, ["name"])


def test_a_secret_is_never_answered_and_survives_an_edit_that_leaves_it_out(operator: APIClient) -> None:
    service = create_service(actor=None, name="Shop")
    config = {"url": "https://example.com/", "bearer_token": "very-secret"}
    made = operator.post("/api/v1/checks/", body(service.target, config=config)).json()
    assert "very-secret" not in str(made)
    answer = operator.patch(f"/api/v1/checks/{made['id']}/", {"config": {"url": "https://example.com/other"}})
    assert answer.status_code == 200, answer.json()
    stored = Check.objects.get(pk=made["id"])
    assert "very-secret" not in str(stored.config)
    assert open_config(stored)["bearer_token"] == "very-secret"


def test_a_viewer_reads_no_headers_and_no_bodies(operator: APIClient) -> None:
    service = create_service(actor=None, name="Shop")
    config = {"url": "https://example.com/", "headers": {"X-Team": "blue"}, "body": "hello", "method": "POST"}
    made = operator.post("/api/v1/checks/", body(service.target, config=config)).json()
    assert made["config"]["headers"] == {"X-Team": "blue"}
    seen = client_for(Role.VIEWER).get(f"/api/v1/checks/{made['id']}/").json()
    assert "blue" not in str(seen["config"])
    assert "hello" not in str(seen["config"])


def test_run_answers_202_once_and_the_url_says_pending_then_the_result(operator: APIClient) -> None:
    check = make_check()
    answer = operator.post(f"/api/v1/checks/{check.pk}/run/")
    assert answer.status_code == 202
    again = operator.post(f"/api/v1/checks/{check.pk}/run/")
    assert again.json()["id"] == answer.json()["id"]
    url = answer.json()["url"]
    assert operator.get(url).json()["state"] == "pending"
    record(finished(check, FAILED, claim(check), run=answer.json()["id"]))
    result = operator.get(url).json()
    assert (result["state"], result["reason"], result["evidence"]) == (
        "failed",
        "status_mismatch",
        {"expected": 200, "actual": 503},
    )
    assert "503" in result["sentence"]


def test_results_are_paged_newest_first(operator: APIClient) -> None:
    check = make_check()
    look(check, OK, FAILED, OK)
    page = operator.get(f"/api/v1/checks/{check.pk}/results/?limit=2").json()
    assert [row["state"] for row in page["results"]] == ["ok", "failed"]
    rest = operator.get(page["next"]).json()
    assert [row["state"] for row in rest["results"]] == ["ok"]
    assert rest["next"] is None


def test_an_incident_is_acknowledged_noted_and_resolved(operator: APIClient) -> None:
    check = make_check()
    look(check, FAILED, FAILED)
    incident = Incident.objects.get()
    base = f"/api/v1/incidents/{incident.pk}/"
    assert operator.post(f"{base}acknowledge/").json()["acknowledged_at"] is not None
    assert operator.post(f"{base}notes/", {"text": "On it."}).status_code == 201
    assert operator.post(f"{base}notes/", {"text": ""}).status_code == 400
    refused = operator.post(f"{base}resolve/")
    assert refused.status_code == 409
    assert "force" in refused.json()["detail"]
    resolved = operator.post(f"{base}resolve/", {"force": True}).json()
    assert resolved["resolution"] == "by_hand"
    assert [event["kind"] for event in resolved["events"]] == ["opened", "acknowledged", "note", "resolved"]


def test_a_viewer_may_look_and_not_touch() -> None:
    check = make_check()
    viewer = client_for(Role.VIEWER)
    assert viewer.get(f"/api/v1/checks/{check.pk}/").status_code == 200
    assert viewer.post(f"/api/v1/checks/{check.pk}/run/").status_code == 403
    assert viewer.delete(f"/api/v1/checks/{check.pk}/").status_code == 403


def test_a_read_token_of_an_operator_only_reads() -> None:
    check = make_check()
    reader = client_for(Role.OPERATOR, Scope.READ)
    assert reader.get(f"/api/v1/checks/{check.pk}/").status_code == 200
    assert reader.patch(f"/api/v1/checks/{check.pk}/", {"enabled": False}).status_code == 403


def test_outside_ones_grants_nothing_exists() -> None:
    check = make_check()
    look(check, FAILED, FAILED)
    outsider = client_for(Role.ADMIN, environment="dev")
    incident = Incident.objects.get()
    for path in (
        f"checks/{check.pk}/",
        f"checks/{check.pk}/results/",
        f"incidents/{incident.pk}/",
        f"targets/{check.target_id}/uptime/",
    ):
        assert outsider.get(f"/api/v1/{path}").status_code == 404, path
    assert outsider.post(f"/api/v1/checks/{check.pk}/run/").status_code == 404
    assert outsider.post(f"/api/v1/incidents/{incident.pk}/acknowledge/").status_code == 404
    assert outsider.get("/api/v1/incidents/").json()["results"] == []


def test_the_five_states_always_sum_to_the_total_and_stats_agree(operator: APIClient) -> None:
    provider = create_provider(actor=None, name="Provider", base_url="https://api.example.com/v1")
    create_model(actor=None, provider=provider, name="model-a")
    down = make_check()
    look(down, FAILED, FAILED)
    summary = operator.get("/api/v1/summary/").json()
    for part in ("targets", "providers", "models", "services"):
        counts = summary[part]
        states = ("operational", "degraded", "outage", "unknown", "maintenance")
        assert sum(counts[state] for state in states) == counts["total"], part
    assert summary["targets"]["total"] == 3
    assert (summary["services"]["outage"], summary["incidents"]["open"]) == (1, 1)
    stats = operator.get("/api/monitoring/realtime-stats").json()
    assert (stats["totalModels"], stats["unknownModels"], stats["avgAvailability"]) == (1, 1, None)


def test_check_kinds_describe_themselves(operator: APIClient) -> None:
    kinds = {kind["kind"]: kind for kind in operator.get("/api/v1/check-kinds/").json()}
    assert {"http", "tcp", "postgres", "redis", "celery_worker", "ai_models"} <= set(kinds)
    assert kinds["http"]["schema"]["properties"]["url"]


def test_uptime_of_an_unmeasured_target_is_null_not_a_hundred(operator: APIClient) -> None:
    check = make_check()
    report = operator.get(f"/api/v1/targets/{check.target_id}/uptime/").json()
    assert {window: part["ratio"] for window, part in report.items()} == {"24h": None, "7d": None, "30d": None}


def test_a_run_nobody_took_says_so_instead_of_pending_for_ever(operator: APIClient) -> None:
    check = make_check()
    first = operator.post(f"/api/v1/checks/{check.pk}/run/").json()
    CheckRun.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert operator.get(first["url"]).json()["state"] == "expired"
    assert operator.post(f"/api/v1/checks/{check.pk}/run/").json()["id"] != first["id"]
    assert operator.get(first["url"]).json()["state"] == "expired"


def test_an_id_from_beyond_the_calendar_is_not_found(operator: APIClient) -> None:
    check = make_check()
    path = f"/api/v1/checks/{check.pk}/results/ffffffff-ffff-7fff-bfff-ffffffffffff/"
    assert operator.get(path).status_code == 404


def test_a_heartbeat_is_heard_in_one_place_so_no_quorum_of_more_can_be_reached(operator: APIClient) -> None:
    target = create_service(actor=None, name="Backup").target
    body = {"target": str(target.pk), "kind": "heartbeat", "config": {}, "quorum": 2}
    answer = operator.post("/api/v1/checks/", body, format="json")
    assert answer.status_code == 400
    assert "one place" in answer.json()["quorum"][0]
    assert operator.post("/api/v1/checks/", {**body, "quorum": 1}, format="json").status_code == 201


def test_a_kind_that_does_not_suit_its_target_is_told_what_it_looks_at(operator: APIClient) -> None:
    service = create_service(actor=None, name="Shop")
    answer = operator.post("/api/v1/checks/", {"target": str(service.pk), "kind": "ai_models"})
    assert answer.json() == {"kind": ["“AI model list” looks at: Provider, AI model. This target is: Service."]}


@pytest.mark.parametrize(
    "path", ["checks", "incidents", "state-changes", "vendor-status", "alerts", "silences", "targets"]
)
def test_an_environment_that_is_not_there_is_an_error_and_no_empty_list(path: str, development: Environment) -> None:
    viewer = client_for(Role.VIEWER, environment=development.slug)
    for name in ("moon", "prod", str(uuid4())):
        answer = viewer.get(f"/api/v1/{path}/", {"environment": name})
        assert (answer.status_code, list(answer.json())) == (400, ["environment"])
    for name in (development.slug, str(development.pk)):
        assert viewer.get(f"/api/v1/{path}/", {"environment": name}).status_code == 200


@pytest.mark.parametrize("path", ["targets", "checks", "prices", "budgets", "vendor-status", "models"])
def test_what_is_not_there_is_said_in_the_same_words_everywhere(operator: APIClient, path: str) -> None:
    answer = operator.get(f"/api/v1/{path}/{uuid4()}/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is nothing here"})
