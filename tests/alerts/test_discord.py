"""Discord, against a stand-in that refuses what Discord's documentation says it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from apps.alerts.channels.base import Delivery, DeliveryReason, Message
from apps.alerts.channels.discord import DiscordConfig, DiscordKind
from apps.alerts.door import open_door
from tests.alerts.saying import AT, LINKS, entry, message, over
from tests.servers.chat import ChatServer, discord
from tests.servers.http import answer

HOSTILE = "@everyone @here <@123> <@&5> <#7> **bold** _x_ `code` ||spoiler|| [Discord](http://evil.example) # big"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with discord() as stand_in:
        yield stand_in


def send(server: ChatServer, sent: Message) -> Delivery:
    return DiscordKind().send(sent, DiscordConfig(url=server.hook), open_door())


def told(server: ChatServer, sent: Message) -> dict[str, Any]:
    """The embed that arrived, once the stand-in had nothing to complain of."""
    delivery = send(server, sent)
    assert server.complaints == []
    assert (delivery.ok, delivery.status_code) == (True, 204)
    (embed,) = server.messages[-1]["embeds"]
    found: dict[str, Any] = embed
    return found


def read(words: str) -> str:
    """As Discord shows it: a backslash takes the meaning of the sign after it."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", words)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("form", ["group", "reminder", "storm", "digest"])
def test_every_form_is_taken_in_both_languages(server: ChatServer, form: str, language: str) -> None:
    embed = told(server, message(entry("결제"), over("검색"), form=form, language=language, time_zone="Asia/Seoul"))
    names = [read(field["name"]) for field in embed["fields"]]
    assert "결제" in names[0] and "검색" in names[1]
    reason = "상태 코드가 503입니다(기대값 200)." if language == "ko" else "Expected status 200, got 503."
    assert reason in read(embed["fields"][0]["value"])


def test_the_links_stand_below_and_the_title_leads_there_too(server: ChatServer) -> None:
    embed = told(server, message(entry()))
    assert embed["title"] == "Critical\\: Shop"
    assert embed["url"] == LINKS["view"]
    links = [
        f"[{label}](<{url}>)" for label, url in zip(["Open", "Acknowledge", "Silence"], LINKS.values(), strict=True)
    ]
    assert embed["description"].endswith(" · ".join(links))
    assert embed["timestamp"] == AT.isoformat()


def test_the_colour_follows_how_it_stands(server: ChatServer) -> None:
    sent = [
        message(entry()),
        message(entry(severity="warning")),
        message(over()),
        message(entry(), type="channel.test"),
    ]
    colours = [told(server, each)["color"] for each in sent]
    assert len(set(colours)) == len(colours)


def test_what_is_from_outside_calls_nobody_and_is_no_mark_up(server: ChatServer) -> None:
    embed = told(server, message(entry(HOSTILE, evidence={"expected": HOSTILE, "actual": HOSTILE}), over(HOSTILE)))
    shown = [embed["title"], *(field[part] for field in embed["fields"] for part in ("name", "value"))]
    for words in shown:
        assert not re.search(r"@(everyone|here)", words)
        assert not re.search(r"(?<!\\)(?:\\\\)*[*_`|<>\[\]#~@]", words), words
        assert "://" not in words.replace("\\:", ""), "an address is not made a link"
    assert "**bold** _x_ `code` ||spoiler||" in read(embed["title"])


@pytest.mark.parametrize("letter", ["x", "가", "🎉", "*", "@everyone ", "👩‍👩‍👧", "\ud800", "\n", " ", "\u0301"])
def test_a_name_of_ten_thousand_characters_is_cut_and_the_links_stay(server: ChatServer, letter: str) -> None:
    long = letter * 10_000
    embed = told(server, message(entry(long, evidence={"expected": long, "actual": long}), entry(long)))
    assert embed["url"] == LINKS["view"]
    assert LINKS["acknowledge"] in embed["description"]
    assert not re.search(r"(?<!\\)(?:\\\\)*\\…", embed["title"]), "a cut never leaves half an escape"


