"""The pages of routes: the tree, editing it, and the question who would be told."""

from __future__ import annotations

import pytest

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Route
from apps.alerts.routes.services import create_route
from apps.catalog.models import Environment
from tests.alerts.filling import browser, condition, equals, hush, text
from tests.alerts.register.opening import channel_for_people
from tests.factories import make_service, make_user

pytestmark = pytest.mark.django_db

ROUTES = "/alerts/routes/"


# --- Routes -----------------------------------------------------------------------------------------------


def test_the_tree_shows_what_each_route_takes_and_what_it_has_from_above(viewer: User) -> None:
    top, _warnings = create_route(
        actor=None, name="Shop team", matchers=[equals("tag", "shop")], channels=[channel_for_people("Shop chat")]
    )
    create_route(actor=None, name="At night", parent=top, repeat_interval_seconds=7_200)
    page = text(browser(viewer).get(ROUTES))
    assert page.index("Shop team") < page.index("At night")
    assert "tag is shop" in page and "Shop chat" in page and "as the route above" in page
    assert "reminder after: 2 hours" in page and "reminder after: 4 hours" in page
    assert "Move up" not in page


def test_routes_are_made_moved_edited_and_deleted(administrator: User) -> None:
    channel = channel_for_people("Chat")
    client = browser(administrator)
    values = {
        "name": "First",
        "channels": str(channel.pk),
        "grouping": "labels",
        "group_by": ["provider", "environment"],
        "group_wait_seconds": "30",
        "group_wait_seconds_unit": "second",
        "time_zone": "Asia/Seoul",
        "enabled": "on",
        "active_times-0-days": ["0", "4"],
        "active_times-0-start": "08:00",
        "active_times-0-end": "18:00",
        **condition(0, "severity", "critical"),
    }
    assert client.post(f"{ROUTES}new/", values).status_code == 302
    first = Route.objects.get()
    assert first.group_by == ["provider", "environment"] and first.group_wait_seconds == 30
    assert first.active_times == [{"days": [0, 4], "start": "08:00", "end": "18:00"}]
    second, _warnings = create_route(actor=None, name="Second", channels=[channel])
    client.post(f"{ROUTES}{second.pk}/move/", {"direction": "up"})
    assert list(Route.objects.values_list("name", flat=True)) == ["Second", "First"]
    client.post(f"{ROUTES}{second.pk}/move/", {"direction": "up"})
    form = text(client.get(f"{ROUTES}{first.pk}/edit/"))
    assert 'value="critical"' in form and 'value="08:00"' in form
    client.post(f"{ROUTES}{first.pk}/edit/", {**values, "parent": str(second.pk), "grouping": "together"})
    first.refresh_from_db()
    assert first.parent == second and first.group_by == []
    client.post(f"{ROUTES}{second.pk}/delete/")
    assert not Route.objects.exists()


def test_a_route_that_reaches_nobody_is_saved_with_a_warning(administrator: User) -> None:
    make_service("Shop")
    values = {"name": "Nowhere", "grouping": "inherit", "time_zone": "UTC", "enabled": "on", "takes_everything": "on"}
    answered = browser(administrator).post(f"{ROUTES}new/", values, follow=True)
    assert "This route reaches no channel" in text(answered)


def test_a_route_without_a_condition_is_saved_once_somebody_says_that_it_takes_everything(administrator: User) -> None:
    client = browser(administrator)
    untouched = {"matchers-0-label": "", "matchers-0-operator": "=", "matchers-0-value": ""}
    values = {"name": "All", "grouping": "inherit", "time_zone": "UTC", "enabled": "on", **untouched}
    assert "takes_everything" not in text(client.get(f"{ROUTES}new/")), "asked only where it matters"
    answered = client.post(f"{ROUTES}new/", values)
    assert answered.status_code == 400 and not Route.objects.exists()
    assert "There is no condition, so this route takes every alert." in text(answered)
    assert client.post(f"{ROUTES}new/", {**values, "takes_everything": "on"}).status_code == 302
    route = Route.objects.get()
    assert route.matchers == []
    edited = text(client.get(f"{ROUTES}{route.pk}/edit/"))
    assert 'name="takes_everything"' in edited and "checked" in edited.split('name="takes_everything"')[1][:120]


