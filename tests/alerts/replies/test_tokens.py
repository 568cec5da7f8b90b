"""What a link carries, and what is not taken for one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from apps.alerts.replies.links import links_for
from apps.alerts.replies.tokens import LIFETIME, ExpiredToken, ForgedToken, Purpose, make_token, read_token
from apps.core import clock

ALERT, OTHER, TARGET, CHANNEL, MESSAGE = (uuid4() for _ in range(5))
NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_comes_back_as_what_it_was_made_of(purpose: Purpose) -> None:
    with clock.frozen(NOW):
        reply = read_token(make_token(purpose, subject=ALERT, channel=CHANNEL))
    assert (reply.purpose, reply.subject, reply.channel) == (purpose, ALERT, CHANNEL)
    assert reply.expires_at == NOW + timedelta(days=7)


def test_a_token_is_short_and_survives_what_mail_and_chat_do_to_addresses() -> None:
    token = make_token(Purpose.ACKNOWLEDGE_ALERT, subject=ALERT, channel=CHANNEL)
    assert len(token) < 100
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)
    assert ".." not in token


def test_a_token_ends_after_seven_days_to_the_second() -> None:
    with clock.frozen(NOW):
        token = make_token(Purpose.SILENCE_TARGET, subject=TARGET, channel=CHANNEL)
    with clock.frozen(NOW + LIFETIME - timedelta(seconds=1)):
        assert read_token(token).subject == TARGET
    with clock.frozen(NOW + LIFETIME), pytest.raises(ExpiredToken) as expired:
        read_token(token)
    assert expired.value.reply.channel == CHANNEL


@pytest.mark.parametrize("other", list(Purpose))
@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_token_of_one_purpose_is_worth_nothing_for_another(purpose: Purpose, other: Purpose) -> None:
    token = make_token(purpose, subject=ALERT, channel=CHANNEL)
    if purpose is other:
        assert read_token(token).purpose is purpose
    else:
        with pytest.raises(ForgedToken):
            read_token(other.value + token[1:])


def _flipped(token: str, place: int) -> str:
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


GOOD = make_token(Purpose.ACKNOWLEDGE_ALERT, subject=ALERT, channel=CHANNEL)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "x" + GOOD[1:],
        GOOD[:-1],
        GOOD + "A",
        GOOD.partition(".")[0],
        GOOD.partition(".")[0] + ".",
        GOOD.replace(".", ":"),
        *(_flipped(GOOD, place) for place in range(1, len(GOOD)) if GOOD[place] != "."),
        "a" * 5_000,
        "a\x00.b",
        "aé.é",
        "a" + "=" * 40 + "." + "b" * 43,
    ],
    # Tokens are made of random ids: several processes that share the tests must call them the same.
    ids=lambda _token: "token",
)
def test_whatever_was_not_signed_here_is_forged(token: str) -> None:
    with pytest.raises(ForgedToken):
        read_token(token)


def test_a_token_of_another_installation_is_forged(settings: Any) -> None:
    settings.SECRET_KEY = "the key of another portal, of about as many characters"
    with pytest.raises(ForgedToken):
        read_token(GOOD)


def _token_of(url: str) -> str:
    path = urlsplit(url).path
    assert path.startswith("/m/") and path.endswith("/")
    return path[3:-1]


@pytest.mark.parametrize(
    ("alerts", "targets", "acknowledge", "silence"),
    [
        ([], [], None, None),
        ([ALERT], [], (Purpose.ACKNOWLEDGE_ALERT, ALERT), (Purpose.SILENCE_ALERT, ALERT)),
        ([ALERT], [TARGET], (Purpose.ACKNOWLEDGE_ALERT, ALERT), (Purpose.SILENCE_ALERT, ALERT)),
        ([ALERT, ALERT], [], (Purpose.ACKNOWLEDGE_ALERT, ALERT), (Purpose.SILENCE_ALERT, ALERT)),
        ([ALERT, OTHER], [], None, None),
        ([ALERT, OTHER], [TARGET, OTHER], None, None),
        ([ALERT, OTHER], [TARGET, TARGET], (Purpose.ACKNOWLEDGE_MESSAGE, MESSAGE), (Purpose.SILENCE_TARGET, TARGET)),
    ],
)
def test_a_message_offers_what_it_is_clear_about(
    alerts: list[UUID],
    targets: list[UUID],
    acknowledge: tuple[Purpose, UUID] | None,
    silence: tuple[Purpose, UUID] | None,
    settings: Any,
) -> None:
    settings.PORTAL_WEB_URL = "https://portal.example/"
    links = links_for(MESSAGE, alerts, CHANNEL, target_ids=targets)
    assert links["view"] == f"https://portal.example/alerts/{f'{ALERT}/' if set(alerts) == {ALERT} else ''}"
    for name, expected in (("acknowledge", acknowledge), ("silence", silence)):
        if expected is None:
            assert name not in links
        else:
            assert links[name].startswith("https://portal.example/m/")
            reply = read_token(_token_of(links[name]))
            assert (reply.purpose, reply.subject, reply.channel) == (*expected, CHANNEL)
