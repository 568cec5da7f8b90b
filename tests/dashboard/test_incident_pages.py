"""Incidents: the list, the timeline of one, and what people do with it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.incidents import resolve_incident
from apps.checks.models import Check, Incident, IncidentEvent
from tests.alerts.world import deliver, make_channel
from tests.checks.looking import DEGRADED, FAILED, OK, look, make_check
from tests.dashboard.rendering import HOSTILE
from tests.dashboard.test_overview_page import text_of
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


@pytest.fixture
def broken(db: None) -> Check:
    check = make_check("Shop")
    look(check, OK, FAILED, FAILED)
    return check


@pytest.fixture
def incident(broken: Check) -> Incident:
    return Incident.objects.get()


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/incidents/{query}")
    assert answer.status_code == 200
    return re.findall(r'<tr id="incident-([^"]+)"', answer.content.decode())


# --- The list -------------------------------------------------------------------------------------------------


def test_open_ones_stand_first_then_the_latest(page: Client, incident: Incident) -> None:
    other = make_check("Mail")
    look(other, FAILED, FAILED, OK)
    over = Incident.objects.get(target=other.target)
    third = make_check("Queue")
    look(third, FAILED, FAILED)
    latest = Incident.objects.get(target=third.target)
    assert listed(page) == [str(latest.pk), str(incident.pk), str(over.pk)]


def test_filters_are_in_the_url(page: Client, incident: Incident, operator: User) -> None:
    slow = make_check("Slow")
    look(slow, DEGRADED, DEGRADED)
    slow_one = Incident.objects.get(target=slow.target)
    page.post(f"/incidents/{incident.pk}/acknowledge/")

    assert set(listed(page, "?state=open")) == {str(incident.pk), str(slow_one.pk)}
    assert listed(page, "?state=acknowledged") == [str(incident.pk)]
    assert listed(page, "?state=resolved") == []
    assert listed(page, "?severity=degraded") == [str(slow_one.pk)]
    assert listed(page, f"?target={slow.target_id}") == [str(slow_one.pk)]
    assert "Nothing matches these filters." in text_of(page.get("/incidents/?state=resolved").content)
    assert len(listed(page, "?state=nonsense&target=nonsense&cursor=nonsense")) == 2


def test_only_incidents_of_ones_environments_are_listed(
    client: Client, incident: Incident, development: Environment
) -> None:
    client.force_login(make_user("admin", development))
    assert listed(client) == []
    assert client.get(incident.get_absolute_url()).status_code == 404


def test_before_the_first_one_the_page_says_when_one_opens(page: Client) -> None:
    assert "opens by itself when a target is degraded or in outage" in text_of(page.get("/incidents/").content)


# --- One incident ---------------------------------------------------------------------------------------------


def test_the_page_says_why_since_when_and_who_has_it(page: Client, incident: Incident) -> None:
    shown = text_of(page.get(incident.get_absolute_url()).content)
    assert "Outage: Expected status 200, got 503." in shown
    assert "nobody has it yet" in shown
    assert "Opened as Outage: Expected status 200, got 503." in shown
    assert "Operational → then Outage" in shown


def test_somebody_acknowledges_it_and_everybody_sees_who(page: Client, incident: Incident, operator: User) -> None:
    answer = page.post(f"/incidents/{incident.pk}/acknowledge/", follow=True)
    shown = text_of(answer.content)
    assert f"{operator.username} has it" in shown
    assert f"Acknowledged by {operator.username}" in shown
    assert "/acknowledge/" not in answer.content.decode()


def test_a_script_that_acknowledges_stays_where_it_is(page: Client, incident: Incident) -> None:
    answer = page.post(f"/incidents/{incident.pk}/acknowledge/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (204, b"")
    incident.refresh_from_db()
    assert incident.acknowledged_at is not None


def test_acknowledging_a_resolved_one_says_that_there_is_nothing_left(
    page: Client, incident: Incident, operator: User
) -> None:
    resolve_incident(incident=incident, actor=operator, force=True)
    shown = text_of(page.post(f"/incidents/{incident.pk}/acknowledge/", follow=True).content)
    assert "there is nothing left to acknowledge" in shown


def test_a_note_stands_in_the_timeline_as_it_was_written(page: Client, incident: Incident) -> None:
    page.post(f"/incidents/{incident.pk}/notes/", {"text": f"Looking.\n{HOSTILE}"})
    shown = page.get(incident.get_absolute_url()).content.decode()
    assert "Looking.\n&quot;&gt;&lt;script&gt;" in shown
    assert "<script>alert(1)" not in shown


@pytest.mark.parametrize("text", ["", "   ", "nul\x00", "x" * 5_001])
def test_a_note_that_cannot_be_kept_is_an_error_at_its_field(page: Client, incident: Incident, text: str) -> None:
    answer = page.post(f"/incidents/{incident.pk}/notes/", {"text": text})
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    assert not IncidentEvent.objects.filter(kind="note").exists()


def test_resolving_while_it_still_fails_explains_and_asks_once_more(page: Client, incident: Incident) -> None:
    answer = page.post(f"/incidents/{incident.pk}/resolve/", follow=True)
    shown = text_of(answer.content)
    assert "Resolve although it still fails?" in shown
    assert "no new one opens until it was operational once" in shown
    incident.refresh_from_db()
    assert incident.resolved_at is None

    answer = page.post(f"/incidents/{incident.pk}/resolve/", {"force": "yes"}, follow=True)
    assert "Resolved by hand" in text_of(answer.content)
    incident.refresh_from_db()
    assert incident.holds_until_operational


def test_while_it_is_not_measured_the_page_says_since_when_and_it_resolves_at_once(
    page: Client, broken: Check, incident: Incident
) -> None:
    page.post(f"/targets/{broken.target_id}/switch/", {"enabled": "no"})
    shown = text_of(page.get(incident.get_absolute_url()).content)
    assert "Not measured since" in shown
    answer = page.post(f"/incidents/{incident.pk}/resolve/", follow=True)
    assert "Resolved by hand" in text_of(answer.content)


def test_the_one_before_is_linked(page: Client, broken: Check, incident: Incident) -> None:
    look(broken, OK, FAILED, FAILED)
    latest = Incident.objects.exclude(pk=incident.pk).get()
    assert latest.previous == incident
    shown = page.get(latest.get_absolute_url()).content.decode()
    assert f'href="{incident.get_absolute_url()}"' in shown
    assert "Resolved after" in text_of(page.get(incident.get_absolute_url()).content)


@pytest.mark.django_db(transaction=True)
def test_the_deliveries_that_told_of_it_are_counted_and_linked(client: Client, operator: User) -> None:
    make_channel("http://127.0.0.1:9/hook", name="On call")
    check = make_check("Shop")
    look(check, FAILED, FAILED)
    deliver()
    incident = Incident.objects.get()
    client.force_login(operator)
    shown = client.get(incident.get_absolute_url()).content.decode()
    assert "1 notification" in shown
    assert f"?incident={incident.pk}" in shown


def test_a_viewer_reads_and_gets_no_button(client: Client, viewer: User, incident: Incident) -> None:
    client.force_login(viewer)
    shown = client.get(incident.get_absolute_url()).content.decode()
    assert "Opened as Outage" in shown
    for action in ("acknowledge", "notes", "resolve"):
        assert f"/{action}/" not in shown
        assert client.post(f"/incidents/{incident.pk}/{action}/").status_code == 403


def test_in_the_list_only_who_may_is_offered_to_acknowledge(
    page: Client, viewer: User, operator: User, incident: Incident
) -> None:
    address = reverse("dashboard:incident-acknowledge", args=[incident.pk])
    assert address in page.get("/incidents/").content.decode()
    page.force_login(viewer)
    assert address not in page.get("/incidents/").content.decode()
    page.force_login(operator)
    page.post(address)
    assert address not in page.get("/incidents/").content.decode()


@pytest.mark.parametrize("action", ["acknowledge", "notes", "resolve"])
def test_steps_are_taken_by_post_with_a_token_only(operator: User, incident: Incident, action: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    address = f"/incidents/{incident.pk}/{action}/"
    looked = client.get(address)
    assert looked.status_code == 302 if action == "notes" else looked.status_code == 405
    assert client.post(address, {"text": "x"}).status_code == 403
    assert not incident.events.exclude(kind="opened").exists()


def test_an_incident_closed_by_hand_shows_how_its_target_stands(operator: User, incident: Incident) -> None:
    resolve_incident(incident=incident, actor=operator, force=True)
    client = Client()
    client.force_login(operator)
    shown = client.get(incident.get_absolute_url()).content.decode()
    assert "Resolved by hand" in shown
    assert '<span class="sr-only">Operational' not in shown
    assert ">Outage<" in shown


def test_an_incident_of_a_deleted_target_is_gone(page: Client, broken: Check, incident: Incident) -> None:
    page.post(f"/targets/{broken.target_id}/delete/")
    assert page.get(incident.get_absolute_url()).status_code == 404
    assert listed(page) == []
