"""What is said to open pages, and what is left out of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.core.ids import uuid7
from apps.core.news import News
from apps.live.events import MAX_IDS, Event, EventBag, decode, encode, events_of, make_event

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE, THERE = uuid7(), uuid7()


def news(type: str, *ids: UUID, environment: UUID | None = HERE, at: datetime = MOMENT) -> News:
    return News(type=type, ids=ids, environment=environment, at=at)


def types_of(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def test_an_event_on_the_wire_has_exactly_the_promised_fields() -> None:
    target = uuid7()
    event = make_event("target.status", ids=[target], environment=HERE, at=MOMENT)

    assert json.loads(encode(event)) == {
        "v": 1,
        "id": str(event.id),
        "type": "target.status",
        "ids": [str(target)],
        "environment": str(HERE),
        "at": "2026-11-20T12:00:00Z",
    }


def test_a_list_of_events_comes_back_as_it_was() -> None:
    events = [make_event("summary", environment=HERE), make_event("check.result", ids=[uuid7()])]

    assert decode(encode(events)) == events


def test_a_change_of_a_target_also_says_that_the_summary_changed() -> None:
    target = uuid7()

    events = events_of([news("target.status", target)])[HERE]

    assert [(event.type, event.ids) for event in events] == [("target.status", (target,)), ("summary", ())]


def test_an_incident_says_that_the_summary_changed_and_a_result_does_not() -> None:
    assert types_of(events_of([news("incident.opened", uuid7())])[HERE]) == ["incident.opened", "summary"]
    assert types_of(events_of([news("check.result", uuid7())])[HERE]) == ["check.result"]


def test_a_transaction_says_each_type_once_with_all_its_ids() -> None:
    first, second = uuid7(), uuid7()

    events = events_of([news("target.status", first), news("target.status", second), news("target.status", first)])

    assert [(event.type, event.ids) for event in events[HERE]] == [("target.status", (first, second)), ("summary", ())]


def test_environments_are_kept_apart() -> None:
    mine, yours = uuid7(), uuid7()

    events = events_of([news("check.result", mine), news("check.result", yours, environment=THERE)])

    assert {environment: [event.ids for event in told] for environment, told in events.items()} == {
        HERE: [(mine,)],
        THERE: [(yours,)],
    }


def test_too_many_ids_become_an_empty_list_which_means_fetch_all() -> None:
    fitting = events_of([news("check.result", *[uuid7() for _ in range(MAX_IDS)])])[HERE]
    too_many = events_of([news("check.result", *[uuid7() for _ in range(MAX_IDS + 1)])])[HERE]

    assert len(fitting[0].ids) == MAX_IDS
    assert too_many[0].ids == ()


def test_news_without_ids_means_all_whatever_else_is_named() -> None:
    events = events_of([news("check.result", uuid7()), news("check.result")])[HERE]

    assert [event.ids for event in events] == [()]


def test_all_stays_all_when_single_ids_follow() -> None:
    bag = EventBag()
    bag.add(make_event("check.result", environment=HERE))
    bag.add(make_event("check.result", ids=[uuid7()], environment=HERE))

    assert [event.ids for event in bag.take()] == [()]


def test_a_merged_event_has_the_id_and_time_of_the_last_one() -> None:
    bag = EventBag()
    earlier = make_event("target.status", ids=[uuid7()], environment=HERE, at=MOMENT)
    later = make_event("target.status", ids=[uuid7()], environment=HERE, at=MOMENT + timedelta(seconds=1))
    bag.add(earlier)
    bag.add(later)

    (merged,) = bag.take()

    assert (merged.id, merged.at, merged.ids) == (later.id, later.at, earlier.ids + later.ids)


def test_taking_empties_the_bag() -> None:
    bag = EventBag()
    bag.add(make_event("summary"))

    assert len(bag.take()) == 1
    assert bag.take() == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["check.result", "target.status", "summary"]), st.sampled_from([HERE, THERE, None])),
        max_size=500,
    )
)
def test_a_bag_never_holds_more_than_one_event_a_type_and_environment(kinds: list[tuple[str, UUID | None]]) -> None:
    bag = EventBag()
    for type, environment in kinds:
        bag.add(make_event(type, ids=[uuid7(), uuid7()], environment=environment))

    assert len(bag) == len(set(kinds))
    assert all(len(event.ids) <= MAX_IDS for event in bag.take())
