"""Whose alerts end where, worked out for all targets at once, is what the tree says of each."""

from __future__ import annotations

from datetime import UTC, datetime, time
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.matching import Labels, Matcher
from apps.alerts.routes.reach import Reach
from apps.alerts.routes.tree import RouteFacts, Tree
from apps.alerts.times import TimeRange

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NIGHT = TimeRange(frozenset(range(7)), time(22, 0), time(6, 0))

texts = st.sampled_from(["shop", "Shop", "search", ""])
labels = st.sampled_from(["tag", "target", "severity"])
matchers = st.builds(Matcher, labels, st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["shop", "s.*", ""]))
targets = st.lists(st.fixed_dictionaries({"tag": st.lists(texts, max_size=2), "target": texts}), min_size=1, max_size=5)


@st.composite
def trees(draw: st.DrawFn) -> list[RouteFacts]:
    routes: list[RouteFacts] = []
    for number in range(draw(st.integers(1, 7))):
        parents = [None, *(route.id for route in routes)]
        routes.append(
            RouteFacts(
                id=UUID(int=number + 1),
                name=str(number),
                parent=draw(st.sampled_from(parents)),
                position=draw(st.integers(0, 2)),
                matchers=tuple(draw(st.lists(matchers, max_size=2))),
                continue_matching=draw(st.booleans()),
                active_times=draw(st.sampled_from([(), (), (NIGHT,)])),
                enabled=draw(st.sampled_from([True, True, False])),
            )
        )
    return routes


@given(trees(), targets, st.sampled_from(["shop", "critical"]))
def test_it_says_what_the_tree_says(routes: list[RouteFacts], watched: list[Labels], severity: str) -> None:
    tree, reach = Tree(routes, []), Reach(routes, watched)
    for route in routes:
        expected = {
            place
            for place, known in enumerate(watched)
            if any(found.id == route.id for found in tree.find({**known, "severity": severity}, AT))
        }
        assert reach.ends_at(route.id, {"severity": severity}, AT) == expected
