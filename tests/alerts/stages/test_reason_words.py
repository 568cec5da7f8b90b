"""Every reason reads as a sentence, with what it was about if that is known."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone, translation

from apps.alerts import reason_words
from apps.alerts.matching import Matcher
from apps.alerts.reason_words import decision_sentence, stage_label, step_sentence
from apps.alerts.routes.tree import Step, StepReason
from apps.alerts.stages import STAGES
from apps.alerts.stages.context import RoutingReason

DETAILS: list[dict[str, Any]] = [
    {},
    {"until": "2026-07-01T12:00:00+00:00", "parent_name": "Gateway"},
    {"until": "tomorrow"},
    {"until": None, "news": "something new", "because": "", "held_by": "a newer stage"},
]


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"), timezone.override("UTC"):
        yield


@pytest.mark.parametrize("reason", list(RoutingReason))
@pytest.mark.parametrize("detail", DETAILS)
def test_every_reason_is_a_whole_sentence_whatever_is_known(reason: RoutingReason, detail: dict[str, Any]) -> None:
    sentence = decision_sentence("held", "group", reason.value, detail)
    assert sentence.endswith(".")
    assert "%(" not in sentence
    assert "None" not in sentence


@pytest.mark.parametrize(
    ("reason", "detail", "expected"),
    [
        ("silenced", {"until": "2026-07-01T12:00:00+00:00"}, "A silence holds it until 1 Jul 2026, 12:00:00 UTC."),
        ("silenced", {}, "A silence holds it."),
        (
            "parent_down",
            {"parent": "1", "parent_name": "100 % <b>"},
            "“100 % <b>”, which its target depends on, has an outage: that is told instead.",
        ),
        ("told", {"news": "raised"}, "It was told because it has become worse."),
        ("told", {"news": ""}, "It was named again as still firing, beside what was new in its group."),
        ("told", {}, "It was told."),
        (
            "too_soon",
            {"because": "hold", "until": "2026-07-01T12:00:00Z"},
            "It has to last until 1 Jul 2026, 12:00:00 UTC before people are told.",
        ),
        ("never_told", {"held_by": "silenced"}, "It resolved while it was silenced, before it was told."),
        ("never_told", {}, "It resolved before it was told, so there was nothing left to tell."),
        ("no_channel", None, "No route leads it to a channel that is switched on."),
    ],
)
def test_a_sentence_names_what_it_was_about(reason: str, detail: dict[str, Any] | None, expected: str) -> None:
    assert decision_sentence("held", "silence", reason, detail) == expected


def test_moments_are_in_the_readers_zone() -> None:
    with timezone.override("Asia/Seoul"):
        sentence = decision_sentence("held", "silence", "silenced", {"until": "2026-07-01T12:00:00+00:00"})
    assert sentence == "A silence holds it until 1 Jul 2026, 21:00:00 KST."


def test_a_reason_of_a_newer_version_is_said_with_its_code() -> None:
    sentence = decision_sentence("held", "weather", "raining", {})
    assert "“raining”" in sentence
    assert "“weather”" in sentence


def test_every_stage_has_a_name_and_an_unknown_one_keeps_its_own() -> None:
    labels = [stage_label(stage) for stage in STAGES]
    assert labels[:4] == ["Maintenance", "Inhibition", "Silence", "Quiet hours"]
    assert not set(labels) & set(STAGES)
    assert stage_label("weather") == "weather"


@pytest.mark.parametrize("why", list(StepReason))
def test_every_step_through_the_tree_is_a_sentence(why: StepReason) -> None:
    assert step_sentence(Step(None, 0, matched=False, why=why, taken=False)).endswith(".")


def test_a_step_names_the_condition_that_does_not_hold() -> None:
    step = Step(None, 1, matched=False, why=StepReason.MATCHER, taken=False, matcher=Matcher("tag", "=~", "100% .*"))
    assert step_sentence(step) == 'The condition tag=~"100% .*" does not hold.'


def test_what_says_more_is_listed_for_reasons_there_are() -> None:
    assert set(reason_words._SENTENCES) == set(RoutingReason)
    assert set(reason_words._STAGES) == set(STAGES)
