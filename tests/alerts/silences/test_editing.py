"""Silences that are edited: the end and the comment in place, what is hushed by another silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import AlertGroup, GroupMember, Silence
from apps.catalog.models import Environment
from apps.core import clock
from tests.alerts.filling import browser, condition, hush, text
from tests.alerts.register.opening import channel_for_people, open_alert
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/silences/"
SHOP = [{"label": "tag", "operator": "=", "value": "shop"}]
STOCK = [{"label": "tag", "operator": "=", "value": "stock"}]


def in_hours(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def make(client: Any, **changes: Any) -> dict[str, Any]:
    answer = client.post(URL, {"matchers": SHOP, "ends_at": in_hours(2), "comment": "Moving", **changes}, format="json")
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


@pytest.fixture
def held_group() -> AlertGroup:
    """A group of an alert that a silence holds for an hour."""
    silence = hush()
    alert = open_alert(make_service("Shop").target)
    group = AlertGroup.objects.create(
        channel=channel_for_people(), mode=AlertGroup.Mode.GROUP, key=str(alert.pk), due_at=silence.ends_at
    )
    GroupMember.objects.create(group=group, alert=alert, decided=f"held silenced {silence.pk}")
    return group


def test_the_end_and_the_comment_are_edited_in_place(operator: User) -> None:
    client = api_client(operator)
    made = make(client)
    later = in_hours(5)
    edited = client.patch(f"{URL}{made['id']}/", {"ends_at": later, "comment": " Takes longer "}, format="json")
    assert edited.status_code == 200, edited.json()
    body = edited.json()
    assert (body["id"], body["comment"], body["starts_at"]) == (made["id"], "Takes longer", made["starts_at"])
    assert datetime.fromisoformat(body["ends_at"]) == datetime.fromisoformat(later)
    entry = AuditEntry.objects.get(action="update", object_type="silence", actor=operator)
    assert set(entry.changes) == {"ends_at", "comment"}
    assert client.patch(f"{URL}{made['id']}/", client.get(f"{URL}{made['id']}/").json(), format="json").json() == body
    assert AuditEntry.objects.filter(action="update").count() == 1, "sending back what was read changes nothing"


def test_other_matchers_are_another_silence_once_it_has_begun(operator: User) -> None:
    client = api_client(operator)
    made = make(client)
    answer = client.patch(f"{URL}{made['id']}/", {"matchers": STOCK}, format="json").json()
    assert answer["id"] != made["id"] and (answer["matchers"], answer["state"]) == (STOCK, "active")
    assert (answer["ends_at"], answer["comment"]) == (made["ends_at"], made["comment"])
    old = client.get(f"{URL}{made['id']}/").json()
    assert (old["state"], old["matchers"]) == ("ended", SHOP), "what was hushed stays readable"


def test_one_that_is_to_come_is_edited_whole(operator: User) -> None:
    client = api_client(operator)
    made = make(client, starts_at=in_hours(1))
    change = {"matchers": STOCK, "environment": "prod", "starts_at": in_hours(1.5), "ends_at": in_hours(3)}
    answer = client.patch(f"{URL}{made['id']}/", change, format="json").json()
    assert (answer["id"], answer["matchers"], answer["environment"]) == (made["id"], STOCK, "prod")
    assert Silence.objects.count() == 1
    entry = AuditEntry.objects.get(action="update", object_type="silence")
    assert entry.changes["environment"][0] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": "2099-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2099-01-01T00:00:00Z"}, "starts_at"),
        ({"comment": " "}, "comment"),
        ({"matchers": []}, "matchers"),
        ({"matchers": [{"label": "tag", "operator": "=", "value": ""}]}, "matchers.0.value"),
        ({"environment": "moon"}, "environment"),
        ({"id": 1, "colour": "red"}, "colour"),
    ],
)
def test_a_mistake_changes_nothing(operator: User, change: dict[str, Any], field: str) -> None:
    client = api_client(operator)
    made = make(client)
    answer = client.patch(f"{URL}{made['id']}/", change, format="json")
    assert (answer.status_code, field in answer.json()) == (400, True), answer.json()
    assert client.get(f"{URL}{made['id']}/").json() == made


def test_one_that_has_ended_stays_as_it_was(operator: User) -> None:
    client = api_client(operator)
    made = make(client)
    client.delete(f"{URL}{made['id']}/")
    refused = client.patch(f"{URL}{made['id']}/", {"ends_at": in_hours(9)}, format="json")
    assert refused.status_code == 409 and "has ended" in refused.json()["detail"]
    silence = Silence.objects.get()
    page = browser(operator)
    for way in ("edit", "extend"):
        answered = page.post(f"{silence.get_absolute_url()}{way}/", _form(comment="x"), follow=True)
        assert "This silence has ended. Set another one like it." in text(answered)
    assert Silence.objects.get().ends_at == silence.ends_at


def test_it_takes_an_operator_of_where_it_is_and_of_where_it_goes(development: Environment, viewer: User) -> None:
    silence = hush()
    of_development = make_user(Role.OPERATOR, development)
    own = hush(environment=development, comment="Own")
    client = api_client(of_development)
    assert client.patch(f"{URL}{silence.pk}/", {"comment": "Mine"}, format="json").status_code == 403
    assert client.patch(f"{URL}{own.pk}/", {"environment": None}, format="json").status_code == 403
    assert client.patch(f"{URL}{own.pk}/", {"comment": "Mine"}, format="json").status_code == 200
    page = browser(viewer)
    for way in ("edit", "extend"):
        assert page.post(f"{silence.get_absolute_url()}{way}/").status_code == 403
    assert "Extend by" not in text(page.get(silence.get_absolute_url()))


def test_the_groups_it_holds_are_looked_at_at_once(operator: User, held_group: AlertGroup) -> None:
    silence = Silence.objects.get()
    client = api_client(operator)
    assert held_group.due_at is not None and held_group.due_at > clock.now() + timedelta(minutes=30)
    client.patch(f"{URL}{silence.pk}/", {"ends_at": in_hours(0.2)}, format="json")
    held_group.refresh_from_db()
    assert held_group.due_at is not None and held_group.due_at <= clock.now()


def test_one_whose_conditions_are_refused_today_is_extended_and_its_comment_changed(operator: User) -> None:
    """Before, a condition could be left without a value."""
    silence = hush()
    Silence.objects.update(matchers=[{"label": "provider", "operator": "=", "value": ""}])
    client = browser(operator)
    assert client.get(f"/alerts/silences/new/?like={silence.pk}").status_code == 200
    client.post(f"{silence.get_absolute_url()}extend/")
    answer = api_client(operator).patch(f"{URL}{silence.pk}/", {"comment": "Longer"}, format="json")
    assert answer.status_code == 200, answer.json()
    saved = Silence.objects.get()
    assert (saved.comment, saved.ends_at) == ("Longer", silence.ends_at + timedelta(hours=1))


# --- On the page ------------------------------------------------------------------------------------------


def _form(**changes: str) -> dict[str, str]:
    return {
        **condition(0, "target", "Shop"),
        "length": "14400",
        "comment": "Moving house",
        "environment": "",
        **changes,
    }


def test_the_page_extends_by_an_hour_and_edits(operator: User) -> None:
    silence = hush()
    client = browser(operator)
    page = text(client.get(silence.get_absolute_url()))
    assert "Extend by 1 h" in page and f"{silence.get_absolute_url()}edit/" in page
    for hours in (1, 2):
        client.post(f"{silence.get_absolute_url()}extend/")
        assert Silence.objects.get().ends_at == silence.ends_at + timedelta(hours=hours)
    form = text(client.get(f"{silence.get_absolute_url()}edit/"))
    assert 'value="Moving house"' in form and 'name="starts_at"' not in form
    assert client.post(f"{silence.get_absolute_url()}edit/", _form(comment="Nearly done")).status_code == 302
    saved = Silence.objects.get()
    assert saved.comment == "Nearly done"
    assert timedelta(hours=3, minutes=59) < saved.ends_at - clock.now() <= timedelta(hours=4)


def test_a_comment_is_edited_and_the_end_stays_to_the_second(operator: User) -> None:
    silence = hush()
    until = silence.ends_at.strftime("%Y-%m-%dT%H:%M")
    changed = _form(length="until", ends_at=until, comment="Other words")
    assert browser(operator).post(f"{silence.get_absolute_url()}edit/", changed).status_code == 302
    saved = Silence.objects.get()
    assert (saved.comment, saved.ends_at) == ("Other words", silence.ends_at)


def test_the_form_shows_what_other_conditions_would_hush_and_says_that_another_takes_its_place(
    operator: User,
) -> None:
    silence = hush()
    address = f"{silence.get_absolute_url()}edit/"
    client = browser(operator)
    other = _form(**{"matchers-0-value": "Stock"})
    looked = client.post(address, {**other, "action": "preview"}, HTTP_HX_REQUEST="true")
    assert "No target matches" in text(looked) and Silence.objects.count() == 1
    answered = client.post(address, other, follow=True)
    assert "this one goes on from now" in text(answered)
    assert sorted(one.matchers[0]["value"] for one in Silence.objects.all()) == ["Shop", "Stock"]
    refused = client.post(f"{Silence.objects.order_by('-pk')[0].get_absolute_url()}edit/", _form(comment=""))
    assert refused.status_code == 400 and "This field is required" in text(refused)
