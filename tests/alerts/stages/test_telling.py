"""What is told, in which message: news, groups, reminders, digests, and what comes too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from apps.alerts.stages.context import AlertFacts, Candidate, GroupFacts
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
    only,
    resolved,
    step,
    told,
    untold,
)

TOLD = ("sent", "route", "told")
NOTHING_NEW = ("dropped", "dedup", "nothing_new")
LONG_AGO = group_of(told_at=ago(14_400))
REMINDED = ("sent", "route", "reminded")
TOO_SOON = ("held", "group", "too_soon")


@pytest.mark.parametrize(
    ("candidate", "expected", "news"),
    [
        (untold(), TOLD, "opened"),
        (untold(alert(acknowledged=True)), TOLD, "opened"),
        (untold(told_sequence=3), TOLD, "opened"),
        (untold(resolved()), ("dropped", "dedup", "never_told"), None),
        (told(), NOTHING_NEW, None),
        (told(resolved()), TOLD, "resolved"),
        (told(resolved(), told_state="resolved"), NOTHING_NEW, None),
        (told(told_severity="warning"), TOLD, "raised"),
        (told(alert(1, "warning"), told_severity="info"), TOLD, "raised"),
        (told(alert(1, "warning"), told_severity="critical"), NOTHING_NEW, None),
        (told(alert(acknowledged=True), told_acknowledged=False), TOLD, "acknowledged"),
        (told(alert(acknowledged=True)), NOTHING_NEW, None),
        (told(alert(acknowledged=True), told_severity="warning"), TOLD, "raised"),
        (told(resolved(acknowledged=True), told_acknowledged=False), TOLD, "resolved"),
        (told(group=LONG_AGO), REMINDED, "reminder"),
        (told(alert(acknowledged=True), LONG_AGO), ("dropped", "dedup", "acknowledged"), None),
        (told(group=group_of(told_at=ago(14_400), repeat_interval_seconds=0)), NOTHING_NEW, None),
        (told(resolved(), LONG_AGO, told_state="resolved"), NOTHING_NEW, None),
        (told(group=group_of(told_at=ago(14_399))), NOTHING_NEW, None),
    ],
)
def test_people_are_told_what_differs_from_what_they_know(
    candidate: Candidate, expected: tuple[str, str, str], news: str | None
) -> None:
    assert decided(candidate) == [expected]
    assert only(looked_at(candidate).decisions).detail.get("news") == news


@pytest.mark.parametrize(
    ("candidate", "kinds"),
    [
        (for_machine(steps=[step(1)]), ["firing"]),
        (for_machine(resolved(), [step(2, "resolved"), step(1)]), ["firing", "resolved"]),
        (for_machine(steps=[step(1), step(2, "updated")], told_sequence=1, told_state="firing"), ["updated"]),
        (for_machine(resolved(), [step(3, "resolved")], told_sequence=2), ["resolved"]),
        (for_machine(steps=[step(1)], told_sequence=1, told_state="firing"), []),
    ],
)
def test_a_machine_is_told_every_step_it_has_not_heard_one_by_one(candidate: Candidate, kinds: list[str]) -> None:
    context = looked_at(candidate)
    assert [delivery.event.kind for delivery in context.deliveries if delivery.event] == kinds
    assert {delivery.form for delivery in context.deliveries} <= {"each"}
    assert len(context.decisions) == 1


def test_a_machine_hears_at_once_however_short_lately_and_unimportant() -> None:
    patient = group_of(MACHINE, group_interval_seconds=3_600, told_at=ago(1))
    small = Candidate(patient, alert(1, "info", started_at=NOW, hold_seconds=900), news=(step(1),))
    assert decided(small) == [TOLD]


def test_a_message_says_everything_about_its_group() -> None:
    news = untold(alert(1), LONG_AGO)
    still, over = told(alert(2), LONG_AGO), told(resolved(3), LONG_AGO)
    known = told(alert(5, acknowledged=True), LONG_AGO)
    gone = told(resolved(4), LONG_AGO, told_state="resolved")
    context = looked_at(still, news, gone, over, known)
    [delivery] = context.deliveries
    assert delivery.form == "group"
    assert list(delivery.candidates) == [still, news, over, known]
    assert decided(still, news, gone, over, known) == [REMINDED, TOLD, NOTHING_NEW, TOLD, TOLD]


def test_what_is_held_is_left_out_of_its_groups_message() -> None:
    group = group_of()
    context = looked_at(untold(alert(1), group), untold(alert(2, in_maintenance=True), group))
    assert [candidate.alert.id for candidate in context.deliveries[0].candidates] == [UUID(int=1_001)]


def test_a_reminder_names_all_that_still_fires() -> None:
    context = looked_at(told(alert(1), LONG_AGO), told(alert(2, acknowledged=True), LONG_AGO))
    assert forms(context.deliveries) == [("reminder", 2)]


def test_nobody_is_reminded_when_everything_is_acknowledged() -> None:
    assert looked_at(told(alert(1, acknowledged=True), LONG_AGO)).deliveries == ()


def test_each_group_is_a_message_of_its_own_in_the_order_of_its_first_alert() -> None:
    one, two = group_of(number=1), group_of(number=2)
    context = looked_at(untold(alert(1), two), untold(alert(2), one), untold(alert(3), two))
    assert [delivery.group for delivery in context.deliveries] == [two, one]
    assert forms(context.deliveries) == [("group", 2), ("group", 1)]


@pytest.mark.parametrize(
    ("of", "group", "because", "until"),
    [
        (alert(1, "warning", hold_seconds=900), group_of(), "hold", ahead(600)),
        (alert(1, "warning", hold_seconds=300), group_of(), None, None),
        (alert(), group_of(told_at=ago(20)), "group_interval", ahead(40)),
        (alert(), group_of(told_at=ago(60)), None, None),
        (alert(), group_of(mode="digest", digest_at=ahead(7_200)), "digest", ahead(7_200)),
        (alert(), group_of(mode="digest", digest_at=NOW), None, None),
        (alert(hold_seconds=400), group_of(told_at=ago(20)), "hold", ahead(100)),
    ],
)
def test_what_comes_too_soon_waits_for_the_last_of_its_moments(
    of: AlertFacts, group: GroupFacts, because: str | None, until: datetime | None
) -> None:
    decision = only(looked_at(untold(of, group)).decisions)
    assert (decision.detail.get("because"), decision.reason.value == "too_soon") == (because, because is not None)
    assert until is None or decision.until == until


def test_what_was_told_does_not_wait_to_last_longer() -> None:
    assert decided(told(resolved(1, "warning", hold_seconds=900, started_at=ago(60)))) == [TOLD]


def test_what_people_know_and_is_now_critical_does_not_wait_for_the_groups_interval() -> None:
    lately = group_of(told_at=ago(5))
    assert decided(told(alert(), lately, told_severity="warning")) == [TOLD]
    assert decided(told(alert(1, "warning"), lately, told_severity="info")) == [TOO_SOON]
    assert decided(told(resolved(), lately)) == [TOO_SOON]


def test_a_group_told_of_lately_without_news_has_nothing_new() -> None:
    lately = group_of(told_at=ago(5))
    assert decided(untold(alert(1), lately), told(alert(2), lately)) == [TOO_SOON, NOTHING_NEW]


def test_info_is_told_as_a_digest_which_never_reminds() -> None:
    daily = group_of(mode="digest", told_at=ago(86_400))
    assert forms(looked_at(untold(alert(1, "info"), daily), told(alert(2, "info"), daily)).deliveries) == [
        ("digest", 2)
    ]
    assert decided(told(alert(2, "info"), daily)) == [NOTHING_NEW]


@pytest.mark.parametrize(
    ("candidate", "until"),
    [
        (untold(), ahead(14_400)),
        (told(), ahead(14_400 - 600)),
        (told(resolved()), None),
        (untold(alert(acknowledged=True)), None),
        (untold(group=group_of(mode="digest")), None),
        (for_machine(), None),
    ],
)
def test_a_decision_says_when_the_next_reminder_is_due(candidate: Candidate, until: datetime | None) -> None:
    assert only(looked_at(candidate).decisions).until == until


@pytest.mark.parametrize("channel", [PEOPLE, MACHINE])
@pytest.mark.parametrize(
    ("own", "where", "expected"),
    [
        (None, PROD, TOLD),
        (PROD, PROD, TOLD),
        (DEV, PROD, ("dropped", "route", "other_environment")),
        (DEV, None, ("dropped", "route", "other_environment")),
        (None, None, TOLD),
    ],
)
def test_a_channel_with_an_environment_hears_of_that_one_only(
    channel: Any, own: UUID | None, where: UUID | None, expected: tuple[str, str, str]
) -> None:
    bound = group_of(replace(channel, environment=own))
    candidate = Candidate(bound, alert(environment=where), news=(step(1),))
    assert decided(candidate) == [expected]
    assert len(looked_at(candidate).deliveries) == (1 if expected == TOLD else 0)


def test_nothing_due_is_nothing_told() -> None:
    context = looked_at()
    assert (context.deliveries, context.decisions) == ((), ())
