"""What holds for whatever is due: nothing is lost, nothing is told and held, order stays, machines are never merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.alerts.matching import Matcher
from apps.alerts.stages import STAGES, run
from apps.alerts.stages.context import (
    AlertFacts,
    Candidate,
    ChannelFacts,
    Delivery,
    EventFacts,
    GroupFacts,
    KinFacts,
    Outcome,
    ParentFacts,
    RoutingContext,
    RoutingReason,
    SilenceFacts,
)
from apps.alerts.stages.news import has_news, untold_steps
from apps.alerts.stages.rate_limit import STORM_MESSAGES
from apps.alerts.times import TimeRange
from tests.alerts.stages.facts import DEV, NOW, PROD, ago, ahead, alert, group_of, parent, step

KIN = KinFacts(UUID(int=9), "model-a")
SEVERITIES = st.sampled_from(["critical", "warning", "info"])
SECONDS = st.sampled_from([0, 1, 30, 59, 60, 300, 14_400])
NIGHT = (TimeRange(frozenset(range(7)), time(11), time(13)),)


@st.composite
def channels(draw: st.DrawFn, number: int) -> ChannelFacts:
    return ChannelFacts(
        id=UUID(int=10 + number),
        environment=draw(st.sampled_from([None, None, PROD, DEV])),
        machine=draw(st.booleans()),
        quiet_hours=draw(st.sampled_from([(), NIGHT])),
        sent_lately=tuple(ago(seconds) for seconds in draw(st.lists(SECONDS, max_size=7))),
        storm_until=draw(st.sampled_from([None, None, NOW, ahead(30)])),
    )


@st.composite
def alerts(draw: st.DrawFn, number: int) -> AlertFacts:
    above: list[ParentFacts] = draw(
        st.lists(
            st.builds(
                parent,
                is_outage=st.booleans(),
                is_operational=st.booleans(),
                last_result_at=st.sampled_from([None, NOW, ago(20), ago(400)]),
            ),
            max_size=1,
        )
    )
    return alert(
        number,
        draw(SEVERITIES),
        target=draw(st.sampled_from([None, UUID(int=50), UUID(int=51)])),
        environment=draw(st.sampled_from([PROD, PROD, DEV])),
        started_at=ago(draw(SECONDS)),
        resolved_at=draw(st.sampled_from([None, None, NOW])),
        acknowledged=draw(st.booleans()),
        hold_seconds=draw(st.sampled_from([0, 0, 900])),
        in_maintenance=draw(st.sampled_from([False, False, False, True])),
        parents=tuple(above),
        labels={"tag": draw(st.sampled_from(["shop", "bank"]))},
    )


@st.composite
def groups(draw: st.DrawFn) -> list[GroupFacts]:
    hearing = [draw(channels(number)) for number in range(draw(st.integers(1, 3)))]
    return [
        group_of(
            draw(st.sampled_from(hearing)),
            number,
            id=UUID(int=2_000 + number),
            mode=draw(st.sampled_from(["group", "group", "digest"])),
            told_at=draw(st.sampled_from([None, ago(10), ago(600), ago(14_400)])),
            digest_at=draw(st.sampled_from([None, None, ahead(60)])),
        )
        for number in range(draw(st.integers(1, 12)))
    ]


@st.composite
def candidate_of(draw: st.DrawFn, group: GroupFacts, of: AlertFacts) -> Candidate:
    steps: list[EventFacts] = [step(number) for number in range(1, draw(st.integers(0, 4)) + 1)]
    return Candidate(
        group,
        of,
        told_sequence=draw(st.integers(0, 3)),
        told_state=draw(st.sampled_from(["", "", "firing", "resolved"])),
        told_severity=draw(st.sampled_from(["", "critical", "warning", "info"])),
        told_acknowledged=draw(st.booleans()),
        held=draw(st.booleans()),
        kin=draw(st.sampled_from([(), (), (KIN,), (replace(KIN, resolved_at=ago(10)),)])),
        news=tuple(draw(st.permutations(steps))),
    )


@st.composite
def looks(draw: st.DrawFn) -> tuple[RoutingContext, list[Candidate]]:
    """One look at some groups; an alert is in each of them at most once."""
    found = draw(groups())
    everything = [draw(alerts(number)) for number in range(draw(st.integers(0, 6)))]
    pairs = [(group, of) for group in found for of in everything]
    chosen = draw(st.lists(st.sampled_from(pairs), unique_by=lambda pair: (pair[0].id, pair[1].id))) if pairs else []
    candidates = [draw(candidate_of(group, of)) for group, of in chosen]
    silences = draw(st.sampled_from([(), (SilenceFacts(UUID(int=5), None, (Matcher("tag", "=", "bank"),), ahead(9)),)]))
    worst = draw(st.sampled_from([{}, {UUID(int=50): UUID(int=1_000)}]))
    return RoutingContext(now=NOW, silences=silences, critical_targets=worst), candidates


# How long a machine takes to make up a look is no law.
LAW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(looks())
@LAW
def test_every_candidate_has_one_decision_and_is_told_exactly_when_it_says_so(
    look: tuple[RoutingContext, list[Candidate]],
) -> None:
    context, candidates = look
    result = run(context, candidates)
    by_candidate = {id(decision.candidate): decision for decision in result.decisions}
    told = {id(candidate) for delivery in result.deliveries for candidate in delivery.candidates}
    assert len(result.decisions) == len(candidates)
    assert set(by_candidate) == {id(candidate) for candidate in candidates}
    assert told == {key for key, decision in by_candidate.items() if decision.outcome is Outcome.SENT}
    assert {decision.stage for decision in result.decisions} <= set(STAGES)


@given(looks())
@LAW
def test_messages_name_their_alerts_once_and_machines_get_one_a_step(
    look: tuple[RoutingContext, list[Candidate]],
) -> None:
    context, candidates = look
    for delivery in run(context, candidates).deliveries:
        assert len({(one.group.id, one.alert.id) for one in delivery.candidates}) == len(delivery.candidates) > 0
        assert {one.group.channel.id for one in delivery.candidates} == {delivery.group.channel.id}
        assert (delivery.form == "each") is delivery.group.channel.machine is (delivery.event is not None)
        if delivery.form == "each":
            assert len(delivery.candidates) == 1
        elif delivery.form != "storm":
            assert {one.group.id for one in delivery.candidates} == {delivery.group.id}


@given(looks())
@LAW
def test_order_is_kept(look: tuple[RoutingContext, list[Candidate]]) -> None:
    """A message stands where the first candidate it was made of stood, also one that is not heard in its channel."""
    context, candidates = look
    looked = run(context, candidates)
    place = {(candidate.group.id, candidate.alert.id): number for number, candidate in enumerate(candidates)}
    unheard = [
        decision.candidate for decision in looked.decisions if decision.reason is RoutingReason.OTHER_ENVIRONMENT
    ]

    def stood(delivery: Delivery) -> int:
        of = {candidate.group.id for candidate in delivery.candidates}
        if delivery.form == "storm":
            of |= {one.group.id for one in unheard if one.group.channel.id == delivery.group.channel.id}
        made_of = [*delivery.candidates]
        if delivery.form != "each":
            made_of += [candidate for candidate in unheard if candidate.group.id in of]
        return min(place[candidate.group.id, candidate.alert.id] for candidate in made_of)

    places = [stood(delivery) for delivery in looked.deliveries]
    assert places == sorted(places)
    for candidate in candidates:
        if candidate.group.channel.machine:
            steps = [delivery.event for delivery in looked.deliveries if delivery.candidates[0] is candidate]
            assert steps in ([], list(untold_steps(candidate)))


@given(looks())
@LAW
def test_no_firing_alert_with_news_is_left_out_unless_something_holds_it(
    look: tuple[RoutingContext, list[Candidate]],
) -> None:
    context, candidates = look
    for decision in run(context, candidates).decisions:
        candidate = decision.candidate
        if candidate.alert.is_firing and has_news(candidate, NOW) and decision.outcome is Outcome.DROPPED:
            assert decision.reason is RoutingReason.OTHER_ENVIRONMENT


@given(looks())
@LAW
def test_what_is_not_held_any_more_and_still_fires_is_told_later(look: tuple[RoutingContext, list[Candidate]]) -> None:
    context, candidates = look
    held = [one.candidate for one in run(context, candidates).decisions if one.outcome is Outcome.HELD]
    firing = [one for one in held if one.alert.is_firing and has_news(one, NOW)]
    free = [_freed(candidate) for candidate in firing]
    later = run(RoutingContext(now=ahead(86_400)), free)
    assert {decision.outcome for decision in later.decisions} <= {Outcome.SENT}


def _freed(candidate: Candidate) -> Candidate:
    channel = replace(candidate.group.channel, quiet_hours=(), storm_until=None, environment=None)
    return replace(
        candidate,
        held=True,
        kin=(),
        alert=replace(candidate.alert, in_maintenance=False, parents=()),
        group=replace(candidate.group, channel=channel),
    )


@given(looks())
@LAW
def test_a_moment_to_look_again_is_never_over_for_what_is_held(look: tuple[RoutingContext, list[Candidate]]) -> None:
    context, candidates = look
    for decision in run(context, candidates).decisions:
        if decision.outcome is Outcome.HELD and decision.until is not None:
            assert decision.until > NOW


@given(looks())
@LAW
def test_no_channel_for_people_gets_more_messages_than_the_limit(look: tuple[RoutingContext, list[Candidate]]) -> None:
    context, candidates = look
    forms: dict[UUID, list[str]] = {}
    for delivery in run(context, candidates).deliveries:
        if not delivery.group.channel.machine:
            forms.setdefault(delivery.group.channel.id, []).append(delivery.form)
    for found in forms.values():
        assert len(found) <= STORM_MESSAGES
        assert "storm" not in found or len(found) == 1


@given(looks())
@LAW
def test_the_same_look_gives_the_same_answer(look: tuple[RoutingContext, list[Candidate]]) -> None:
    context, candidates = look
    assert run(context, candidates) == run(context, candidates)
