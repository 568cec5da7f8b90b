"""Regions over REST: what is heard from them, who may write them, and the regions of a check."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from apps.accounts.models import User
from apps.catalog.models import Environment, Region
from tests.checks.regions.speaking import speak
from tests.factories import api_client, make_check, make_service, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("line")]

NOBODY = "No worker has been heard from seoul. Start one with: python manage.py portal worker --region seoul"


@pytest.fixture
def admin(administrator: User) -> Any:
    return api_client(administrator)


def region(client: Any, slug: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = client.get("/api/v1/regions/").json()["results"]
    return next(row for row in rows if row["slug"] == slug)


def body(**fields: Any) -> dict[str, Any]:
    target = str(make_service().target.pk)
    return {"target": target, "kind": "http", "config": {"url": "http://127.0.0.1:9/"}, **fields}


def test_making_a_region_nobody_serves_works_and_warns(admin: Any, line: Redis) -> None:
    answer = admin.post("/api/v1/regions/", {"slug": "seoul", "name": "Seoul"})
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["warnings"]) == ("never_heard", [NOBODY])
    url = f"/api/v1/regions/{answer.json()['id']}/"
    assert admin.patch(url, {"enabled": False}).json()["warnings"] == []
    speak(line, "seoul")
    answer = admin.patch(url, {"enabled": True})
    assert (answer.status_code, answer.json()["state"], answer.json()["warnings"]) == (200, "working", [])


def test_a_list_says_what_is_heard(admin: Any, line: Redis) -> None:
    speak(line, "local", "first-7", in_flight=2, free_places=1_998, skew_seconds=3_600, late_ms_p99=12.5)
    row = region(admin, "local")
    assert (row["state"], row["version"], row["in_flight"], row["skew_seconds"]) == ("working", "0.1.0", 2, 3_600)
    assert (row["late_ms_p99"], row["queue_length"], row["line"], row["checks"]) == (12.5, 0, "unguarded", 0)
    assert row["last_heard_at"].endswith("Z")
    [worker] = row["workers"]
    assert (worker["name"], worker["free_places"], worker["key_differs"]) == ("first-7", 1_998, False)


@pytest.mark.usefixtures("away")
def test_without_a_broker_the_list_is_there_and_says_unknown(admin: Any) -> None:
    row = region(admin, "local")
    assert (row["state"], row["last_heard_at"], row["queue_length"], row["workers"]) == ("unknown", None, None, [])


def test_only_fields_that_are_asked_for_are_answered(admin: Any) -> None:
    assert admin.get("/api/v1/regions/?fields=slug,state").json()["results"] == [
        {"slug": "local", "state": "never_heard"}
    ]


def test_the_portal_s_own_region_cannot_be_removed(admin: Any) -> None:
    answer = admin.delete(f"/api/v1/regions/{Region.objects.get().pk}/")
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "The portal itself looks from here; its region cannot be removed."},
    )


def test_whoever_rules_one_environment_reads_regions_and_writes_none(production: Environment) -> None:
    client = api_client(make_user("admin", production))
    assert region(client, "local")["slug"] == "local"
    assert client.post("/api/v1/regions/", {"slug": "seoul", "name": "Seoul"}).status_code == 403


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"slug": "a b", "name": "X"}, "slug"),
        ({"slug": "local", "name": "X"}, "slug"),
        ({"slug": "x"}, "name"),
        ({"slug": "x", "name": "X", "state": "working", "other": 1}, "other"),
    ],
)
def test_bad_input_is_said_at_its_field(admin: Any, sent: dict[str, Any], field: str) -> None:
    answer = admin.post("/api/v1/regions/", sent)
    assert answer.status_code == 400
    assert field in answer.json()


def test_a_check_is_looked_at_from_the_regions_it_names(admin: Any) -> None:
    Region.objects.create(slug="seoul", name="Seoul")
    answer = admin.post("/api/v1/checks/", body(regions=["seoul"]))
    assert (answer.status_code, answer.json()["regions"], answer.json()["warnings"]) == (201, ["seoul"], [NOBODY])
    url = f"/api/v1/checks/{answer.json()['id']}/"
    assert [row["region"] for row in admin.get(f"{url}regions/").json()] == ["seoul"]
    assert admin.patch(url, {"name": "Other"}).json()["regions"] == ["seoul"]
    assert admin.patch(url, {"regions": []}).json()["regions"] == []
    assert [row["region"] for row in admin.get(f"{url}regions/").json()] == ["local", "seoul"]


def test_an_unknown_region_is_refused_with_those_there_are(admin: Any) -> None:
    answer = admin.post("/api/v1/checks/", body(regions=["local", "atlantis"]))
    assert answer.status_code == 400
    assert answer.json() == {"regions": ["There is no region “atlantis”; known are local."]}


@pytest.mark.parametrize("regions", ["local", {"slug": "local"}, [5.5, None], ["x" * 40], ["local"] * 200])
def test_regions_of_another_shape_are_refused(admin: Any, regions: Any) -> None:
    answer = admin.post("/api/v1/checks/", body(regions=regions))
    assert answer.status_code == 400
    assert {field.partition(".")[0] for field in answer.json()} == {"regions"}


def test_a_quorum_nobody_can_reach_is_refused(admin: Any) -> None:
    Region.objects.create(slug="seoul", name="Seoul")
    answer = admin.post("/api/v1/checks/", body(regions=["local", "seoul"], quorum=3))
    assert answer.status_code == 400
    assert answer.json() == {"quorum": ["Only 2 regions look at it: enter at most that."]}
    made = admin.post("/api/v1/checks/", body(regions=["local", "seoul"], quorum=2)).json()
    answer = admin.patch(f"/api/v1/checks/{made['id']}/", {"regions": ["local"]})
    assert answer.json() == {"quorum": ["Only 1 region looks at it: enter at most that."]}


def test_a_quorum_larger_than_all_the_regions_is_refused_where_none_is_named(admin: Any) -> None:
    answer = admin.post("/api/v1/checks/", body(quorum=5))
    assert (answer.status_code, answer.json()) == (400, {"quorum": ["Only 1 region looks at it: enter at most that."]})
    Region.objects.create(slug="seoul", name="Seoul")
    made = admin.post("/api/v1/checks/", body(quorum=2)).json()
    assert made["quorum"] == 2
    Region.objects.filter(slug="seoul").update(enabled=False)
    assert admin.patch(f"/api/v1/checks/{made['id']}/", {"name": "Other"}).status_code == 200


def test_a_heartbeat_has_no_regions_to_choose(admin: Any) -> None:
    sent = body(regions=["local"], kind="heartbeat", config={"period_seconds": 60, "grace_seconds": 60})
    answer = admin.post("/api/v1/checks/", sent)
    assert (answer.status_code, list(answer.json())) == (400, ["regions"])


def test_the_regions_of_a_check_are_as_hidden_as_the_check(production: Environment, development: Environment) -> None:
    check = make_check(make_service(environment=production).target)
    url = f"/api/v1/checks/{check.pk}/regions/"
    assert api_client(make_user("viewer", development)).get(url).status_code == 404
    [row] = api_client(make_user("viewer", production)).get(url).json()
    assert (row["region"], row["name"], row["verdict"], row["in_quorum"]) == ("local", "Local", "unknown", False)
    assert (row["sentence"], row["last_state"], row["line"]) == ("Nothing was measured yet.", None, "unguarded")