def test_the_users_own_words_may_be_long_and_wild(server: ChatServer) -> None:
    wording = {"title": "@everyone {{ target }} " * 100, "body": "{{#firing}}* {{ target }}\n{{/firing}}\n\n" * 50}
    embed = told(server, message(*[entry(HOSTILE)] * 50, wording=wording))
    assert embed["fields"] == []
    assert embed["description"].endswith(f"(<{LINKS['silence']}>)")
    assert len(embed["description"]) > 4_000


def test_a_thousand_alerts_are_one_message(server: ChatServer) -> None:
    alerts = [
        entry(f"Shop {number} " + "y" * 300, evidence={"expected": "e" * 900, "actual": 1}) for number in range(50)
    ]
    embed = told(server, message(*alerts, form="storm", omitted=950))
    assert embed["title"] == "1,000 alerts at once"
    named = len(embed["fields"]) - 1
    assert named >= 15
    assert read(embed["fields"][-1]["value"]) == f"And {1000 - named} more."
    assert "Shop 0" in embed["fields"][0]["name"]


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, {"message": "You are being rate limited.", "retry_after": 6.457, "global": False}, 7),
        ({}, {"message": "You are being rate limited.", "retry_after": 64.57, "global": True}, 64.57),
        ({"X-RateLimit-Reset-After": "1.5", "X-RateLimit-Remaining": "0"}, {}, 1.5),
        ({"Retry-After": "0.65"}, "<html>error code: 1015", 0.65),
        ({"Retry-After": "999999"}, {}, 3_600),
        ({}, {"retry_after": "1e999"}, None),
        ({}, {"retry_after": True}, None),
        ({}, {"retry_after": -5}, 0),
        ({}, [1], None),
        ({}, "[" * 2_000, None),
    ],
)
def test_it_waits_as_long_as_it_was_asked_to(
    server: ChatServer, headers: dict[str, str], body: Any, seconds: float | None
) -> None:
    server.behave("/hook", answer(429, body, headers))
    delivery = send(server, message(entry()))
    assert (delivery.retryable, delivery.reason) == (True, DeliveryReason.RATE_LIMITED)
    assert delivery.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "1.5"}, 1.5),
        ({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "1.5"}, None),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "soon"}, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "999999"}, 3_600),
        ({}, None),
    ],
)
def test_the_last_one_that_is_taken_says_how_long_the_next_has_to_wait(
    server: ChatServer, headers: dict[str, str], seconds: float | None
) -> None:
    server.behave("/hook", answer(204, "", headers))
    delivery = send(server, message(entry()))
    assert (delivery.ok, delivery.reason) == (True, DeliveryReason.DELIVERED)
    assert delivery.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "body", "retryable", "reason", "disable"),
    [
        (400, {"message": "Invalid Form Body", "code": 50035}, False, DeliveryReason.REFUSED, False),
        (401, {"message": "Invalid Webhook Token", "code": 50027}, False, DeliveryReason.UNAUTHORIZED, False),
        (404, {"message": "Unknown Webhook", "code": 10015}, False, DeliveryReason.RECEIVER_GONE, True),
        (404, "<html>", False, DeliveryReason.NOT_FOUND, False),
        (502, "<html>", True, DeliveryReason.RECEIVER_ERROR, False),
    ],
)
def test_every_other_answer_has_its_meaning(
    server: ChatServer, status: int, body: Any, retryable: bool, reason: DeliveryReason, disable: bool
) -> None:
    server.behave("/hook", answer(status, body))
    delivery = send(server, message(entry()))
    assert (delivery.ok, delivery.retryable, delivery.reason, delivery.disable) == (False, retryable, reason, disable)


def test_lists_show_the_place_and_never_the_url() -> None:
    kind, url = DiscordKind(), "https://discord.com/api/webhooks/1/sesame"
    assert kind.destination({"url": url, "place": "#operations"}) == "#operations"
    assert kind.destination({"url": url}) == "Discord"
    assert kind.addresses({"url": "http://[::1]/x"}) == {"url": "::1"}
