"""What holds an alert: maintenance, parents, a worse alert, silences, quiet hours. A table each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest

from apps.alerts.matching import Matcher
from apps.alerts.stages.context import ChannelFacts, KinFacts, ParentFacts, RoutingReason, SilenceFacts
from apps.alerts.times import TimeRange
from tests.alerts.stages.facts import (
    DEV,
    MACHINE,
    NOW,
    PEOPLE,
    PROD,
    TARGET,
    ago,
    ahead,
    alert,
    decided,
    for_machine,
    group_of,
    looked_at,
    only,
    parent,
    resolved,
    step,
    told,
    untold,
)

TOLD = ("sent", "route", "told")
WAITING = ("held", "inhibit", "waiting_for_parent")
DOWN = ("held", "inhibit", "parent_down")
SAME = ("held", "inhibit", "same_cause")
SILENCED = ("held", "silence", "silenced")
QUIET = ("held", "quiet_hours", "quiet_hours")

ALWAYS = frozenset(range(7))
NIGHT = (TimeRange(ALWAYS, time(22), time(7)),)
SLEEPING = replace(PEOPLE, quiet_hours=NIGHT, time_zone="Asia/Seoul")
# Half past eleven at night in Seoul.
AT_NIGHT = datetime(2026, 7, 1, 14, 30, tzinfo=UTC)


def test_maintenance_holds_machines_and_people_alike() -> None:
    resting = alert(in_maintenance=True)
    held = ("held", "maintenance", "in_maintenance")
    assert decided(untold(resting), for_machine(resting)) == [held, held]


def test_maintenance_holds_the_end_of_what_was_told_and_drops_what_nobody_knew() -> None:
    ended = resolved(in_maintenance=True)
    assert decided(told(ended), untold(replace(ended, id=UUID(int=7)), group_of(number=2))) == [
        ("held", "maintenance", "in_maintenance"),
        ("dropped", "maintenance", "never_told"),
    ]


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ([], TOLD),
        ([parent()], TOLD),
        ([parent(is_outage=True, is_operational=False)], DOWN),
        ([parent(is_outage=True, is_operational=False, enabled=False)], TOLD),
        ([parent(target=TARGET, is_outage=True)], TOLD),
        ([parent(), parent(target=UUID(int=61), is_outage=True)], DOWN),
        ([parent(is_operational=False, firing_alert=UUID(int=9))], TOLD),
    ],
)
def test_the_outage_of_anything_it_depends_on_is_told_instead(above: list[ParentFacts], expected: Any) -> None:
    below = alert(parents=tuple(above))
    assert decided(untold(below), for_machine(below)) == [expected, expected]


@pytest.mark.parametrize(
    ("above", "age", "expected"),
    [
        (parent(last_result_at=ago(20)), 10, WAITING),
        (parent(last_result_at=None), 10, WAITING),
        (parent(last_result_at=ago(20), is_operational=False, firing_alert=UUID(int=9)), 10, WAITING),
        (parent(last_result_at=ago(20)), 59.9, TOLD),
        (parent(last_result_at=ago(10)), 10, TOLD),
        (parent(last_result_at=ago(5)), 10, TOLD),
        (parent(last_result_at=ago(90)), 60, TOLD),
        (parent(last_result_at=ago(90)), 59.9, WAITING),
        (parent(last_result_at=ago(20), is_operational=False), 10, TOLD),
        (parent(last_result_at=ago(20), enabled=False), 10, TOLD),
        (parent(last_result_at=ago(20), is_outage=True), 10, DOWN),
    ],
)
def test_a_parent_believed_well_has_a_minute_to_be_looked_at(above: ParentFacts, age: float, expected: Any) -> None:
    below = alert(started_at=ago(age), parents=(above,))
    assert decided(untold(below), for_machine(below)) == [expected, expected]


def test_what_was_told_or_is_over_does_not_wait_for_a_parent() -> None:
    late = (parent(last_result_at=ago(60)),)
    fresh, over = alert(1, started_at=ago(10), parents=late), resolved(2, started_at=ago(10), parents=late)
    raised = told(fresh, told_severity="warning")
    ended = for_machine(over, [step(1), step(2, "resolved")])
    assert decided(raised, ended) == [TOLD, TOLD]


def test_waiting_for_a_parent_ends_a_minute_after_the_alert_began() -> None:
    below = alert(started_at=ago(10), parents=(parent(last_result_at=None),))
    assert only(looked_at(untold(below)).decisions).until == ahead(50)


@pytest.mark.parametrize(
    ("kin", "last_result_at", "expected"),
    [
        ((), None, TOLD),
        ((KinFacts(UUID(int=9), "model-a"),), NOW, SAME),
        ((KinFacts(UUID(int=9), "model-a", ago(30)),), ago(40), SAME),
        ((KinFacts(UUID(int=9), "model-a", ago(30)),), None, SAME),
        ((KinFacts(UUID(int=9), "model-a", ago(30)),), ago(20), TOLD),
    ],
)
def test_one_that_says_the_same_of_a_provider_is_told_for_all(
    kin: tuple[KinFacts, ...], last_result_at: datetime | None, expected: Any
) -> None:
    ours = alert(last_result_at=last_result_at)
    assert decided(untold(ours, kin=kin), for_machine(ours, kin=kin)) == [expected, expected]
    assert decided(told(ours, kin=kin, told_severity="warning")) == [TOLD], "what was told goes on being told"


@pytest.mark.parametrize(
    ("severity", "target", "worse", "expected"),
    [
        ("warning", TARGET, {TARGET: UUID(int=9)}, ("held", "inhibit", "higher_severity")),
        ("info", TARGET, {TARGET: UUID(int=9)}, ("held", "inhibit", "higher_severity")),
        ("critical", TARGET, {TARGET: UUID(int=9)}, TOLD),
        ("warning", TARGET, {UUID(int=51): UUID(int=9)}, TOLD),
        ("warning", TARGET, {TARGET: UUID(int=1_001)}, TOLD),
        ("warning", None, {TARGET: UUID(int=9)}, TOLD),
    ],
)
def test_a_critical_alert_holds_the_lesser_ones_of_its_target(
    severity: str, target: UUID | None, worse: dict[UUID, UUID], expected: Any
) -> None:
    lesser = alert(1, severity, target=target)
    assert decided(untold(lesser), for_machine(lesser), critical_targets=worse) == [expected, expected]


SHOP = (Matcher("tag", "=", "shop"),)


@pytest.mark.parametrize(
    ("silence", "expected"),
    [
        (SilenceFacts(UUID(int=5), None, SHOP, ahead(90)), SILENCED),
        (SilenceFacts(UUID(int=5), PROD, SHOP, ahead(90)), SILENCED),
        (SilenceFacts(UUID(int=5), None, (), ahead(90)), SILENCED),
        (SilenceFacts(UUID(int=5), DEV, SHOP, ahead(90)), TOLD),
        (SilenceFacts(UUID(int=5), None, SHOP, NOW), TOLD),
        (SilenceFacts(UUID(int=5), None, (*SHOP, Matcher("kind", "!=", "service")), ahead(90)), TOLD),
    ],
)
def test_a_silence_holds_what_all_of_its_matchers_fit(silence: SilenceFacts, expected: Any) -> None:
    assert decided(untold(), for_machine(), silences=[silence]) == [expected, expected]


def test_of_several_silences_the_one_that_lasts_longest_is_named() -> None:
    silences = [SilenceFacts(UUID(int=number), None, (), ahead(seconds)) for number, seconds in ((5, 90), (6, 50))]
    decision = only(looked_at(untold(), silences=silences).decisions)
    assert (decision.until, decision.detail["silence"]) == (ahead(90), str(UUID(int=5)))


def test_a_silence_holds_the_end_too_and_then_it_is_told() -> None:
    ended = told(resolved())
    silence = SilenceFacts(UUID(int=5), None, (), ahead(90))
    assert decided(ended, silences=[silence]) == [SILENCED]
    assert decided(ended, silences=[silence], now=ahead(90)) == [TOLD]


def test_a_machine_is_spared_what_began_and_ended_within_a_silence() -> None:
    flicker = for_machine(resolved(), [step(1), step(2, "resolved")])
    silence = SilenceFacts(UUID(int=5), None, (), ahead(90))
    assert decided(flicker, silences=[silence]) == [("dropped", "silence", "never_told")]
    assert decided(replace(flicker, held=True)) == [("dropped", "dedup", "never_told")]
    assert decided(flicker) == [TOLD]


@pytest.mark.parametrize(
    ("channel", "severity", "at", "expected"),
    [
        (SLEEPING, "warning", AT_NIGHT, QUIET),
        (SLEEPING, "info", AT_NIGHT, QUIET),
        (SLEEPING, "critical", AT_NIGHT, TOLD),
        (SLEEPING, "warning", datetime(2026, 7, 1, 22, 0, tzinfo=UTC), TOLD),
        (PEOPLE, "warning", AT_NIGHT, TOLD),
        (replace(SLEEPING, time_zone="UTC"), "warning", AT_NIGHT, TOLD),
    ],
)
def test_quiet_hours_hold_what_is_not_critical(
    channel: ChannelFacts, severity: str, at: datetime, expected: Any
) -> None:
    assert decided(untold(alert(1, severity), group_of(channel)), now=at) == [expected]


def test_quiet_hours_hold_the_end_too_and_last_until_the_morning_of_their_zone() -> None:
    decision = only(looked_at(told(resolved(1, "warning"), group_of(SLEEPING)), now=AT_NIGHT).decisions)
    assert decision.reason is RoutingReason.QUIET_HOURS
    assert decision.until == datetime(2026, 7, 1, 22, 0, tzinfo=UTC)


def test_a_machine_has_no_quiet_hours() -> None:
    awake = replace(for_machine(alert(1, "warning")), group=group_of(replace(MACHINE, quiet_hours=NIGHT)))
    assert decided(awake, now=datetime(2026, 7, 1, 23, 0, tzinfo=UTC)) == [TOLD]


def test_what_a_channel_has_heard_the_end_of_is_not_held_by_anything() -> None:
    over = told(resolved(in_maintenance=True), told_state="resolved")
    known = for_machine(alert(2, in_maintenance=True), told_sequence=1, told_state="firing")
    assert decided(over, known) == [("dropped", "dedup", "nothing_new")] * 2


def test_the_first_stage_that_holds_is_the_one_that_is_named() -> None:
    everything = alert(1, "warning", in_maintenance=True, parents=(parent(is_outage=True),))
    silence = SilenceFacts(UUID(int=5), None, (), ahead(90))
    assert decided(untold(everything, group_of(SLEEPING)), silences=[silence], now=AT_NIGHT) == [
        ("held", "maintenance", "in_maintenance")
    ]
