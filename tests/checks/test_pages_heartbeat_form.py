"""The form of a heartbeat: what it asks, what it leaves out, and what it says of wrong schedules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.catalog.models import Target
from apps.checks.models import Check, Heartbeat
from apps.core import clock
from tests.checks.test_pages_forms import address, errors_at
from tests.checks.test_pages_regions import add_region
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_service

pytestmark = pytest.mark.django_db

GOOD = {
    "name": "Nightly backup",
    "failure_threshold": "1",
    "recovery_threshold": "1",
    "affects_status": "on",
    "enabled": "on",
    "slug": "",
    "config.period_seconds": "1",
    "config.period_seconds_unit": "day",
    "config.grace_seconds": "1",
    "config.grace_seconds_unit": "hour",
    "config.cron": "",
    "config.timezone": "UTC",
    "action": "save",
}


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def target(db: None) -> Target:
    return make_service("Backup").target


def test_what_says_how_to_look_is_not_asked(page: Client, target: Target) -> None:
    add_region("seoul")
    content = page.get(address(target, "heartbeat")).content.decode()
    for name in ("interval_seconds", "timeout_seconds", "retry_interval_seconds", "degraded_after_ms", "quorum"):
        assert f'name="{name}"' not in content
    assert "only_regions" not in content
    assert 'value="try"' not in content
    assert 'name="failure_threshold" value="1"' in content
    assert '<option value="day" selected>' in content
    assert "waits for a program" in content.lower()


def test_a_heartbeat_is_made_and_its_page_says_how_to_ping_it(page: Client, target: Target) -> None:
    reply = page.post(address(target, "heartbeat"), GOOD, follow=True)
    check = Check.objects.get()
    assert reply.redirect_chain[-1][0] == check.get_absolute_url()
    assert (check.config["period_seconds"], check.config["grace_seconds"]) == (86_400, 3_600)
    text = text_of(reply.content)
    assert "Nightly backup was added and waits for its first ping." in text
    assert "Paste one of the lines below into your job" in text


def test_lengths_and_the_short_name_come_back_as_they_were_entered(page: Client, target: Target) -> None:
    values = {**GOOD, "config.period_seconds": "90", "config.period_seconds_unit": "minute", "slug": "nightly"}
    page.post(address(target, "heartbeat"), values)
    check = Check.objects.get()
    assert check.config["period_seconds"] == 5_400
    assert Heartbeat.objects.get().slug == "nightly"
    content = page.get(f"{check.get_absolute_url()}edit/").content.decode()
    assert 'name="config.period_seconds" value="90"' in content
    assert '<option value="minute" selected>' in content
    assert 'name="slug" value="nightly"' in content
    reply = page.post(f"{check.get_absolute_url()}edit/", {**values, "slug": "weekly"})
    assert reply.status_code == 302
    assert Heartbeat.objects.get().slug == "weekly"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"config.cron": "every day"}, "config.cron", "Enter five fields"),
        ({"config.cron": "0 25 * * *"}, "config.cron", "the hour (second field, 0 to 23)"),
        ({"config.cron": "0 0 30 2 *"}, "config.cron", "This never fires"),
        ({"config.cron": "* * * * *"}, "config.cron", "This fires constantly"),
        ({"config.cron": "0 3 * * *", "config.timezone": "Asia/Soul"}, "config.timezone", "There is no such time zone"),
        ({"config.period_seconds": "0"}, "config.period_seconds", "Enter a time from 1 second to 365 days."),
        ({"config.period_seconds": "400"}, "config.period_seconds", "Enter a time from 1 second to 365 days."),
        ({"config.grace_seconds": "soon"}, "config.grace_seconds", "Enter a number."),
        ({"config.grace_seconds_unit": "fortnight"}, "config.grace_seconds", "fortnight"),
        ({"slug": "No Spaces"}, "slug", "nightly-backup"),
    ],
)
def test_wrong_schedules_are_said_at_their_field(
    page: Client, target: Target, change: dict[str, str], field: str, sentence: str
) -> None:
    reply = page.post(address(target, "heartbeat"), {**GOOD, **change})
    assert reply.status_code == 400
    assert not Check.objects.exists()
    content = reply.content.decode().replace(f'name="{field}_unit"', "")
    assert sentence in errors_at(content, field)


def test_the_form_begins_in_the_zone_of_whoever_fills_it_in(page: Client, target: Target, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(time_zone="Asia/Seoul")
    content = page.get(address(target, "heartbeat")).content.decode()
    assert 'name="config.timezone" value="Asia/Seoul"' in content
    assert '<option value="Europe/Berlin">' in content


# --- The moments that follow ------------------------------------------------------------------------------------


def test_the_next_moments_are_shown_in_the_zone_of_the_reader(page: Client, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(time_zone="Asia/Seoul")
    query = {"config.cron": "0 3 * * *", "config.timezone": "UTC", "config.grace_seconds": "1800"}
    with clock.frozen(datetime(2026, 11, 21, 5, tzinfo=UTC)):
        text = text_of(page.get("/checks/schedule/", query).content)
    assert "The next 3 pings are expected" in text
    assert "22 Nov 2026, 12:00:00 KST 23 Nov 2026, 12:00:00 KST 24 Nov 2026, 12:00:00 KST" in text
    assert "Each counts as missed when nothing was heard 30 minutes later." in text


def test_a_period_counts_from_a_ping(page: Client) -> None:
    query = {"config.period_seconds": "2", "config.period_seconds_unit": "hour"}
    with clock.frozen(datetime(2026, 11, 21, 5, tzinfo=UTC)):
        text = text_of(page.get("/checks/schedule/", query).content)
    assert "If a ping came now, the next 3 are expected 21 Nov 2026, 07:00:00 UTC 21 Nov 2026, 09:00:00 UTC" in text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"config.cron": "nonsense"}, "Enter five fields"),
        ({"config.cron": "0 3 * * *", "config.timezone": "Mars/Olympus"}, "There is no such time zone"),
        ({"config.cron": HOSTILE}, "Enter five fields"),
        ({"config.period_seconds": "9" * 400}, "Enter a"),
        ({"config.cron": "x" * 101}, "at most 100 characters"),
    ],
)
def test_what_has_no_moments_says_why(page: Client, query: dict[str, str], sentence: str) -> None:
    reply = page.get("/checks/schedule/", query)
    assert reply.status_code == 200
    assert sentence in text_of(reply.content)
    assert "<script>" not in reply.content.decode()


def test_the_moments_are_for_people_who_are_signed_in(client: Client) -> None:
    assert client.get("/checks/schedule/").status_code == 302
