"""The `heartbeat` kind: which schedules are taken, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.kindconfig import ConfigError, decode
from apps.probes.base import PROBE_KINDS, Reason, sentence
from apps.probes.cron import BadCron, check_cron, zone_names
from apps.probes.kinds.heartbeat import YEAR, HeartbeatConfig


def refused(**config: Any) -> dict[str, list[str]]:
    with pytest.raises(ConfigError) as caught:
        decode(HeartbeatConfig, config)
    return caught.value.errors


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"period_seconds": 1, "grace_seconds": 1},
        {"period_seconds": YEAR, "grace_seconds": YEAR},
        {"cron": "0 2 * * *"},
        {"cron": "  */5  *  * * * "},
        {"cron": "*/2 * * * *"},
        {"cron": "0 0 29 2 *"},
        {"cron": "0 9 * * MON-FRI", "timezone": "Asia/Seoul"},
        {"cron": "0 0 L * *", "timezone": "America/New_York"},
        {"cron": "0 0 * * MON#2"},
        {"cron": "* * * * 1-5"},
    ],
)
def test_schedules_that_can_be_kept_are_taken(config: dict[str, Any]) -> None:
    assert decode(HeartbeatConfig, config)


@pytest.mark.parametrize(
    ("config", "field", "words"),
    [
        ({"period_seconds": 0}, "period_seconds", "1 to 31536000"),
        ({"period_seconds": YEAR + 1}, "period_seconds", "1 to 31536000"),
        ({"period_seconds": 1.5}, "period_seconds", "whole number"),
        ({"grace_seconds": 0}, "grace_seconds", "1 to 31536000"),
        ({"grace_seconds": "soon"}, "grace_seconds", "whole number"),
        ({"cron": "@daily"}, "cron", "five fields"),
        ({"cron": "0 2 * *"}, "cron", "five fields"),
        ({"cron": "0 0 2 * * *"}, "cron", "Leave them out: “0 2 * * *”"),
        ({"cron": "* * * * * *"}, "cron", "constantly"),
        ({"cron": "* * * * *"}, "cron", "period of 60 seconds"),
        ({"cron": "0-59 */1 1-31 1-12 0-7"}, "cron", "constantly"),
        ({"cron": "0 0 30 2 *"}, "cron", "never fires"),
        ({"cron": "0 0 31 4,6,9,11 *"}, "cron", "never fires"),
        ({"cron": "0 0 */31 1 SAT#3"}, "cron", "never fires"),
        ({"cron": "60 0 * * *"}, "cron", "the minute"),
        ({"cron": "0 24 * * *"}, "cron", "the hour"),
        ({"cron": "0 0 0 * *"}, "cron", "the day of the month"),
        ({"cron": "0 0 32 * *"}, "cron", "the day of the month"),
        ({"cron": "0 0 * 13 *"}, "cron", "the month"),
        ({"cron": "0 0 * * 8"}, "cron", "the day of the week"),
        ({"cron": "5-1 * * * *"}, "cron", "the minute"),
        ({"cron": "*/0 * * * *"}, "cron", "the minute"),
        ({"cron": "² * * * *"}, "cron", "the minute"),
        ({"cron": "x" * 101}, "cron", "at most 100 characters"),
        ({"timezone": "Europe/Atlantis"}, "timezone", "no such time zone"),
        ({"timezone": ""}, "timezone", "no such time zone"),
        ({"timezone": "../../etc/passwd"}, "timezone", "no such time zone"),
        ({"timezone": "+02:00"}, "timezone", "no such time zone"),
    ],
)
def test_what_nobody_can_keep_to_is_refused_on_its_field(config: dict[str, Any], field: str, words: str) -> None:
    errors = refused(**config)
    assert list(errors) == [field]
    assert words in " ".join(errors[field])


def test_a_bad_cron_and_a_bad_zone_are_both_told() -> None:
    assert set(refused(cron="x", timezone="y")) == {"cron", "timezone"}


@given(st.text(alphabet="0123456789*/,-#LW MONSTUJA", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_cron_expression_or_a_sentence(text: str) -> None:
    try:
        check_cron(text)
    except BadCron as error:
        assert str(error.sentence).endswith((".", "”."))


def test_the_zones_people_use_are_known() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York", "Asia/Seoul"} <= zone_names()


def test_its_address_is_its_schedule() -> None:
    kind = PROBE_KINDS.get("heartbeat")
    assert kind.address(HeartbeatConfig()) == "every 1 day, 1 hour of grace"
    cron = HeartbeatConfig(cron="0 2 * * *", timezone="Asia/Seoul", grace_seconds=600)
    assert kind.address(cron) == "0 2 * * * (Asia/Seoul), 10 minutes of grace"


def test_a_failure_without_an_exit_status_still_reads_well() -> None:
    assert sentence(Reason.HEARTBEAT_FAILED, {"exit_status": 3}).endswith("exit status 3.")
    assert sentence(Reason.HEARTBEAT_FAILED, {}) == "The program reported a failure"
