"""Somebody taps the link in the message they were sent: one look changes nothing, one confirmation takes the alert."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.rest import wait_for
from tests.flows.telling import PATIENCE_SECONDS, telling
from tests.servers.chat import slack

pytestmark = pytest.mark.platform


def buttons(part: Any) -> Iterator[tuple[str, str]]:
    """(words, address) of everything in a message that can be pressed, wherever it hangs."""
    if isinstance(part, dict) and part.get("type") == "button":
        yield part["text"]["text"], part["url"]
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from buttons(inner)


class Phone:
    """A browser without scripts and without anybody signed in."""

    def __init__(self) -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def open(self, url: str, form: dict[str, str] | None = None) -> str:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        with self._opener.open(urllib.request.Request(url, data=data, headers={"Referer": url}), timeout=10) as page:
            return str(page.read().decode())


def test_the_link_of_a_delivered_message_takes_the_alert(portal: RunningPortal) -> None:
    with telling(portal) as story, slack() as chat:
        room = story.channel("Room", "slack", {"url": chat.hook})["id"]
        story.route("Story", [room], group_wait_seconds=0, group_interval_seconds=1)
        shop = story.service("Shop")
        story.wait_until("operational", shop)
        story.fail(shop)
        wait_for(lambda: chat.messages, "the outage to be told", PATIENCE_SECONDS)
        link = dict(buttons(chat.messages[0]))["Acknowledge"]
        assert link.startswith(f"{portal.url}/m/")

        phone = Phone()
        page = phone.open(link)
        assert story.alert(shop)["acknowledged_at"] is None
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        phone.open(link, {"csrfmiddlewaretoken": token.group(1)})

        alert = story.alert(shop)
        assert alert["acknowledged_at"] is not None
        assert alert["acknowledged_through"] == f"Room {story.tag}"
        assert alert["state"] == "acknowledged"
