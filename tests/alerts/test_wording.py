"""What people read: titles, sentences, times in the channel's zone, in both languages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.alerts.channels.base import Message
from apps.alerts.wording import Text, cut, one_line, size, write
from tests.alerts.saying import AT, LINKS, entry, message, over

NARROW = "\u00a0"


def plain(text: str) -> str:
    return text.replace(NARROW, " ")


@pytest.mark.parametrize(
    ("alerts", "more", "title"),
    [
        ([entry()], {}, "Critical: Shop"),
        ([entry(severity="warning")], {}, "Warning: Shop"),
        ([entry(news="raised")], {}, "Now critical: Shop"),
        ([entry(news="acknowledged")], {"status": "acknowledged"}, "Acknowledged: Shop"),
        ([over("Shop")], {}, "Resolved: Shop"),
        ([entry(), entry("Search"), entry("Pay")], {}, "Critical: Shop and 2 more"),
        ([entry(), over()], {}, "Critical: Shop"),
        ([entry()], {"form": "reminder"}, "Still critical, since 2 h: Shop"),
        ([entry(), entry("Search")], {"form": "storm", "omitted": 998}, "1,000 alerts at once"),
        ([entry(severity="info")], {"form": "digest"}, "Digest: 1 alert"),
        ([entry()], {"type": "channel.test"}, "Test message: Shop"),
    ],
)
def test_a_title_says_how_bad_what_and_how_many(alerts: list[Any], more: dict[str, Any], title: str) -> None:
    assert plain(write(message(*alerts, **more)).title) == title


def test_an_alert_says_why_since_when_where_and_who_says_so() -> None:
    sources = [{"kind": "incident", "name": "Incident"}, {"kind": "rule", "name": "Slow"}]
    alert = entry(sources=sources, rule="Slow", acknowledged_by="Kim")
    (line,) = write(message(alert, time_zone="Asia/Seoul")).lines
    assert (line.mark, line.subject, line.sentence) == ("Critical", "Shop", "Expected status 200, got 503.")
    assert plain(line.when) == "Since 21 Nov 2026, 18:00:00 KST (2 h)."
    assert line.details == ("Environment: prod", "Seen by: Incident, Slow", "Acknowledged by Kim")


def test_a_resolved_alert_says_how_long_it_took() -> None:
    (line,) = write(message(over())).lines
    assert line.mark == "Resolved"
    assert plain(line.when) == "Over after 1 h 30 min, at 21 Nov 2026, 10:30:00 UTC."


def test_korean_is_korean_with_korean_dates() -> None:
    text = write(message(entry(), language="ko", time_zone="Asia/Seoul"))
    (line,) = text.lines
    assert line.sentence == "상태 코드가 503입니다(기대값 200)."
    assert "2026년 11월 21일 18:00:00 KST" in line.when and "2시간" in line.when
    assert text.language == "ko" and "2026년" in text.footer


def test_a_language_or_zone_that_is_gone_does_not_stop_a_message() -> None:
    text = write(message(entry(), language="xx", time_zone="Moon/Base"))
    assert text.title == "Critical: Shop" and "UTC" in text.footer


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cause": "latency", "value": 2400, "level": 2000, "unit": "ms", "operator": ">"}, "2,400 ms"),
        ({"cause": "uptime", "value": 98.21, "level": 99, "unit": "%", "operator": "<"}, "at least 99 % is wanted"),
        ({"cause": "certificate", "value": 3, "level": 7, "unit": "d", "operator": "<"}, "expires in 3 d"),
        ({"cause": "cache_hit_rate", "value": 71, "level": 80, "unit": "%", "operator": "<"}, "at least 80 %"),
        ({"cause": "lateness", "value": 12, "level": 10, "unit": "s", "operator": ">"}, "12 s late"),
        ({"cause": "catalog_drift", "value": 14, "level": 10, "operator": ">"}, "differs by 14 models"),
        ({"cause": "queue_depth", "value": 14, "level": 10, "operator": ">"}, "queue depth is 14; at most 10"),
        ({"cause": "latency", "reason": "no_data"}, "there is no data any more"),
        ({"cause": "channel", "reason": "receiver_gone"}, "The receiver said it is gone for good"),
        ({"cause": "status", "reason": "from_the_future", "evidence": None}, "comes from a newer version"),
        ({"cause": "status", "reason": ""}, "not as it should be"),
        ({"cause": "latency", "value": "much", "level": [], "operator": ">"}, "–"),
    ],
)
def test_every_cause_has_a_sentence_with_its_numbers(changes: dict[str, Any], sentence: str) -> None:
    (line,) = write(message(entry(**changes))).lines
    assert sentence in plain(line.sentence)


def test_a_storm_counts_and_shows_the_worst_first() -> None:
    alerts = [entry(f"Shop {number}") for number in range(30)] + [
        entry(f"B {number}", severity="warning") for number in range(20)
    ]
    text = write(message(*alerts, form="storm", omitted=950))
    assert "980 critical, 20 warnings" in text.summary
    shown = text.shown(10)
    assert [line.subject for line in shown[:2]] == ["Shop 0", "Shop 1"]
    assert (len(shown), shown[-1].sentence) == (11, "And 990 more.")
    assert text.link == LINKS["view"]


def test_a_test_says_that_nothing_is_wrong_even_in_the_users_words() -> None:
    test = message(
        entry("Pager", cause="test", reason="test"), type="channel.test", wording={"title": "A", "body": "B"}
    )
    text = write(test)
    assert (text.title, [line.sentence for line in text.lines]) == ("A", ["B"])
    assert text.summary == "This is a test. Nothing is wrong."


@pytest.mark.parametrize("type", ["incident.opened", "incident.updated", "incident.acknowledged", "incident.resolved"])
def test_a_message_made_for_machines_can_be_worded_too(type: str) -> None:
    data = {
        "incident": {"severity": "outage", "opened_at": AT.isoformat(), "url": "https://portal.example.org/i/1/"},
        "target": {"name": "Shop", "environment": "prod"},
        "change": {"reason": "status_mismatch", "evidence": {"expected": 200, "actual": 503}},
        "sequence": 1,
    }
    text = write(Message("n", type, AT + timedelta(minutes=5), AT, data))
    assert "Shop" in text.title and text.lines[0].sentence == "Expected status 200, got 503."
    assert text.link == "https://portal.example.org/i/1/"
    fired = Message("n", "alert.firing", AT, AT, {"alert": entry(), "sequence": 1})
    assert write(fired).title == "Critical: Shop"


@pytest.mark.parametrize(
    "data", [{}, {"alerts": []}, {"alerts": [{}], "counts": None}, {"alert": {}}, {"alerts": ["x"]}]
)
def test_a_payload_that_lacks_everything_is_still_a_message(data: dict[str, Any]) -> None:
    assert isinstance(write(Message("n", "alert.firing", AT, AT, data)), Text)


def test_text_from_outside_stays_on_its_line() -> None:
    text = write(
        message(
            entry("Shop\r\nBcc: all@example.org\x00\x1b[2J\u202e\ud800", evidence={"expected": 1, "actual": "a\nb"})
        )
    )
    assert text.title == "Critical: Shop Bcc: all@example.org [2J \ufffd"
    assert text.lines[0].sentence == "Expected status 1, got a b."


# --- Cutting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "가", "é", "🎉", "👩‍👩‍👧", "e\u0301", "각", "👍🏽", "\u0301"])
@pytest.mark.parametrize("limit", [0, 1, 2, 7, 20, 99])
def test_a_cut_keeps_the_limit_and_whole_characters(letter: str, limit: int) -> None:
    kept = cut(letter * 200, limit)
    assert size(kept) == len(kept.encode("utf-16-le")) // 2 <= limit
    assert kept.removesuffix("…") == letter * (len(kept.removesuffix("…")) // len(letter))


def test_a_cut_never_falls_into_an_escape() -> None:
    for limit in range(1, 40):
        kept = cut("a&" * 50, limit, lambda letter: {"&": "&amp;"}.get(letter, letter))
        assert size(kept) <= limit
        assert "&" not in kept.replace("&amp;", "")


def test_what_fits_is_left_alone() -> None:
    assert cut("가나다", 3) == "가나다"
    assert cut("가나다라", 3) == "가나…"
    assert one_line("  a\tb \u200d c ") == "a b \u200d c"
