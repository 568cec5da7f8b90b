"""Routes over REST: the order of siblings, what is inherited, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Route
from apps.catalog.models import Environment
from tests.alerts.register.opening import channel_for_machines
from tests.factories import api_client, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/routes/"
SHOP = [{"label": "tag", "operator": "=", "value": "shop"}]


def make(client: Any, name: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(URL, {"name": name, **fields})
    assert answer.status_code == 201, answer.json()
    route: dict[str, Any] = answer.json()
    return route


def order(client: Any) -> list[str]:
    return [row["name"] for row in client.get(URL).json()["results"]]


def test_a_route_holds_everything_it_was_given(administrator: User) -> None:
    client = api_client(administrator)
    pager = channel_for_machines()
    top = make(client, "All", channels=[str(pager.pk)])
    body = {
        "name": "Shop at work",
        "parent": top["id"],
        "matchers": SHOP,
        "channels": [str(pager.pk)],
        "group_by": ["environment", "tag"],
        "group_wait_seconds": 30,
        "group_interval_seconds": 300,
        "repeat_interval_seconds": 14_400,
        "continue_matching": True,
        "active_times": [{"days": [0, 1, 2, 3, 4], "start": "08:00", "end": "18:00"}],
        "time_zone": "Asia/Seoul",
        "enabled": True,
    }
    made = make(client, **body)
    assert {name: made[name] for name in body} == body
    assert client.get(f"{URL}{made['id']}/").json()["matchers"] == SHOP
    entry = AuditEntry.objects.get(object_id=made["id"], action="create")
    assert entry.changes["channels"] == [None, ["Pager"]]


def test_what_is_left_out_is_inherited(administrator: User) -> None:
    made = make(api_client(administrator), "All", channels=[str(channel_for_machines().pk)])
    assert (made["group_by"], made["group_wait_seconds"], made["matchers"]) == (None, None, [])
    assert (made["enabled"], made["continue_matching"], made["position"]) == (True, False, 0)


def test_a_condition_without_a_value_is_no_condition(administrator: User) -> None:
    client = api_client(administrator)
    for operator in ("=", "!=", "=~", "!~"):
        for value in ("", "  "):
            given = [*SHOP, {"label": "provider", "operator": operator, "value": value}]
            answer = client.post(URL, {"name": "Half", "matchers": given}, format="json")
            assert (answer.status_code, list(answer.json())) == (400, ["matchers.1.value"])
            assert "Enter a value" in answer.json()["matchers.1.value"][0]
    assert client.post(URL, {"name": "Half", "matchers": [{}]}, format="json").status_code == 400
    assert not Route.objects.exists()


def test_a_route_that_takes_everything_says_so_when_it_is_saved(administrator: User) -> None:
    client = api_client(administrator)
    pager = [str(channel_for_machines().pk)]
    made = make(client, "All", channels=pager)
    assert made["warnings"] == ["This route has no condition: it takes every alert that the routes before it leave."]
    inside = make(client, "Inside", parent=made["id"], channels=pager)
    assert inside["warnings"][0].startswith("This route has no condition: it takes every alert that “All” takes")
    narrowed = client.patch(f"{URL}{made['id']}/", {"matchers": SHOP}, format="json").json()
    assert not any("no condition" in warning for warning in narrowed["warnings"])
    renamed = client.patch(f"{URL}{inside['id']}/", {"name": "Within"}, format="json").json()
    assert not any("no condition" in warning for warning in renamed["warnings"])


def test_siblings_keep_the_order_they_are_put_in(administrator: User) -> None:
    client = api_client(administrator)
    first, _second, third = (make(client, name, matchers=SHOP) for name in ("A", "B", "C"))
    assert order(client) == ["A", "B", "C"]
    assert client.patch(f"{URL}{third['id']}/", {"position": 0}).status_code == 200
    assert order(client) == ["C", "A", "B"]
    make(client, "D", position=1, matchers=SHOP)
    assert order(client) == ["C", "D", "A", "B"]
    assert client.patch(f"{URL}{first['id']}/", {"position": 10_000}).json()["position"] == 3
    assert order(client) == ["C", "D", "B", "A"]


def test_a_route_moves_inside_another_with_all_it_holds(administrator: User) -> None:
    client = api_client(administrator)
    outer, inner = make(client, "Outer"), make(client, "Inner")
    below = make(client, "Below", parent=inner["id"])
    moved = client.patch(f"{URL}{inner['id']}/", {"parent": outer["id"]}).json()
    assert (moved["parent"], moved["position"]) == (outer["id"], 0)
    ring = client.patch(f"{URL}{outer['id']}/", {"parent": below["id"]})
    assert (ring.status_code, list(ring.json())) == (400, ["parent"])
    itself = client.patch(f"{URL}{outer['id']}/", {"parent": outer["id"]})
    assert itself.status_code == 400
    assert client.patch(f"{URL}{inner['id']}/", {"parent": None}).json()["parent"] is None


def test_no_more_than_eight_levels(administrator: User) -> None:
    client = api_client(administrator)
    parent = None
    for level in range(8):
        parent = make(client, f"Level {level + 1}", parent=parent)["id"]
    ninth = client.post(URL, {"name": "Level 9", "parent": parent})
    assert (ninth.status_code, list(ninth.json())) == (400, ["parent"])
    pair = make(client, "Two", parent=make(client, "One")["id"])
    seventh = Route.objects.get(name="Level 7")
    deep = client.patch(f"{URL}{pair['parent']}/", {"parent": str(seventh.pk)})
    assert deep.status_code == 400, "two levels do not fit below the seventh"


def test_no_more_than_five_hundred(administrator: User) -> None:
    Route.objects.bulk_create(Route(name=f"Route {number}", position=number) for number in range(500))
    refused = api_client(administrator).post(URL, {"name": "One more"})
    assert (refused.status_code, list(refused.json())) == (400, ["name"])
    assert Route.objects.count() == 500


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "a\r\nb"}, "name"),
        ({"parent": "0190e7a0-0000-7000-8000-000000000000"}, "parent"),
        ({"channels": ["0190e7a0-0000-7000-8000-000000000000"]}, "channels"),
        ({"matchers": "tag=shop"}, "matchers"),
        ({"matchers": [{"label": "colour", "operator": "=", "value": "red"}]}, "matchers.0.label"),
        ({"matchers": [{"label": "tag", "operator": "=~", "value": "("}]}, "matchers.0.value"),
        ({"matchers": [*SHOP, {"label": "tag", "operator": "like", "value": "x"}]}, "matchers.1.operator"),
        ({"group_by": ["environment", "colour"]}, "group_by.1"),
        ({"group_by": [{}]}, "group_by.0"),
        ({"group_by": "tag"}, "group_by"),
        ({"group_wait_seconds": -1}, "group_wait_seconds"),
        ({"group_interval_seconds": 0}, "group_interval_seconds"),
        ({"repeat_interval_seconds": 30}, "repeat_interval_seconds"),
        ({"repeat_interval_seconds": 10**9}, "repeat_interval_seconds"),
        ({"active_times": [{"days": [7], "start": "08:00", "end": "18:00"}]}, "active_times.0.days"),
        ({"active_times": [{"days": [1], "start": "8 o'clock", "end": "18:00"}]}, "active_times.0.start"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"position": -1}, "position"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_written(
    administrator: User, changes: dict[str, Any], field: str
) -> None:
    answer = api_client(administrator).post(URL, {"name": "Shop", **changes})
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Route.objects.exists()
    assert not AuditEntry.objects.filter(object_type="route").exists()


def test_only_an_administrator_of_everything_writes_and_every_reader_reads(
    administrator: User, production: Environment
) -> None:
    made = make(api_client(administrator), "All")
    for person in (make_user(Role.OPERATOR), make_user(Role.ADMIN, production)):
        client = api_client(person)
        assert client.get(f"{URL}{made['id']}/").status_code == 200
        assert client.post(URL, {"name": "B"}).status_code == 403
        assert client.patch(f"{URL}{made['id']}/", {"name": "B"}).status_code == 403
        assert client.delete(f"{URL}{made['id']}/").status_code == 403
    assert order(api_client(administrator)) == ["All"]


def test_channels_of_another_environment_are_not_named_to_who_may_not_see_them(
    administrator: User, production: Environment, development: Environment
) -> None:
    seen, hidden = channel_for_machines("Dev", development), channel_for_machines("Prod", production)
    made = make(api_client(administrator), "All", channels=[str(seen.pk), str(hidden.pk)])
    read = api_client(make_user(Role.VIEWER, development)).get(f"{URL}{made['id']}/").json()
    assert read["channels"] == [str(seen.pk)]


def test_deleting_takes_what_is_inside_and_is_written_down(administrator: User) -> None:
    client = api_client(administrator)
    top = make(client, "Top")
    make(client, "Inside", parent=top["id"])
    make(client, "Other")
    assert client.delete(f"{URL}{top['id']}/").status_code == 204
    assert order(client) == ["Other"]
    assert sorted(AuditEntry.objects.filter(action="delete").values_list("object_name", flat=True)) == ["Inside", "Top"]


def test_saving_what_is_there_already_changes_nothing(administrator: User) -> None:
    client = api_client(administrator)
    made = make(client, "All", channels=[str(channel_for_machines().pk)], matchers=SHOP)
    sent_back = {name: value for name, value in made.items() if name != "warnings"}
    answer = client.patch(f"{URL}{made['id']}/", sent_back)
    assert answer.status_code == 200
    assert not AuditEntry.objects.filter(object_id=made["id"], action="update").exists()