@pytest.mark.parametrize("operator_chosen", ["=", "!=", "=~", "!~"])
def test_a_condition_without_a_value_is_marked_and_nothing_is_saved(administrator: User, operator_chosen: str) -> None:
    values = {"name": "All", "grouping": "inherit", "time_zone": "UTC", "takes_everything": "on"}
    typed = {**values, **condition(0, "severity", "critical"), **condition(1, "tag", " ", operator_chosen)}
    answered = browser(administrator).post(f"{ROUTES}new/", typed)
    assert answered.status_code == 400 and not Route.objects.exists()
    page = text(answered)
    assert "Enter a value." in page
    assert 'aria-invalid="true"' in page.split('name="matchers-1-value"')[1][:300]
    assert 'aria-invalid="true"' not in page.split('name="matchers-0-value"')[1][:300]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"time_zone": "Atlantis/Centre"}, "There is no time zone of this name"),
        ({"grouping": "labels"}, "Tick at least one label"),
        ({"active_times-0-start": "08:00"}, "List the days by number"),
        ({"matchers-0-label": "planet", "matchers-0-value": "x"}, "Choose one of"),
        ({"group_wait_seconds": "-1", "group_wait_seconds_unit": "hour"}, "Enter a time from"),
    ],
)
def test_what_is_wrong_with_a_route_stands_at_its_field(
    administrator: User, changes: dict[str, str], sentence: str
) -> None:
    typed = {"name": "Typed name", "grouping": "inherit", "time_zone": "UTC", **condition(1, "tag", "typed tag")}
    answered = browser(administrator).post(f"{ROUTES}new/", {**typed, **changes})
    assert answered.status_code == 400
    assert sentence in text(answered)
    assert 'value="typed tag"' in text(answered)
    assert not Route.objects.exists()


def test_only_administrators_of_everything_change_routes(operator: User, production: Environment) -> None:
    route, _warnings = create_route(actor=None, name="All", channels=[channel_for_people()])
    for person in (operator, make_user(Role.ADMIN, production)):
        client = browser(person)
        assert client.get(f"{ROUTES}new/").status_code == 403
        assert client.post(f"{ROUTES}{route.pk}/move/", {"direction": "up"}).status_code == 403
        assert client.post(f"{ROUTES}{route.pk}/delete/").status_code == 403


# --- Who would be told? -----------------------------------------------------------------------------------


def test_who_would_be_told_shows_the_way_the_channels_and_what_holds_it_now(viewer: User) -> None:
    create_route(
        actor=None, name="Critical", matchers=[equals("severity", "critical")], channels=[channel_for_people()]
    )
    make_service("Shop")
    hush()
    client = browser(viewer)
    page = text(client.get(ROUTES, {"target": "shop", "severity": "critical"}))
    assert "1 channel would be told" in page and "through the route Critical" in page
    assert "A silence holds it" in page
    assert "Nobody: no channel is reached." in text(client.get(ROUTES, {"target": "Shop", "severity": "warning"}))


def test_two_targets_of_one_name_are_told_apart(viewer: User, development: Environment) -> None:
    make_service("Shop")
    other = make_service("Shop", environment=development).target
    page = text(browser(viewer).get(ROUTES, {"target": "Shop", "severity": "info"}))
    assert f"?target={other.pk}&amp;severity=info#who" in page
    chosen = text(browser(viewer).get(ROUTES, {"target": str(other.pk), "severity": "info"}))
    assert "Nobody: no channel is reached." in chosen


@pytest.mark.parametrize("asked", [{"target": "Nothing"}, {"target": ""}, {"target": "Shop", "severity": "loud"}])
def test_a_question_that_cannot_be_answered_says_why(viewer: User, asked: dict[str, str]) -> None:
    make_service("Shop")
    answered = browser(viewer).get(ROUTES, {"severity": "critical", **asked})
    assert answered.status_code == 400
    assert 'class="error"' in text(answered)
