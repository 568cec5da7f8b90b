"""Finding few among many, against looking at each."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.matching import Labels, Matcher, all_hold
from apps.alerts.ruling.index import LabelIndex, ValueTable, mask_of, positions_of
from apps.alerts.ruling.patterns import fitting

PROD, DEV = uuid4(), uuid4()


def target(name: str, *tags: str, environment: str = "prod", kind: str = "service", provider: str = "") -> Labels:
    return {"environment": environment, "kind": kind, "target": name, "provider": provider, "tag": list(tags)}


TARGETS: dict[UUID, tuple[UUID, Labels]] = {
    uuid4(): (PROD, target("Shop", "web", "Shop")),
    uuid4(): (PROD, target("shop db", "db")),
    uuid4(): (PROD, target("Bare")),
    uuid4(): (DEV, target("Shop", "web", environment="dev")),
    uuid4(): (DEV, target("gpt", environment="dev", kind="model", provider="Acme")),
}
VALUES = ["shop", "SHOP", "web", "", "prod", "model", "acme", "s.*", ".*b", "nobody"]
matchers = st.builds(
    Matcher,
    st.sampled_from(["environment", "kind", "target", "provider", "tag", "severity"]),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(VALUES),
)


@given(st.lists(matchers, max_size=3), st.sampled_from([None, PROD, DEV, uuid4()]))
def test_matchers_find_what_looking_at_each_target_finds(found: list[Matcher], environment: UUID | None) -> None:
    index = LabelIndex(TARGETS)
    expected = {
        identifier
        for identifier, (own, labels) in TARGETS.items()
        if (environment is None or own == environment) and all_hold(found, labels)
    }
    assert {index.ids[position] for position in positions_of(index.matching(environment, found))} == expected


@given(
    st.dictionaries(st.integers(0, 40), st.floats(-50, 50), max_size=40),
    st.one_of(st.floats(-60, 60), st.sampled_from([0.0, 10.0])),
    st.booleans(),
)
def test_a_table_finds_the_numbers_strictly_beyond_a_level(values: dict[int, float], bound: float, above: bool) -> None:
    table = ValueTable(values, 41)
    found = set(positions_of(table.beyond(above=above, bound=bound)))
    assert found == {place for place, value in values.items() if (value > bound if above else value < bound)}
    assert set(positions_of(table.present)) == set(values)


@given(st.sets(st.integers(0, 200)))
def test_a_set_is_the_positions_it_was_made_of(positions: set[int]) -> None:
    assert list(positions_of(mask_of(positions, 201))) == sorted(positions)


@pytest.mark.parametrize("environment", [None, PROD])
def test_nobody_is_found_where_there_is_nobody(environment: UUID | None) -> None:
    assert LabelIndex({}).matching(environment, [Matcher("tag", "!=", "web")]) == 0


@given(st.lists(matchers, max_size=12))
def test_patterns_looked_at_together_find_what_each_finds_alone(found: list[Matcher]) -> None:
    together, alone = LabelIndex(TARGETS), LabelIndex(TARGETS)
    together.learn(found)
    assert [together.matching(None, [one]) for one in found] == [alone.matching(None, [one]) for one in found]


def test_patterns_that_outgrow_their_memory_together_are_asked_one_by_one() -> None:
    hungry = [f".*{letter}.{{300}}{letter}.*" for letter in "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"]
    texts = ["ab" * 1_000, "b" * 900, "cd" * 40]
    found = fitting(hungry, texts)
    for pattern in set(hungry):
        alone = [place for place, text in enumerate(texts) if Matcher("", "=~", pattern).holds({"": text})]
        assert found[pattern] == alone
