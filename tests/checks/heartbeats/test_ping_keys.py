"""Ping keys, and heartbeats made by a ping."""

from __future__ import annotations

import re
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.accounts.models import AuditEntry, User
from apps.catalog.models import Environment, Service
from apps.checks.heartbeats import services
from apps.checks.models import Check, Heartbeat, PingKey
from apps.checks.services import delete_check
from apps.core.secrets import MASK, digest
from tests.checks.heartbeats.telling import heartbeat_of, make_heartbeat
from tests.factories import api_client, make_check, make_environment, make_service, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/ping-keys/"


def test_a_key_is_stored_sealed_and_found_by_its_digest(production: Environment) -> None:
    key, plain = services.open_ping_key(actor=None, environment=production)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", plain)
    assert PingKey.objects.get(digest=digest(plain)) == key
    assert plain not in key.sealed
    services.close_ping_key(actor=None, key=key)
    services.close_ping_key(actor=None, key=key)
    assert PingKey.objects.get().closed_at is not None
    assert list(AuditEntry.objects.filter(object_id=key.pk).order_by("id").values_list("action", flat=True)) == [
        "create",
        "close",
    ]


def test_an_administrator_opens_rotates_and_closes_keys(production: Environment) -> None:
    admin = api_client(make_user("admin", production))
    made = admin.post(URL, {"environment": "prod"}, format="json")
    assert made.status_code == 201
    rotated = admin.post(f"{URL}{made.json()['id']}/rotate/")
    assert rotated.status_code == 201
    assert rotated.json()["key"] not in (MASK, made.json()["key"])
    rows = {row["id"]: row for row in admin.get(URL).json()["results"]}
    assert rows[made.json()["id"]]["closed_at"] is not None
    assert rows[rotated.json()["id"]]["closed_at"] is None
    assert admin.delete(f"{URL}{rotated.json()['id']}/").status_code == 204
    assert not PingKey.objects.filter(closed_at__isnull=True).exists()


def test_others_see_that_there_is_a_key_and_not_which(operator: User, production: Environment) -> None:
    _key, plain = services.open_ping_key(actor=None, environment=production)
    answer = api_client(operator).get(URL)
    assert answer.json()["results"][0]["key"] == MASK
    assert plain not in answer.content.decode()


def test_the_newest_open_key_is_in_the_address_by_short_name(operator: User, production: Environment) -> None:
    check = make_heartbeat(make_service("Nightly").target)
    services.open_ping_key(actor=None, environment=make_environment("dev"))
    old, _plain = services.open_ping_key(actor=None, environment=production)
    new, plain = services.open_ping_key(actor=None, environment=production)
    url = f"/api/v1/heartbeats/{check.pk}/"
    assert api_client(operator).get(url).json()["slug_url"].endswith(f"/ping/{plain}/nightly")
    for key in (old, new):
        services.close_ping_key(actor=None, key=key)
    assert api_client(operator).get(url).json()["slug_url"] is None


def test_an_environment_has_only_so_many_open_keys(production: Environment) -> None:
    for _ in range(services.MOST_OPEN_KEYS):
        services.open_ping_key(actor=None, environment=production)
    with pytest.raises(ValidationError, match="close one"):
        services.open_ping_key(actor=None, environment=production)


# --- Short names ----------------------------------------------------------------------------------------------


def test_short_names_come_from_the_target_and_are_unique_where_we_make_them(production: Environment) -> None:
    target = make_service("Nightly Backup").target
    first, second = make_heartbeat(target), make_heartbeat(target, name="Second")
    third = make_heartbeat(make_service("nightly-backup").target)
    elsewhere = make_heartbeat(make_service("Nightly Backup", environment=make_environment("dev")).target)
    assert heartbeat_of(first).slug == "nightly-backup"
    assert heartbeat_of(second).slug == "nightly-backup-second"
    assert heartbeat_of(third).slug == "nightly-backup-heartbeat"
    assert heartbeat_of(elsewhere).slug == "nightly-backup"


def test_a_name_without_a_latin_letter_still_gets_a_short_name() -> None:
    slugs = {heartbeat_of(make_heartbeat(make_service(name).target)).slug for name in ("백업", "보고서")}
    assert len(slugs) == 2
    assert all(re.fullmatch(r"heartbeat-[0-9a-f]{8}", slug) for slug in slugs)


def test_a_very_long_name_gives_short_names_that_fit() -> None:
    target = make_service("x" * 200).target
    slugs = [heartbeat_of(make_heartbeat(target, name=f"Number {number}")).slug for number in range(4)]
    assert len(set(slugs)) == 4
    assert all(len(slug) <= 100 for slug in slugs)


# --- Made by a ping -------------------------------------------------------------------------------------------


def test_a_ping_makes_a_service_and_its_heartbeat(production: Environment) -> None:
    identifier = services.create_by_slug(environment_id=production.pk, slug="db-dump")
    check = Check.objects.select_related("target").get(pk=identifier)
    assert (check.target.name, check.target.environment_id, check.kind) == ("db-dump", production.pk, "heartbeat")
    heartbeat = heartbeat_of(check)
    assert (heartbeat.slug, heartbeat.made_by_ping) == ("db-dump", True)
    assert AuditEntry.objects.filter(object_id=identifier, action="create").exists()
    assert services.create_by_slug(environment_id=production.pk, slug="db-dump") == identifier


def test_one_that_is_there_is_found_and_a_removed_one_is_made_anew(production: Environment) -> None:
    check = make_heartbeat(slug="mine")
    assert services.create_by_slug(environment_id=production.pk, slug="mine") == check.pk
    delete_check(actor=None, check=check)
    assert services.create_by_slug(environment_id=production.pk, slug="mine") != check.pk
    other = services.create_by_slug(environment_id=make_environment("dev").pk, slug="mine")
    assert Check.objects.get(pk=other).target.environment.slug == "dev"


def test_a_service_of_that_name_gets_the_heartbeat(production: Environment) -> None:
    target = make_service("DB-dump").target
    make_check(target, name="heartbeat")
    make_check(target, name="db-DUMP")
    check = Check.objects.get(pk=services.create_by_slug(environment_id=production.pk, slug="db-dump"))
    assert (check.target_id, check.name) == (target.pk, "db-dump 2")


@pytest.mark.parametrize("slug", ["", "Upper", "a b", "a/b", "é", "x" * 101, "a\n"])
def test_what_is_no_short_name_makes_nothing(production: Environment, slug: str) -> None:
    with pytest.raises(ValidationError) as caught:
        services.create_by_slug(environment_id=production.pk, slug=slug)
    assert list(caught.value.message_dict) == ["slug"]
    assert not Check.objects.exists()


def test_pings_cannot_fill_the_portal(production: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_MADE_BY_PINGS", 2)
    first = services.create_by_slug(environment_id=production.pk, slug="a")
    services.create_by_slug(environment_id=production.pk, slug="b")
    make_heartbeat()
    with pytest.raises(ValidationError, match="2 heartbeats"):
        services.create_by_slug(environment_id=production.pk, slug="c")
    assert services.create_by_slug(environment_id=production.pk, slug="a") == first
    assert not Service.objects.filter(target__name="c").exists()


@pytest.mark.django_db(transaction=True)
def test_two_first_pings_at_once_make_one_heartbeat() -> None:
    production = make_environment("prod")
    made: list[object] = []

    def create() -> None:
        try:
            made.append(services.create_by_slug(environment_id=production.pk, slug="db-dump"))
        except Exception as error:  # told by the story's own thread
            made.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(made) == 4
    assert len(set(made)) == 1, made
    assert Heartbeat.objects.count() == 1
