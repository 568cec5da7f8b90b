"""What somebody is told on saving a route that will not do what one may expect of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.alerts.models import Route
from apps.alerts.routes.services import create_route, delete_route, move_route, update_route
from apps.alerts.routes.warnings import list_warnings
from apps.catalog.models import Environment
from tests.alerts.register.opening import channel_for_machines
from tests.factories import make_service

pytestmark = pytest.mark.django_db


def equals(label: str, value: str) -> dict[str, str]:
    return {"label": label, "operator": "=", "value": value}


def make(name: str, **fields: Any) -> tuple[Route, list[str]]:
    return create_route(actor=None, name=name, **fields)


def test_a_route_without_a_channel_says_how_many_targets_it_would_tell_nobody_of() -> None:
    for number in range(3):
        make_service(f"Shop {number}", tags=["shop"])
    make_service("Search")
    _route, warnings = make("Shop", matchers=[equals("tag", "shop")])
    assert warnings == ["This route reaches no channel: it would tell nobody of 3 targets."]
    _route, warnings = make("Nothing yet", matchers=[equals("tag", "none")])
    assert warnings == ["This route reaches no channel: it would tell nobody of 0 targets."]


def test_a_channel_of_the_route_above_is_enough() -> None:
    make_service(tags=["shop"])
    top, _warnings = make("All", channels=[channel_for_machines()])
    assert make("Shop", parent=top, matchers=[equals("tag", "shop")])[1] == []


def test_what_routes_inside_take_is_not_counted() -> None:
    make_service(tags=["shop"])
    make_service("Search")
    top, _warnings = make("All")
    make("Shop", parent=top, matchers=[equals("tag", "shop")], channels=[channel_for_machines()])
    [warning] = update_route(actor=None, route=top)[1]
    assert "1 target." in warning
    make("Rest", parent=top, channels=[channel_for_machines("Second")])
    assert update_route(actor=None, route=top)[1] == []


def test_what_an_earlier_route_takes_is_not_counted() -> None:
    make_service(tags=["shop"])
    make_service("Search")
    make("Shop", matchers=[equals("tag", "shop")], channels=[channel_for_machines()])
    [warning] = make("Rest")[1]
    assert "1 target." in warning


def test_a_route_for_some_alerts_of_a_target_counts_it() -> None:
    make_service()
    for matcher in (equals("severity", "info"), equals("cause", "certificate"), equals("rule", "Slow answers")):
        [warning] = make("Some", matchers=[matcher])[1]
        assert "1 target." in warning, matcher
        Route.objects.all().delete()


def test_a_route_with_hours_counts_as_in_its_hours() -> None:
    make_service()
    hours = [{"days": [day], "start": "03:00", "end": "03:01"} for day in range(7)]
    [warning] = make("Night", active_times=hours)[1]
    assert "1 target." in warning


def test_channels_that_are_off_or_elsewhere_reach_nobody(development: Environment) -> None:
    make_service()
    [warning] = make("Off", channels=[channel_for_machines("A", enabled=False)])[1]
    assert warning == "All channels of this route are switched off: it would tell nobody of 1 target."
    Route.objects.all().delete()
    [warning] = make("Elsewhere", channels=[channel_for_machines("B", development)])[1]
    assert "other environments only: it would tell nobody of 1 target" in warning
    Route.objects.all().delete()
    fitting = {"channels": [channel_for_machines("C", development)], "matchers": [equals("environment", "dev")]}
    assert make("Fitting", **fitting)[1] == []


def test_a_route_behind_one_that_takes_everything_is_never_reached() -> None:
    pager = channel_for_machines()
    first, _warnings = make("Everything", channels=[pager])
    second, warnings = make("Shop", matchers=[equals("tag", "shop")], channels=[pager])
    assert warnings == ["This route is never reached: “Everything” before it takes everything it would match."]
    [hides] = update_route(actor=None, route=first)[1]
    assert "“Shop”" in hides
    assert move_route(actor=None, route=second, parent=None, position=0)[1] == []


@pytest.mark.parametrize(
    "opening",
    [
        {"continue_matching": True},
        {"enabled": False},
        {"active_times": [{"days": [0], "start": "08:00", "end": "18:00"}]},
        {"matchers": [equals("tag", "search")]},
        {"matchers": [equals("tag", "shop"), equals("severity", "info")]},
    ],
)
def test_a_route_that_lets_something_through_hides_nothing(opening: dict[str, Any]) -> None:
    pager = channel_for_machines()
    make("First", channels=[pager], **opening)
    assert make("Shop", matchers=[equals("tag", "shop")], channels=[pager])[1] == []


def test_a_route_behind_one_with_some_of_its_conditions_is_never_reached_either() -> None:
    pager = channel_for_machines()
    make("Shop", channels=[pager], matchers=[equals("tag", "shop")])
    matchers = [equals("severity", "critical"), equals("tag", "shop")]
    [warning] = make("Shop, critical", channels=[pager], matchers=matchers)[1]
    assert "never reached" in warning


def test_a_channel_that_loses_its_last_route_hears_of_everything() -> None:
    pager, other = channel_for_machines(), channel_for_machines("Other")
    route, _warnings = make("All", channels=[pager])
    [said] = update_route(actor=None, route=route, channels=[other])[1]
    assert said == "The channel “Pager” is in no route any more, so it hears of everything now."
    assert update_route(actor=None, route=route, name="Everything")[1] == [], "that is known by now"
    assert delete_route(actor=None, route=route) == [said.replace("Pager", "Other")]


def test_the_warnings_of_all_routes_cost_the_same_whatever_their_number() -> None:
    make_service(tags=["shop"])
    counts = []
    for size in (1, 20):
        for number in range(size):
            make(f"Route {size}-{number}", matchers=[equals("tag", f"{size}-{number}")])
        with CaptureQueriesContext(connection) as queries:
            found = list_warnings()
        counts.append(len(queries))
    assert counts == [3, 3]
    assert len(found) == 21
