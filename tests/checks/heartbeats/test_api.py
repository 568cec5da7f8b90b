"""Heartbeats over REST: made, read, edited, their addresses and pings, and who sees what of them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Environment
from apps.checks.heartbeats.services import open_ping_key
from apps.checks.models import Check
from apps.core.secrets import MASK
from tests.checks.heartbeats.telling import hear, heartbeat_of, make_heartbeat, pings_of, status_of, tell
from tests.factories import api_client, make_check, make_service

pytestmark = pytest.mark.django_db
URL = "/api/v1/heartbeats/"


def post(user: User, **body: Any) -> Any:
    return api_client(user).post(URL, body, format="json")


def test_making_one_needs_a_target_and_gives_its_addresses(operator: User, settings: Any) -> None:
    settings.PORTAL_WEB_URL = "https://portal.example/"
    target = make_service("Nightly backup").target
    answer = post(operator, target=str(target.pk), period_seconds=3_600, grace_seconds=60)
    assert answer.status_code == 201, answer.content
    body, heartbeat = answer.json(), heartbeat_of(Check.objects.get())
    assert body["slug"] == "nightly-backup"
    assert body["ping_url"] == f"https://portal.example/ping/{heartbeat.ping_id}"
    assert body["push_url"] == f"https://portal.example/api/push/{heartbeat.push_token}"
    assert body["push_token"] == heartbeat.push_token
    assert body["gatus_path"] == "/api/v1/endpoints/prod_nightly-backup/external"
    assert body["slug_url"] is None
    assert (body["period_seconds"], body["grace_seconds"], body["cron"], body["timezone"]) == (3_600, 60, "", "UTC")
    assert (body["status"], body["reason"], body["enabled"]) == ("unknown", "not_measured", True)
    assert (body["last_ping_at"], body["expected_at"], body["deadline_at"], body["open_runs"]) == (None, None, None, [])
    assert Check.objects.get().failure_threshold == 1


def test_a_cron_expression_takes_the_place_of_the_period_and_back(operator: User) -> None:
    target = make_service().target
    made = post(operator, target=str(target.pk), cron="0 2 * * *", timezone="Asia/Seoul").json()
    assert (made["period_seconds"], made["cron"], made["timezone"]) == (None, "0 2 * * *", "Asia/Seoul")
    assert made["schedule"] == "0 2 * * * (Asia/Seoul), 1 hour of grace"
    client, url = api_client(operator), f"{URL}{made['id']}/"
    assert client.patch(url, made, format="json").json()["cron"] == "0 2 * * *"
    by_period = client.patch(url, {"period_seconds": 60}, format="json").json()
    assert (by_period["period_seconds"], by_period["cron"]) == (60, "")
    assert client.patch(url, {"cron": "30 4 * * *"}, format="json").json()["period_seconds"] is None


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"period_seconds": 0}, "period_seconds"),
    ({"period_seconds": 10**9}, "period_seconds"),
    ({"period_seconds": "often"}, "period_seconds"),
    ({"grace_seconds": 0}, "grace_seconds"),
    ({"grace_seconds": None}, "grace_seconds"),
    ({"cron": "0 0 30 2 *"}, "cron"),
    ({"cron": "* * * * *"}, "cron"),
    ({"cron": "* * * * * *"}, "cron"),
    ({"cron": "at noon"}, "cron"),
    ({"cron": "x" * 101}, "cron"),
    ({"cron": ["0 2 * * *"]}, "cron"),
    ({"cron": "0 2 * * *", "period_seconds": 60}, "period_seconds"),
    ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"timezone": ""}, "timezone"),
    ({"slug": "Two Words"}, "slug"),
    ({"slug": "UPPER"}, "slug"),
    ({"slug": ""}, "slug"),
    ({"slug": "x" * 101}, "slug"),
    ({"slug": "a/b"}, "slug"),
    ({"name": "a\r\nb" * 100}, "name"),
    ({"enabled": "perhaps"}, "enabled"),
    ({"colour": "red"}, "colour"),
    ({"target": "0190e7a0-0000-7000-8000-000000000000"}, "target"),
    ({"target": None}, "target"),
]


@pytest.mark.parametrize(("change", "field"), REFUSED, ids=[f"{field} {str(change)[:40]}" for change, field in REFUSED])
def test_bad_input_is_refused_on_its_field_and_nothing_is_stored(
    operator: User, change: dict[str, Any], field: str
) -> None:
    target = make_service().target
    answer = post(operator, **{"target": str(target.pk), **change})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()) == [field]
    assert all(message for message in answer.json()[field])
    assert not Check.objects.exists()


def test_an_edit_that_is_refused_changes_nothing(operator: User) -> None:
    check = make_heartbeat()
    url, before = f"{URL}{check.pk}/", api_client(operator).get(f"{URL}{check.pk}/").json()
    for body in ({"cron": "0 0 31 4 *"}, {"slug": "A b"}, {"target": str(make_service().pk)}):
        assert api_client(operator).patch(url, body, format="json").status_code == 400
    assert api_client(operator).get(url).json() == before


def test_its_name_slug_and_switch_can_be_edited(operator: User) -> None:
    check = make_heartbeat()
    body = {"name": "Nightly", "slug": "nightly_2", "enabled": False}
    answer = api_client(operator).patch(f"{URL}{check.pk}/", body, format="json").json()
    assert (answer["name"], answer["slug"], answer["enabled"]) == ("Nightly", "nightly_2", False)
    assert (answer["status"], answer["reason"]) == ("unknown", "paused")
    assert api_client(operator).get(f"{URL}?slug=nightly_2").json()["results"][0]["id"] == str(check.pk)
    assert AuditEntry.objects.filter(object_id=check.pk, changes__has_key="slug").exists()


def test_deleting_one_takes_it_out_of_every_list(operator: User) -> None:
    check = make_heartbeat()
    hear(check, "fail")
    assert api_client(operator).delete(f"{URL}{check.pk}/").status_code == 204
    assert api_client(operator).get(URL).json()["results"] == []
    assert api_client(operator).get(f"{URL}{check.pk}/pings/").status_code == 404
    assert status_of(check) == ("unknown", "not_measured")


def test_it_is_shown_with_what_was_heard_and_what_is_open(operator: User) -> None:
    check, run = make_heartbeat(), uuid4()
    hear(check, "success")
    hear(check, "start", run_id=run)
    body = api_client(operator).get(f"{URL}{check.pk}/").json()
    assert (body["status"], body["last_ping_kind"]) == ("operational", "start")
    assert body["last_ping_at"] < body["expected_at"] < body["deadline_at"]
    assert [open_run["run_id"] for open_run in body["open_runs"]] == [str(run)]


def test_viewers_see_no_address(viewer: User, operator: User, production: Environment) -> None:
    check = make_heartbeat()
    _key, plain = open_ping_key(actor=None, environment=production)
    heartbeat = heartbeat_of(check)
    secrets = {plain, str(heartbeat.ping_id), heartbeat.push_token}
    for path in (URL, f"{URL}{check.pk}/", "/api/v1/checks/", f"/api/v1/checks/{check.pk}/"):
        seen = api_client(viewer).get(path).content.decode()
        assert not [secret for secret in secrets if secret in seen]
        shown = api_client(operator).get(path).content.decode()
        assert not [secret for secret in secrets if secret not in shown]
    assert MASK in api_client(viewer).get(f"{URL}{check.pk}/").json()["ping_url"]


def test_a_check_of_this_kind_shows_the_same_fields_and_another_shows_none(operator: User) -> None:
    check, looking = make_heartbeat(), make_check()
    client = api_client(operator)
    alone, among = client.get(f"{URL}{check.pk}/").json(), client.get(f"/api/v1/checks/{check.pk}/").json()
    told = set(alone) - {"id", "target", "name", "status", "reason", "enabled"}
    assert {"ping_url", "period_seconds", "grace_seconds", "cron", "timezone", "slug", "deadline_at"} <= told
    assert {name: among[name] for name in told} == {name: alone[name] for name in told}
    assert not told & set(client.get(f"/api/v1/checks/{looking.pk}/").json())
    assert set(client.get(f"/api/v1/checks/{check.pk}/?fields=id,ping_url").json()) == {"id", "ping_url"}


def test_one_can_be_made_among_the_checks_too_and_one_failure_is_enough(operator: User) -> None:
    target = make_service("Report").target
    body = {"target": str(target.pk), "kind": "heartbeat", "config": {"cron": "0 6 * * 1-5"}}
    made = api_client(operator).post("/api/v1/checks/", body, format="json").json()
    assert (made["failure_threshold"], made["slug"], made["cron"]) == (1, "report", "0 6 * * 1-5")
    bad = api_client(operator).post("/api/v1/checks/", {**body, "name": "B", "config": {"cron": "0 6"}}, format="json")
    assert list(bad.json()) == ["config.cron"]


def test_it_cannot_be_run_because_it_is_heard(operator: User) -> None:
    answer = api_client(operator).post(f"/api/v1/checks/{make_heartbeat().pk}/run/")
    assert answer.status_code == 400
    assert "heard, not looked at" in str(answer.json())


def test_new_addresses_end_the_old_ones(operator: User) -> None:
    check = make_heartbeat()
    before = heartbeat_of(check)
    answer = api_client(operator).post(f"{URL}{check.pk}/rotate/")
    after = heartbeat_of(check)
    assert answer.json()["ping_url"].endswith(str(after.ping_id))
    assert (before.ping_id, before.push_token) != (after.ping_id, after.push_token)
    assert before.slug == after.slug
    assert AuditEntry.objects.filter(object_id=check.pk, action="rotate").exists()


def test_pings_are_paged_newest_first_without_bodies(operator: User) -> None:
    check = make_heartbeat()
    for number in range(5):
        hear(check, "log", body=b"x" * number, body_bytes=3, said_ms=float(number), user_agent="curl/8")
    page = api_client(operator).get(f"{URL}{check.pk}/pings/?limit=3").json()
    assert [ping["said_ms"] for ping in page["results"]] == [4, 3, 2]
    assert [ping["cut"] for ping in page["results"]] == [False, False, True]
    assert "body" not in page["results"][0]
    following = api_client(operator).get(page["next"]).json()
    assert [ping["said_ms"] for ping in following["results"]] == [1, 0]


def test_the_body_of_a_ping_is_for_operators(operator: User, viewer: User) -> None:
    check = make_heartbeat()
    tell(check, "fail", exit_status=2, body="<b>voll</b> \xff é".encode("latin-1"), run_id=uuid4(), method="POST")
    hear(check)
    url = f"{URL}{check.pk}/pings/{pings_of(check)[0].id}/"
    shown = api_client(operator).get(url).json()
    assert shown["body"].startswith("<b>voll</b>")
    assert (shown["kind"], shown["exit_status"], shown["method"]) == ("fail", 2, "POST")
    assert api_client(viewer).get(url).json()["body"] is None
    assert api_client(operator).get(f"{URL}{make_heartbeat().pk}/pings/{pings_of(check)[0].id}/").status_code == 404
    assert api_client(operator).get(f"{URL}{check.pk}/pings/{uuid4()}/").status_code == 404
