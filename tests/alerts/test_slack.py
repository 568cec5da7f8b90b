"""Slack, against a stand-in that refuses what Slack's documentation says it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.alerts.channels.base import Delivery, DeliveryReason, Message
from apps.alerts.channels.slack import SlackConfig, SlackKind
from apps.alerts.door import open_door
from apps.core.kindconfig import ConfigError, decode
from tests.alerts.saying import LINKS, entry, message, over
from tests.servers.chat import ChatServer, slack
from tests.servers.http import answer

HOSTILE = "<!channel> <@U123> <http://evil.example|Slack> & @here *bold* _x_ `code` &lt;!here&gt; :tada:"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with slack() as stand_in:
        yield stand_in


def send(server: ChatServer, sent: Message) -> Delivery:
    return SlackKind().send(sent, SlackConfig(url=server.hook), open_door())


def told(server: ChatServer, sent: Message) -> dict[str, Any]:
    """What arrived, once the stand-in had nothing to complain of."""
    delivery = send(server, sent)
    assert server.complaints == []
    assert (delivery.ok, delivery.status_code, delivery.answer) == (True, 200, "ok")
    return server.messages[-1]


def texts(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["text"]["text"] for block in blocks if "text" in block]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("form", ["group", "reminder", "storm", "digest"])
def test_every_form_is_taken_in_both_languages(server: ChatServer, form: str, language: str) -> None:
    body = told(server, message(entry("결제"), over("검색"), form=form, language=language, time_zone="Asia/Seoul"))
    assert "결제" in str(body) and "검색" in str(body)
    reason = "상태 코드가 503입니다" if language == "ko" else "Expected status 200, got 503."
    assert reason in str(body["blocks"])


def test_the_links_are_buttons(server: ChatServer) -> None:
    body = told(server, message(entry()))
    (actions,) = [block for block in body["blocks"] if block["type"] == "actions"]
    assert [button["url"] for button in actions["elements"]] == list(LINKS.values())
    assert [button["text"]["text"] for button in actions["elements"]] == ["Open", "Acknowledge", "Silence"]
    assert body["text"] == f"Critical: Shop {LINKS['view']}"


def test_what_is_from_outside_neither_mentions_nor_links(server: ChatServer) -> None:
    body = told(server, message(entry(HOSTILE, evidence={"expected": HOSTILE, "actual": HOSTILE}), over(HOSTILE)))
    assert "&lt;!channel&gt;" in body["text"]
    kinds = {block["text"]["type"] for block in body["blocks"] if "text" in block}
    assert kinds == {"plain_text"}, "mark-up is never read"


@pytest.mark.parametrize("letter", ["x", "가", "🎉", "&", "<", "👩‍👩‍👧", "\ud800", "\n", " ", "\u0301"])
def test_a_name_of_ten_thousand_characters_is_cut_and_the_link_stays(server: ChatServer, letter: str) -> None:
    long = letter * 10_000
    body = told(server, message(entry(long, evidence={"expected": long, "actual": long}), entry(long)))
    assert LINKS["view"] in body["text"]
    assert LINKS["acknowledge"] in str(body["blocks"])
    assert "Critical" in body["blocks"][0]["text"]["text"]


def test_the_users_own_words_may_be_long_and_wild(server: ChatServer) -> None:
    wording = {"title": "@channel {{ target }} " * 100, "body": "{{#firing}}<!here> {{ target }}\n{{/firing}}\n\n" * 50}
    body = told(server, message(*[entry(HOSTILE)] * 50, wording=wording))
    assert LINKS["view"] in body["text"]


def test_a_thousand_alerts_are_one_message(server: ChatServer) -> None:
    alerts = [entry(f"Shop {number} " + "y" * 300) for number in range(50)]
    body = told(server, message(*alerts, form="storm", omitted=950))
    assert texts(body["blocks"])[0] == "1,000 alerts at once"
    assert texts(body["blocks"])[-1] == "And 980 more."
    assert sum(map(len, texts(body["blocks"]))) < 12_000
    rows = [block for block in body["blocks"] if "accessory" in block]
    assert rows[0]["accessory"]["url"] == alerts[0]["url"]


@pytest.mark.parametrize(
    ("status", "body", "retryable", "reason", "disable"),
    [
        (400, "invalid_payload", False, DeliveryReason.REFUSED, False),
        (403, "action_prohibited", False, DeliveryReason.UNAUTHORIZED, False),
        (404, "channel_not_found", False, DeliveryReason.NOT_FOUND, False),
        (404, "no_service", False, DeliveryReason.RECEIVER_GONE, True),
        (410, "channel_is_archived", False, DeliveryReason.RECEIVER_GONE, True),
        (429, "rate_limited", True, DeliveryReason.RATE_LIMITED, False),
        (500, "rollup_error", True, DeliveryReason.RECEIVER_ERROR, False),
        (302, "", False, DeliveryReason.REDIRECTED, False),
        (503, "<html><h1>Sorry</h1>", True, DeliveryReason.RECEIVER_ERROR, False),
    ],
)
def test_every_answer_slack_documents_has_its_meaning(
    server: ChatServer, status: int, body: str, retryable: bool, reason: DeliveryReason, disable: bool
) -> None:
    server.behave("/hook", answer(status, body, {"Retry-After": "30"}))
    delivery = send(server, message(entry()))
    assert (delivery.ok, delivery.retryable, delivery.reason, delivery.disable) == (False, retryable, reason, disable)
    assert delivery.retry_after_seconds == (30 if retryable else None)


@pytest.mark.parametrize(
    "url", ["", "hooks.slack.com/services/T/B/x", "ftp://hooks.slack.com/", "https://u:p@slack.com/"]
)
def test_a_url_that_cannot_be_posted_to_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(SlackConfig, {"url": url})
    assert list(caught.value.errors) == ["url"]
    assert not url or url not in str(caught.value)


def test_lists_show_the_place_and_never_the_url() -> None:
    kind, url = SlackKind(), "https://hooks.slack.com/services/T0/B0/sesame"
    assert kind.destination({"url": url, "place": "#operations"}) == "#operations"
    assert kind.destination({"url": url}) == "Slack"
    assert kind.addresses({"url": "http://127.0.0.1/x"}) == {"url": "127.0.0.1"}
    assert kind.addresses({"url": url}) == {}
    assert not kind.is_machine({"url": url})
