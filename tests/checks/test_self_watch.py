"""The portal's own checks: made once, kept up to date, and no way into its database."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection

from apps.catalog.models import Region
from apps.catalog.services import create_service
from apps.checks import self_watch
from apps.checks.models import Check
from apps.checks.services import open_config
from tests.checks.looking import add_check


@pytest.mark.django_db
def test_every_part_is_watched_once() -> None:
    self_watch.create()
    assert set(Check.objects.values_list("portal_part", flat=True)) == {"web", "postgresql", "valkey", "worker"}


@pytest.mark.django_db
def test_its_servers_are_looked_at_from_its_own_region_only() -> None:
    Region.objects.create(slug="seoul", name="Seoul")
    self_watch.create()
    looked_at = Check.objects.values_list("portal_part", "only_regions__slug")
    assert set(looked_at) == {(part, "local") for part in ("web", "postgresql", "valkey", "worker")}


@pytest.mark.django_db
def test_a_check_that_cannot_be_refreshed_does_not_keep_the_portal_from_starting() -> None:
    self_watch.create()
    web = Check.objects.get(portal_part="web")
    Check.objects.filter(pk=web.pk).update(quorum=2, config={"url": "http://127.0.0.1:9/elsewhere"})
    self_watch.refresh()
    web.refresh_from_db()
    assert web.config["url"] == "http://127.0.0.1:9/elsewhere"


@pytest.mark.django_db
def test_a_check_of_somebodys_own_under_the_same_tag_is_left_alone() -> None:
    service = create_service(actor=None, name="Mine", tags=[self_watch.TAG])
    mine = add_check(service.target, config={"url": "http://127.0.0.1:9/mine"})
    self_watch.refresh()
    assert open_config(Check.objects.get(pk=mine.pk))["url"] == "http://127.0.0.1:9/mine"


@pytest.mark.django_db
def test_what_was_removed_does_not_come_back_and_the_rest_is_refreshed() -> None:
    self_watch.create()
    web = Check.objects.get(portal_part="web")
    Check.objects.filter(pk=web.pk).update(config={"url": "http://127.0.0.1:9/elsewhere"})
    Check.objects.filter(portal_part="valkey").delete()
    self_watch.refresh()
    web.refresh_from_db()
    assert web.config["url"].endswith("/healthz")
    assert not Check.objects.filter(portal_part="valkey").exists()


@pytest.mark.django_db(transaction=True)
def test_the_role_that_looks_at_postgresql_may_sign_in_and_nothing_else() -> None:
    self_watch.create()
    config = open_config(Check.objects.get(portal_part="postgresql"))
    assert config["user"] != connection.settings_dict["USER"]
    with psycopg.connect(
        host=config["host"],
        port=config["port"],
        dbname=config["database"],
        user=config["user"],
        password=config["password"],
        autocommit=True,
    ) as signed_in:
        assert signed_in.execute("SELECT 1").fetchone() == (1,)
        for forbidden in (
            "SELECT * FROM accounts_user",
            "SELECT pg_read_file('/etc/hostname')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "CREATE TABLE mine ()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                signed_in.execute(forbidden)
