"""Valkey dies, or forgets everything: it carried messages and held no fact, so looks are late and nothing is lost."""

from __future__ import annotations

import time
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest
from redis import Redis

from tests.flows.conftest import RunningPortal
from tests.flows.looks import DAY_SECONDS, started, wait_until_back, wait_until_gone, wait_until_whole, watched_looks
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target
from tests.live.clients import Stream
from tests.live.web_process import WebProcess

pytestmark = pytest.mark.platform


def test_a_lost_broker_loses_no_look_and_no_write(portal: RunningPortal) -> None:
    with slow_target(seconds=0.3) as target, slow_target(seconds=0) as held, watched_looks(portal, target.url) as looks:
        held.hold()
        daily = looks.add(held.url, interval_seconds=DAY_SECONDS, timeout_seconds=30)
        wait_for(lambda: held.in_flight, "the look to begin")
        with portal.processes.unattended():
            portal.processes.kill("valkey")
            wait_until_gone(portal, "valkey")
            held.release()
            wait_for(lambda: not target.in_flight and not held.in_flight, "the looks under way to end")
            # A fact needs no broker; a look that somebody asks for does, and says so.
            kept = portal.client.post("/api/v1/services/", {"name": "Written without a broker"})["id"]
            edited = portal.client.call("PATCH", f"/api/v1/checks/{looks.checks[0]}/", {"name": "Renamed meanwhile"})
            assert (edited.status, edited.body["name"]) == (200, "Renamed meanwhile")
            asked = portal.client.call("POST", f"/api/v1/checks/{looks.checks[0]}/run/")
            assert asked.status == 503
            assert "broker cannot be reached" in asked.body["detail"]
        wait_until_back(portal, "valkey")
        back_at = time.time()

        looks.wait_for_looks(back_at, "after the broker came back", looks=2, of=looks.checks[:1])
        wait_for(lambda: looks.results(daily), "the look that was under way, kept or taken again", 60)
        wait_until_whole(portal)
        assert portal.client.get(f"/api/v1/services/{kept}/")["name"] == "Written without a broker"
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()
        portal.client.call("DELETE", f"/api/v1/services/{kept}/")


def test_a_flushed_broker_loses_no_fact(portal: RunningPortal) -> None:
    with slow_target(seconds=0.3) as target, slow_target(seconds=0) as held, watched_looks(portal, target.url) as looks:
        browser, stream = signed_in(portal), news_of(portal)
        held.hold()
        daily = looks.add(held.url, interval_seconds=DAY_SECONDS, timeout_seconds=30)
        wait_for(lambda: held.in_flight, "the look to begin")
        begun, before = target.started, looks.results(looks.checks[0])
        with Redis.from_url(portal.processes.run["environment"]["REDIS_URL"]) as valkey:
            # Again and again, so that messages of every kind are on their way in one of the times.
            wait_for(lambda: valkey.flushall() and target.started >= begun + 3, "looks in spite of the flushes", 60)
        held.release()
        flushed_at = time.time()

        looks.wait_for_looks(flushed_at, "after the flushes", looks=2, of=looks.checks[:1])
        wait_for(lambda: looks.results(daily), "the look that was under way, kept or taken again", 60)
        wait_until_whole(portal)
        after = looks.results(looks.checks[0])
        assert after[-len(before) :] == before, "history is as it was"
        assert page_for(browser, portal, "/settings/") == "/settings/", "whoever was signed in still is"
        assert hears_of_a_result(stream, flushed_at), "whoever listened still hears"
        stream.close()
        looks.assert_none_is_doubled()
        looks.assert_nothing_is_blamed_on_the_target()


def signed_in(portal: RunningPortal) -> OpenerDirector:
    """A browser without a screen, signed in as the administrator."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    browser.open(f"{portal.url}/login/", timeout=10).close()
    token = next(cookie.value for cookie in cookies if cookie.name == "portal_csrf")
    form = {"username": portal.username, "password": portal.password, "csrfmiddlewaretoken": token}
    body = urlencode(form).encode()
    browser.open(Request(f"{portal.url}/login/", body, {"Referer": f"{portal.url}/login/"}), timeout=10).close()
    return browser


def page_for(browser: OpenerDirector, portal: RunningPortal, path: str) -> str:
    """Where a page leads: to itself, or to the sign-in page."""
    with browser.open(f"{portal.url}{path}", timeout=10) as answer:
        return urlsplit(str(answer.url)).path


def news_of(portal: RunningPortal) -> Stream:
    """What a script hears of the portal's news."""
    web = WebProcess(urlsplit(portal.url).port or 0, portal.processes.state.logs / "web.log")
    return Stream(web, headers={"Authorization": f"Bearer {portal.client.token}"})


def hears_of_a_result(stream: Stream, since: float) -> bool:
    """Read on until a result of after `since` (Unix seconds) is told; the stream's end raises EOFError."""
    while True:
        event = stream.event()
        if event["type"] == "check.result" and started(event) > since:
            return True
