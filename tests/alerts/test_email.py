"""What a letter looks like: both parts, both languages, and nothing in it that somebody slipped in."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from html.parser import HTMLParser
from typing import Any

import pytest

from apps.alerts.channels.base import Message
from apps.alerts.channels.letter import SUBJECT_LIMIT_CHARACTERS, compose
from apps.alerts.wording import write
from tests.alerts.saying import LINKS, entry, message, over

SENDER, RECIPIENTS = "portal@example.com", ("ops@example.com", "dev@xn--bj0bj06e.kr")


def letter(told: Message, *, sender: str = SENDER, recipients: tuple[str, ...] = RECIPIENTS) -> EmailMessage:
    """As a mail reader sees it, after the wire."""
    content = compose(told, write(told), sender=sender, recipients=recipients)
    assert b"\n" not in content.replace(b"\r\n", b"") and b"\r" not in content.replace(b"\r\n", b"")
    if sender.isascii():
        assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    return message_from_bytes(content, policy=SMTP if sender.isascii() else SMTPUTF8)


def part(told: EmailMessage, subtype: Any) -> str:
    found = told.get_body((subtype,))
    assert found is not None
    return str(found.get_content())


class Reader(HTMLParser):
    """Every element there is, with its attributes, and the text between."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["en", "ko"])
def test_both_parts_say_the_same_in_the_channels_language(language: str) -> None:
    given = message(entry("상점"), over("검색"), language=language)
    words = write(given)
    told = letter(given)
    assert told.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in told.iter_parts()] == ["text/plain", "text/html"]
    plain, html = part(told, "plain"), Reader(part(told, "html"))
    assert (str(told["Subject"]), told["Content-Language"]) == (words.title, language)
    assert ("html", {"lang": language}) in html.elements
    for said in (words.title, words.summary, words.footer, "상점", "검색", *(line.sentence for line in words.lines)):
        assert said in plain and said in html.text
    for label, url in words.links:
        assert f"{label}: {url}" in plain and label in html.text
    assert {attributes["href"] for tag, attributes in html.elements if tag == "a"} >= set(LINKS.values())


def test_the_headers_are_those_of_a_machine_that_wants_no_answer() -> None:
    told = letter(message(entry()))
    assert str(told["From"]) == "Monitor Portal <portal@example.com>"
    assert str(told["To"]) == ", ".join(RECIPIENTS)
    assert told["Auto-Submitted"] == "auto-generated"
    assert told["Message-ID"] == "<n1@example.com>"
    assert str(told["Date"]) == "Sat, 21 Nov 2026 11:00:00 +0000"
    assert not [name for name in told if name.lower().startswith("list-")]
    assert len(set(told.keys())) == len(told.keys())


def test_letters_about_one_alert_are_one_conversation() -> None:
    opened = letter(message(entry(id="a1"), entry(id="a2")))
    resolved = letter(message(over("Shop", id="a1"), type="alert.resolved"))
    assert opened["References"].split() == ["<alert.a1@example.com>", "<alert.a2@example.com>"]
    assert opened["In-Reply-To"] == resolved["In-Reply-To"] == "<alert.a1@example.com>"
    storm = letter(message(*[entry(id=str(number)) for number in range(50)], form="storm"))
    assert len(storm["References"].split()) == 10


@pytest.mark.parametrize("name", ["서비스 " * 100, "x" * 1_000, "👩‍👩‍👧 " * 90, "café " * 200, "한" * 400])
def test_a_long_subject_is_cut_between_characters_and_survives_the_wire(name: str) -> None:
    told = message(entry(name))
    subject = str(letter(told)["Subject"])
    assert len(subject) <= SUBJECT_LIMIT_CHARACTERS
    assert subject.endswith("…")
    assert write(told).title.startswith(subject[:-1])
    assert "\ufffd" not in subject


@pytest.mark.parametrize(
    "name",
    [
        "Shop\r\nBcc: eve@example.com",
        "Shop\nContent-Type: text/html\n\n<b>",
        "Shop\r\n.\r\nMAIL FROM:<eve@example.com>",
        "Shop\u2028Bcc: eve@example.com\u2029\x85\x0b\x0c",
        "=?utf-8?q?Shop=0D=0ABcc:_eve@example.com?=",
        "Shop\x00\x1b[2J\ud800",
    ],
)
def test_a_name_brings_no_header_with_it(name: str) -> None:
    clean = letter(message(entry("Shop")))
    told = letter(message(entry(name, id=f"1>\r\nBcc: {name}"), links={"view": f"https://example.org/{name}"}))
    assert told.keys() == clean.keys()
    assert all("\n" not in str(value) and "\r" not in str(value) for value in told.values())
    assert told["Bcc"] is None and str(told["To"]) == ", ".join(RECIPIENTS)


def test_mark_up_from_outside_is_text() -> None:
    nasty = '<script>alert(1)</script><img src=x onerror=alert(1)>"&amp;'
    told = message(
        entry(nasty, url="javascript:alert(1)", evidence={"expected": nasty, "actual": nasty}),
        links={"view": "javascript:alert(1)", "acknowledge": 'https://example.org/"><script>'},
    )
    html = Reader(part(letter(told), "html"))
    assert not {"script", "img"} & {tag for tag, _attributes in html.elements}
    assert not [name for _tag, attributes in html.elements for name in attributes if name.startswith("on")]
    assert all(str(found.get("href")).startswith("https://") for tag, found in html.elements if tag == "a")
    assert "<script>alert(1)</script>" in html.text


def test_the_html_asks_nobody_for_anything() -> None:
    html = part(letter(message(entry(), over(), omitted=3)), "html")
    assert not re.search(r"<(link|img|iframe|object|script|base|form)\b|url\(|@import|\bsrc=", html)
    assert "prefers-color-scheme:dark" in html and "max-width:600px" in html and 'name="viewport"' in html
    assert "And 3 more." in html


def test_the_users_own_words_are_paragraphs_and_not_mark_up() -> None:
    told = letter(message(entry(), wording={"title": "Ours: {{ title }}", "body": "<b>One</b>\nTwo"}))
    assert "<b>One</b>\nTwo" in part(told, "plain").replace("\r\n", "\n")
    assert "&lt;b&gt;One&lt;/b&gt;<br>Two" in part(told, "html")


def test_addresses_beyond_ascii_stay_out_of_the_headers_unless_the_sender_is_one() -> None:
    told = letter(message(entry()), recipients=("운영@example.com",))
    assert str(told["To"]) == "undisclosed-recipients:;"
    both = letter(message(entry()), recipients=("운영@example.com", "ops@example.com"))
    assert str(both["To"]) == "ops@example.com"
    korean = letter(message(entry()), sender="포털@example.com")
    assert str(korean["From"]) == "Monitor Portal <포털@example.com>"


def test_a_message_made_for_machines_is_worded_too() -> None:
    data = {"incident": {"id": "i", "severity": "outage"}, "target": {"name": "Shop"}, "change": {}, "sequence": 1}
    told = message(entry())
    plain = part(letter(Message("n2", "incident.opened", told.occurred_at, told.sent_at, data)), "plain")
    assert "Shop" in plain
