"""Many messages at once: one card, and then nothing for a while. Machines know no storms."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from apps.alerts.stages.context import Candidate, ChannelFacts
from tests.alerts.stages.facts import (
    DEV,
    MACHINE,
    NOW,
    PEOPLE,
    PROD,
    ago,
    ahead,
    alert,
    decided,
    for_machine,
    forms,
    group_of,
    looked_at,
    told,
    untold,
)

OTHERS = ChannelFacts(UUID(int=12), None)


def many(count: int, channel: ChannelFacts = PEOPLE, start: int = 1) -> list[Candidate]:
    """As many groups of one alert each."""
    return [untold(alert(number), group_of(channel, number)) for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("count", "lately", "expected"),
    [
        (5, [], [("group", 1)] * 5),
        (6, [], [("storm", 6)]),
        (1, [ago(59)] * 4, [("group", 1)]),
        (1, [ago(59)] * 5, [("storm", 1)]),
        (3, [ago(10)] * 3, [("storm", 3)]),
        (5, [ago(60)] * 9, [("group", 1)] * 5),
        (200, [], [("storm", 200)]),
    ],
)
def test_more_than_five_messages_in_a_minute_are_one_card(
    count: int, lately: list[datetime], expected: list[tuple[str, int]]
) -> None:
    channel = replace(PEOPLE, sent_lately=tuple(lately))
    assert forms(looked_at(*many(count, channel)).deliveries) == expected


def test_what_a_group_holds_together_counts_as_one_message() -> None:
    together = [untold(alert(number), group_of()) for number in range(50)]
    assert forms(looked_at(*together).deliveries) == [("group", 50)]


def test_the_card_stands_for_the_first_group_and_says_why() -> None:
    candidates = many(6)
    context = looked_at(*candidates)
    assert context.deliveries[0].group == candidates[0].group
    assert decided(*candidates) == [("sent", "route", "in_storm_card")] * 6


def test_the_card_stands_for_a_group_that_is_in_it() -> None:
    bound = replace(PEOPLE, environment=PROD)
    elsewhere = untold(alert(50, environment=DEV), group_of(bound, 50))
    here = many(6, bound)
    [card] = looked_at(elsewhere, *here).deliveries
    assert (card.form, card.group, list(card.candidates)) == ("storm", here[0].group, here)


def test_a_storm_in_one_channel_is_none_in_another_and_order_is_kept() -> None:
    first, rest = many(1, OTHERS, start=100), many(6)
    context = looked_at(rest[0], *first, *rest[1:], for_machine(alert(500)))
    assert [(delivery.form, delivery.group.channel.id) for delivery in context.deliveries] == [
        ("storm", PEOPLE.id),
        ("group", OTHERS.id),
        ("each", MACHINE.id),
    ]


def test_a_digest_and_reminders_go_into_the_card_too() -> None:
    digest = untold(alert(50, "info"), group_of(number=50, mode="digest"))
    reminder = told(alert(51), group_of(number=51, told_at=ago(14_400)))
    assert forms(looked_at(digest, reminder, *many(4)).deliveries) == [("storm", 6)]


def test_after_a_card_the_channel_is_left_alone() -> None:
    channel = replace(PEOPLE, storm_until=ahead(30))
    context = looked_at(*many(2, channel))
    assert context.deliveries == ()
    assert {(decision.reason.value, decision.until) for decision in context.decisions} == {("storm", ahead(30))}
    assert forms(looked_at(*many(2, channel), now=ahead(30)).deliveries) == [("group", 1)] * 2


def test_while_it_is_left_alone_what_is_known_has_nothing_new() -> None:
    group = group_of(replace(PEOPLE, storm_until=ahead(30)), told_at=ago(600))
    assert decided(untold(alert(1), group), told(alert(2), group)) == [
        ("held", "rate_limit", "storm"),
        ("dropped", "rate_limit", "nothing_new"),
    ]


def test_a_machine_is_never_limited_nor_merged() -> None:
    busy = replace(MACHINE, sent_lately=(NOW,) * 50, storm_until=ahead(30))
    candidates = [replace(for_machine(alert(number)), group=group_of(busy, number)) for number in range(50)]
    assert forms(looked_at(*candidates).deliveries) == [("each", 1)] * 50
