"""Targets over REST: make, read, edit, remove, list."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Environment, Provider, Target
from apps.core.secrets import unseal
from tests.factories import api_client, make_model, make_provider, make_service

pytestmark = pytest.mark.django_db


def test_a_service_is_born_unknown_in_production(operator: User) -> None:
    answer = api_client(operator).post("/api/v1/services/", {"name": "Shop"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["name"], body["environment"], body["status"], body["reason"]) == (
        "Shop",
        "prod",
        "unknown",
        "not_measured",
    )
    assert body["status_since"] is not None
    assert body["last_result_at"] is None
    assert answer.headers["Location"].endswith(f"/api/v1/services/{body['id']}/")


def test_the_target_endpoint_answers_for_every_kind(operator: User) -> None:
    client = api_client(operator)
    model = make_model()
    service = make_service("Shop")
    for target, kind in ((model.target, "model"), (model.provider.target, "provider"), (service.target, "service")):
        body = client.get(f"/api/v1/targets/{target.pk}/").json()
        assert (body["id"], body["kind"], body["name"]) == (str(target.pk), kind, target.name)
        assert {"status", "status_since", "last_result_at", "reason"} <= set(body)


def test_a_key_is_sealed_and_never_read_back(operator: User) -> None:
    client = api_client(operator)
    body = {"name": "Acme AI", "base_url": "https://api.acme.test/v1", "api_key": "sk-very-secret"}
    answer = client.post("/api/v1/providers/", body)
    assert answer.status_code == 201
    assert answer.json()["api_key_set"] is True
    provider = Provider.objects.get(pk=answer.json()["id"])
    assert unseal(provider.sealed_api_key) == "sk-very-secret"
    everything = answer.content + client.get(f"/api/v1/providers/{provider.pk}/").content
    everything += client.get("/api/v1/providers/").content + str(list(AuditEntry.objects.values())).encode()
    assert b"very-secret" not in everything
    assert "very-secret" not in provider.sealed_api_key


def test_an_empty_key_takes_the_stored_one_away(operator: User) -> None:
    provider = make_provider(api_key="sk-old")
    answer = api_client(operator).patch(f"/api/v1/providers/{provider.pk}/", {"api_key": ""})
    assert answer.json()["api_key_set"] is False


def test_a_model_takes_the_environment_of_its_provider(operator: User, development: Environment) -> None:
    provider = make_provider(environment=development)
    answer = api_client(operator).post("/api/v1/models/", {"provider": str(provider.pk), "name": "m-1"})
    assert answer.status_code == 201
    assert answer.json()["environment"] == "dev"
    assert answer.json()["provider"] == str(provider.pk)
    assert answer.json()["provider_name"] == provider.target.name


@pytest.mark.parametrize("name", ["Shop", "sHOP", "  Shop "])
def test_a_taken_name_is_an_error_of_the_name_whatever_its_case(operator: User, name: str) -> None:
    make_service("Shop")
    answer = api_client(operator).post("/api/v1/services/", {"name": name})
    assert answer.status_code == 400
    assert list(answer.json()) == ["name"]
    assert Target.objects.count() == 1


def test_two_providers_may_offer_one_model_name_but_one_provider_only_once(operator: User) -> None:
    first, second = make_provider(), make_provider()
    make_model(first, "gpt")
    client = api_client(operator)
    assert client.post("/api/v1/models/", {"provider": str(second.pk), "name": "gpt"}).status_code == 201
    again = client.post("/api/v1/models/", {"provider": str(first.pk), "name": "GPT"})
    assert (again.status_code, list(again.json())) == (400, ["name"])


def test_the_environment_is_given_by_short_name_or_id(operator: User, development: Environment) -> None:
    client = api_client(operator)
    by_name = client.post("/api/v1/services/", {"name": "One", "environment": "dev"})
    by_id = client.post("/api/v1/services/", {"name": "Two", "environment": str(development.pk)})
    assert by_name.json()["environment"] == by_id.json()["environment"] == "dev"


def test_what_is_removed_is_gone_from_every_list_and_its_name_is_free(operator: User) -> None:
    client = api_client(operator)
    provider = make_provider("Acme")
    model = make_model(provider)
    assert client.delete(f"/api/v1/providers/{provider.pk}/").status_code == 204
    for path in (f"providers/{provider.pk}/", f"models/{model.pk}/", f"targets/{model.pk}/"):
        assert client.get(f"/api/v1/{path}").status_code == 404
    for path in ("providers/", "models/", "targets/"):
        assert client.get(f"/api/v1/{path}").json()["results"] == []
    assert client.post("/api/v1/providers/", {"name": "acme"}).status_code == 201


def test_tags_switch_and_dependencies_are_edited_in_place(operator: User) -> None:
    shop, database = make_service("Shop").target, make_service("Database").target
    url = f"/api/v1/targets/{shop.pk}/"
    body = {"enabled": False, "tags": ["web", "eu"], "depends_on": [str(database.pk)]}
    answer = api_client(operator).patch(url, body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    entry = AuditEntry.objects.filter(object_id=shop.pk, action="update").get()
    assert entry.changes["enabled"] == [True, False]


def test_an_answer_sent_back_unchanged_is_accepted(operator: User) -> None:
    service = make_service("Shop", url="https://shop.test/", tags=["web"])
    client = api_client(operator)
    url = f"/api/v1/services/{service.pk}/"
    body = client.get(url).json()
    answer = client.patch(url, body)
    assert answer.status_code == 200
    assert {**answer.json(), "updated_at": None} == {**body, "updated_at": None}


def test_a_circle_of_dependencies_is_refused(operator: User) -> None:
    first, second, third = (make_service().target for _ in range(3))
    client = api_client(operator)
    assert client.patch(f"/api/v1/targets/{first.pk}/", {"depends_on": [str(second.pk)]}).status_code == 200
    assert client.patch(f"/api/v1/targets/{second.pk}/", {"depends_on": [str(third.pk)]}).status_code == 200
    answer = client.patch(f"/api/v1/targets/{third.pk}/", {"depends_on": [str(first.pk)]})
    assert (answer.status_code, list(answer.json())) == (400, ["depends_on"])


def test_a_target_stays_where_it_was_made(operator: User, development: Environment) -> None:
    client = api_client(operator)
    service, model, other = make_service(), make_model(), make_provider()
    moved = client.patch(f"/api/v1/services/{service.pk}/", {"environment": "dev"})
    assert (moved.status_code, list(moved.json())) == (400, ["environment"])
    moved = client.patch(f"/api/v1/models/{model.pk}/", {"provider": str(other.pk)})
    assert (moved.status_code, list(moved.json())) == (400, ["provider"])


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"environment": "dev"}, {"Other"}),
        ({"environment": "prod", "kind": "service"}, {"Shop", "Mail"}),
        ({"kind": "service,provider"}, {"Shop", "Mail", "Other", "Acme"}),
        ({"status": "outage"}, {"Mail"}),
        ({"status": "unknown,outage", "kind": "service"}, {"Shop", "Mail", "Other"}),
        ({"enabled": "false"}, {"Shop"}),
        ({"tag": "web"}, {"Mail"}),
        ({"search": "HO"}, {"Shop"}),
        ({"name": "mail"}, {"Mail"}),
    ],
)
def test_lists_are_filtered_by_name(
    operator: User, development: Environment, parameters: dict[str, str], names: set[str]
) -> None:
    shop = make_service("Shop").target
    Target.objects.filter(pk=shop.pk).update(enabled=False)
    mail = make_service("Mail", tags=["web", "eu"]).target
    mail.status_row.status = "outage"
    mail.status_row.save()
    make_service("Other", environment=development)
    make_provider("Acme")
    answer = api_client(operator).get("/api/v1/targets/", parameters)
    assert {row["name"] for row in answer.json()["results"]} == names


def test_chosen_fields_and_nothing_else(operator: User) -> None:
    make_service("Shop")
    client = api_client(operator)
    rows = client.get("/api/v1/targets/", {"fields": "name,status"}).json()["results"]
    assert rows == [{"name": "Shop", "status": "unknown"}]
    unknown = client.get("/api/v1/targets/", {"fields": "name,colour"})
    assert unknown.status_code == 400
    assert "colour" in unknown.json()["fields"][0]
    assert "status_since" in unknown.json()["fields"][0]


def test_pages_follow_each_other_forwards_and_back(operator: User) -> None:
    made = [str(make_service().pk) for _ in range(5)]
    client = api_client(operator)
    first = client.get("/api/v1/services/", {"limit": 2}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    ids = [row["id"] for page in (first, second, third) for row in page["results"]]
    assert ids == list(reversed(made))
    assert (first["previous"], third["next"]) == (None, None)
    back: dict[str, Any] = client.get(third["previous"]).json()
    assert [row["id"] for row in back["results"]] == [row["id"] for row in second["results"]]
