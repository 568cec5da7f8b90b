"""Life signs in a real broker: kept for a week, bounded in number, read whatever else lies there."""

from __future__ import annotations

from redis import Redis

from apps.checks.regions import vitals
from tests.checks.regions.speaking import speak


def test_what_was_said_is_read_with_the_latest_first(line: Redis) -> None:
    older = speak(line, "seoul", "one-1", seconds_ago=40)
    newer = speak(line, "seoul", "two-2", seconds_ago=1, in_flight=7)
    now, heard = vitals.read(line, ["seoul", "tokyo"])
    assert heard == {"seoul": [newer, older], "tokyo": []}
    assert 1 <= now - newer.at < 10
    assert 0 < int(line.ttl(vitals.key_of("seoul", "two-2"))) <= vitals.KEPT_SECONDS


def test_a_worker_that_starts_again_and_again_leaves_a_bounded_trace(line: Redis) -> None:
    for number in range(vitals.KEPT_PROCESSES + 10):
        speak(line, "seoul", f"one-{number}", seconds_ago=1_000 - number)
    _now, heard = vitals.read(line, ["seoul"])
    assert len(heard["seoul"]) == vitals.KEPT_PROCESSES
    assert heard["seoul"][0].name == f"one-{vitals.KEPT_PROCESSES + 9}"
    assert len(list(line.scan_iter("portal:worker:vitals:seoul:*"))) == vitals.KEPT_PROCESSES


def test_what_something_else_wrote_there_is_passed_over(line: Redis) -> None:
    said = speak(line, "seoul")
    line.zadd(vitals.processes_key("seoul"), {"odd-1": 1, "gone-1": 2, "\N{SNOWMAN}": 3})
    line.set(vitals.key_of("seoul", "odd-1"), '{"region": 5}')
    line.set(vitals.key_of("seoul", "\N{SNOWMAN}"), b"\xff\xfe")
    assert vitals.read(line, ["seoul"])[1] == {"seoul": [said]}


def test_no_regions_cost_no_more_than_the_time(line: Redis) -> None:
    assert vitals.read(line, [])[1] == {}
