"""The tree of routes: who takes an alert, what is inherited, and how it is explained."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.matching import Matcher
from apps.alerts.routes.tree import MAX_DEPTH, RouteFacts, StepReason, Tree
from apps.alerts.times import TimeRange

# A Wednesday; nine in the evening in Seoul.
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
SHOP = {"environment": "prod", "severity": "critical", "tag": ["shop", "web"]}
OPS, SHOP_TEAM, EVERYBODY, NIGHT_DESK = (UUID(int=number) for number in (11, 12, 13, 14))
OFFICE = (TimeRange(frozenset(range(5)), time(9), time(18)),)


def route(number: int, *matchers: str, **fields: Any) -> RouteFacts:
    values: dict[str, Any] = {"position": number, "channels": (OPS,)}
    conditions = tuple(Matcher(*text.split(" ")) for text in matchers)
    return RouteFacts(UUID(int=number), f"route {number}", matchers=conditions, **{**values, **fields})


def found(routes: list[RouteFacts], labels: Any = SHOP, at: datetime = NOON, unrouted: Any = ()) -> list[int]:
    """The routes an alert goes to, by number; the implicit root is 0."""
    return [one.id.int if one.id else 0 for one in Tree(routes, unrouted).find(labels, at)]


INSIDE = UUID(int=1)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([], []),
        ([route(1)], [1]),
        ([route(1, "tag = shop"), route(2)], [1]),
        ([route(1, "tag = bank"), route(2)], [2]),
        ([route(1, "tag = shop", "severity = info"), route(2)], [2]),
        ([route(1, continue_matching=True), route(2)], [1, 2]),
        ([route(1, continue_matching=True), route(2), route(3)], [1, 2]),
        ([route(1, enabled=False), route(2)], [2]),
        ([route(1, position=5), route(2, position=4)], [2]),
        ([route(2, position=1), route(1, position=1)], [1]),
        # Inside one another: the deepest that matches.
        ([route(1), route(2, "tag = shop", parent=INSIDE)], [2]),
        ([route(1), route(2, "tag = bank", parent=INSIDE)], [1]),
        ([route(1, "tag = bank"), route(2, parent=INSIDE), route(3)], [3]),
        ([route(1, enabled=False), route(2, parent=INSIDE), route(3)], [3]),
        ([route(1), route(2, parent=INSIDE, continue_matching=True), route(3, parent=INSIDE), route(4)], [2, 3]),
        ([route(1, continue_matching=True), route(2, parent=INSIDE), route(3)], [2, 3]),
    ],
)
def test_the_first_that_matches_takes_it_and_the_deepest_inside_has_it(
    routes: list[RouteFacts], expected: list[int]
) -> None:
    assert found(routes) == expected


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("UTC", NOON, [1]),
        ("Asia/Seoul", NOON, [2]),
        ("UTC", datetime(2026, 7, 1, 18, 0, tzinfo=UTC), [2]),
        ("UTC", datetime(2026, 7, 4, 12, 0, tzinfo=UTC), [2]),
    ],
)
def test_a_route_outside_of_its_times_leaves_it_to_the_next(zone: str, at: datetime, expected: list[int]) -> None:
    assert found([route(1, active_times=OFFICE, time_zone=zone), route(2)], at=at) == expected


def test_channels_in_no_route_hear_everything_first() -> None:
    tree = Tree([route(1, "tag = bank")], [EVERYBODY])
    [root] = tree.find(SHOP, NOON)
    assert (root.id, root.channels, root.group_by) == (None, (EVERYBODY,), None)
    assert (root.group_wait_seconds, root.group_interval_seconds, root.repeat_interval_seconds) == (0, 60, 14_400)
    assert found([route(1)], unrouted=[EVERYBODY]) == [0, 1]


def test_a_channel_hears_of_one_alert_through_the_first_route_that_reaches_it() -> None:
    routes = [route(1, continue_matching=True), route(2, channels=(OPS, SHOP_TEAM))]
    assert [one.channels for one in Tree(routes, ()).find(SHOP, NOON)] == [(OPS,), (SHOP_TEAM,)]
    assert Tree(routes, ()).get(UUID(int=2)).channels == (OPS, SHOP_TEAM)


def test_what_is_empty_comes_from_the_route_it_is_inside_of() -> None:
    top = route(1, group_by=("environment",), group_wait_seconds=30, repeat_interval_seconds=600)
    middle = route(2, parent=UUID(int=1), channels=(), group_interval_seconds=300)
    bottom = route(3, parent=UUID(int=2), channels=(), group_by=(), group_wait_seconds=0)
    resolved = Tree([bottom, middle, top], ()).get(UUID(int=3))
    assert (resolved.channels, resolved.group_by) == ((OPS,), ())
    assert (resolved.group_wait_seconds, resolved.group_interval_seconds) == (0, 300)
    assert resolved.repeat_interval_seconds == 600


def test_a_route_of_the_first_row_has_the_roots_times_but_not_its_channels() -> None:
    resolved = Tree([route(1, channels=())], [EVERYBODY]).get(UUID(int=1))
    assert (resolved.channels, resolved.group_by, resolved.group_interval_seconds) == ((), None, 60)


def test_a_route_that_is_gone_is_not_found() -> None:
    with pytest.raises(KeyError):
        Tree([], ()).get(UUID(int=1))


def test_the_path_names_every_route_that_was_asked_and_why() -> None:
    routes = [
        route(1, "tag = bank"),
        route(2, parent=UUID(int=1)),
        route(3, enabled=False),
        route(4, active_times=OFFICE, time_zone="Asia/Seoul"),
        route(5, "severity = critical"),
        route(6, "tag = web", parent=UUID(int=5)),
        route(7),
    ]
    steps = Tree(routes, [NIGHT_DESK]).explain(SHOP, NOON)
    assert [(step.route.id.int if step.route else 0, step.depth, step.why, step.taken) for step in steps] == [
        (0, 0, StepReason.ROOT, True),
        (1, 1, StepReason.MATCHER, False),
        (3, 1, StepReason.DISABLED, False),
        (4, 1, StepReason.NOT_NOW, False),
        (5, 1, StepReason.MATCHES, False),
        (6, 2, StepReason.MATCHES, True),
        (7, 1, StepReason.NOT_ASKED, False),
    ]
    assert steps[1].matcher == Matcher("tag", "=", "bank")
    assert [step.matched for step in steps] == [True, False, False, False, True, True, False]


def test_routes_in_a_ring_and_routes_too_deep_are_never_reached() -> None:
    ring = [route(1, parent=UUID(int=2), channels=()), route(2, parent=UUID(int=1), channels=())]
    assert found(ring) == []
    assert Tree(ring, ()).get(UUID(int=1)).channels == ()
    deep = [route(number, parent=UUID(int=number - 1) if number > 1 else None) for number in range(1, 100)]
    assert found(deep) == [MAX_DEPTH]


@st.composite
def forests(draw: st.DrawFn) -> list[RouteFacts]:
    routes = []
    for number in range(1, draw(st.integers(0, 12)) + 1):
        above = draw(st.integers(0, number - 1))
        routes.append(
            route(
                number,
                *draw(st.lists(st.sampled_from(["tag = shop", "tag = bank", "severity != info"]), max_size=2)),
                parent=UUID(int=above) if above else None,
                position=draw(st.integers(0, 3)),
                channels=tuple(draw(st.sets(st.sampled_from([OPS, SHOP_TEAM, NIGHT_DESK]), max_size=2))),
                continue_matching=draw(st.booleans()),
                enabled=draw(st.booleans()),
            )
        )
    return routes


@given(forests())
def test_no_channel_hears_twice_and_the_path_agrees_with_where_it_goes(routes: list[RouteFacts]) -> None:
    tree = Tree(routes, [EVERYBODY])
    reached = tree.find(SHOP, NOON)
    heard = [channel for one in reached for channel in one.channels]
    assert len(heard) == len(set(heard))
    taken = [step.route.id if step.route else None for step in tree.explain(SHOP, NOON) if step.taken]
    assert [one.id for one in reached] == taken


@given(forests())
def test_what_takes_an_alert_matches_with_everything_it_is_inside_of(routes: list[RouteFacts]) -> None:
    by_id = {one.id: one for one in routes}
    for reached in Tree(routes, ()).find(SHOP, NOON):
        current = by_id.get(reached.id) if reached.id else None
        while current is not None:
            assert current.enabled
            assert all(matcher.holds(SHOP) for matcher in current.matchers)
            current = by_id.get(current.parent) if current.parent else None
