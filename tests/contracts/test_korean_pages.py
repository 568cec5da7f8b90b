"""Every page a signed-in person can click to, read in Korean: no English sentence is left on it.

The pages are found by following links from the overview, so that a new page is read as soon as something leads to it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit
from zoneinfo import available_timezones

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import Model
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import translation

from apps.accounts.models import User
from apps.alerts.routes.services import create_route
from apps.alerts.silences.services import create_silence
from apps.catalog.models import Environment
from apps.checks.heartbeats.services import close_ping_key, open_ping_key
from apps.checks.incidents import acknowledge_incident, add_note
from apps.checks.models import Guard, Incident
from apps.core import clock
from apps.core.embedded.translations import compile_translations
from tests.alerts.world import deliver, make_channel
from tests.checks.guards.listed import list_guard
from tests.checks.heartbeats.telling import hear as hear_pings
from tests.checks.heartbeats.telling import make_heartbeat, pings_of, wait_out
from tests.checks.looking import DEGRADED, FAILED, OK, look
from tests.dashboard.regions import hear, make_region, quiet_broker
from tests.factories import make_check, make_model, make_provider, make_service
from tools.translation.allowed import unknown_words
from tools.translation.bare_templates import readable_text
from tools.translation.sources import PROJECT

# Two words in a row make a sentence; one alone may be a name, a header or a value.
_PHRASE = re.compile(r"[A-Za-z][A-Za-z’']+(?:[ ,]+[A-Za-z][A-Za-z’']+)+")
# The page of parts shows invented texts to developers; the API's own pages are written for programmers.
_LEFT_OUT = (
    "/admin/logout/",
    "/admin/jsi18n/",
    "/admin/accounts/auditentry/",
    "/api/",
    "/static/",
    "/settings/components/",
    "/logout/",
    "/healthz",
    "/readyz",
    "/metrics",
)
# Most pages have one shape whatever they show; this many of each are enough to see it.
_PAGES_OF_A_KIND = 2
# Django's own Korean keeps a term, and a program keeps its name.
_KEPT = ("Single Sign", "Uptime Kuma")
# A time zone is chosen by the names of its database.
_ZONES = {part for name in available_timezones() for part in (name, *name.split("/"), name.partition("/")[2])}
_ZONE_NAMES = {name.replace("_", " ") for name in _ZONES}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.found += [values[name] or "" for name in ("href", "hx-get") if name in values]


@pytest.fixture(autouse=True)
def _compiled() -> None:
    compile_translations(PROJECT)


@pytest.fixture
def korean(administrator: User, client: Client) -> Client:
    User.objects.filter(pk=administrator.pk).update(language="ko", is_superuser=True)
    client.force_login(User.objects.get(pk=administrator.pk), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.django_db
def test_the_login_page_and_a_missing_page_speak_korean(client: Client) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"

    for path, status in (("/login/", 200), ("/nothing/here/", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert 'lang="ko"' in answer.text
        assert english(answer.text) == []


@pytest.fixture
def busy(administrator: User) -> None:
    """One of each thing, with a past: an outage that was seen, told without success, noted and acknowledged."""
    make_model(make_provider("공급자-가", base_url="http://127.0.0.1:9/v1"), "모델-가")
    check = make_check(make_service("결제").target, name="응답")
    look(check, OK, DEGRADED, FAILED, FAILED)
    make_check(make_service("정산").target, name="응답")
    channel = make_channel("http://127.0.0.1:9/hook", name="당직")
    shop = {"label": "target", "operator": "=", "value": "결제"}
    top, _warnings = create_route(actor=None, name="상점", matchers=[shop], channels=[channel], group_wait_seconds=30)
    create_route(actor=None, name="밤", parent=top, active_times=[{"days": [0], "start": "22:00", "end": "07:00"}])
    until = clock.now() + timedelta(hours=1)
    create_silence(actor=None, matchers=[shop], starts_at=None, ends_at=until, comment="정비")
    deliver()
    incident = Incident.objects.get()
    add_note(actor=administrator, incident=incident, text="확인해 보겠습니다.")
    acknowledge_incident(actor=administrator, incident=incident)


@pytest.fixture
def regions(transactional_db: None) -> Iterator[None]:
    """One region nobody serves, and one with everything odd: late, its line lost, a clock and a key that are off."""
    with quiet_broker():
        seoul = make_region("seoul", "서울")
        hear("seoul", version="0.0.1", skew_seconds=3600.0, late_ms_p95=7_200.0)
        hear("seoul", name="seoul-host-2", key_differs=True, skew_seconds=-60.0)
        guard = list_guard(seoul, name="관문")
        now = clock.now()
        Guard.objects.filter(pk=guard.pk).update(
            state="fails", since=now, last_looked_at=now, reason="connect_refused", evidence={"host": "127.0.0.1"}
        )
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("busy", "regions")
def test_no_page_that_can_be_clicked_to_holds_an_english_sentence(korean: Client) -> None:
    pages = crawl(korean, "/")
    left = [f"{path}: {phrase}" for path, page in pages.items() for phrase in english(page)]

    assert len(pages) > 50 and "/admin/" in pages, sorted(pages)
    assert not left, "\n".join(left)


@pytest.mark.django_db
def test_the_pages_of_heartbeats_hold_no_english_sentence(korean: Client, production: Environment) -> None:
    """The crawl reads two checks of any kind; a heartbeat has many states and a page of its own."""
    key, _plain = open_ping_key(actor=None, environment=production)
    open_ping_key(actor=None, environment=production)
    close_ping_key(actor=None, key=key)
    service = make_service("백업").target
    silent = make_heartbeat(service, name="조용함")
    missed = make_heartbeat(service, name="누락", config={"cron": "0 3 * * *", "timezone": "Asia/Seoul"})
    hear_pings(missed, "start", "log", "success", body=b"x")
    stuck = make_heartbeat(service, name="멈춤")
    hear_pings(stuck, "start")
    assert wait_out(90_000) > 0
    failed = make_heartbeat(service, name="실패", config={"cron": "5 */2 * * MON"})
    hear_pings(failed, "fail", exit_status=3)
    shown = [check.get_absolute_url() for check in (silent, missed, stuck, failed)]
    paths = [*shown, *(f"{path}edit/" for path in shown), service.get_absolute_url(), "/heartbeats/keys/"]
    paths += [f"{missed.get_absolute_url()}pings/{ping.id}/" for ping in pings_of(missed)[:1]]
    paths += [f"/checks/new/?target={service.pk}&kind=heartbeat", "/checks/schedule/?cron=0+3+*+*+*&grace_seconds=60"]

    answers = {path: korean.get(path) for path in paths}
    left = [f"{path}: {phrase}" for path, answer in answers.items() for phrase in english(answer.text)]

    assert {answer.status_code for answer in answers.values()} == {200}
    assert not left, "\n".join(left)


def test_every_column_and_field_of_the_admin_has_a_korean_name() -> None:
    admin.autodiscover()
    with translation.override("ko"):
        left = [
            f"{model.__name__}.{name}: {label}"
            for model, name, label in _admin_labels()
            if unknown_words(label) and not re.search("[가-힣]", label)
        ]

    assert not left, "\n".join(left)


def _admin_labels() -> Iterator[tuple[type[Model], str, str]]:
    """The names people read over the columns and fields of our own models, inlines included."""
    for model, model_admin in admin.site._registry.items():
        parts: list[tuple[type[Model], Any]] = [(model, model_admin)]
        parts += [(inline.model, inline(model, admin.site)) for inline in model_admin.inlines]
        for shown, part in parts:
            if not shown.__module__.startswith("apps."):
                continue
            yield shown, "verbose_name", str(shown._meta.verbose_name)
            names = {*getattr(part, "list_display", ()), *part.readonly_fields, *(part.fields or ())}
            for name in sorted(str(name) for name in names):
                yield shown, name, str(label_for_field(name, shown, part))


def crawl(client: Client, start: str) -> dict[str, str]:
    """The pages and fragments reached from `start` by links, a few of each kind, by path."""
    pages: dict[str, str] = {}
    seen: dict[str, int] = {}
    waiting = deque([start])
    while waiting:
        path = waiting.popleft()
        kind = _kind(path)
        if not kind or path in pages or seen.get(kind, 0) >= _PAGES_OF_A_KIND:
            continue
        seen[kind] = seen.get(kind, 0) + 1
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            pages[path] = answer.text
            links = _Links()
            links.feed(answer.text)
            waiting.extend(urljoin(path, link) for link in links.found)
    return pages


def english(markup: str) -> list[str]:
    """Phrases of two or more words, at least one of which somebody would translate."""
    texts = [text for text in readable_text(markup) if text.strip() not in _ZONE_NAMES]
    return [
        match[0]
        for text in texts
        for match in _PHRASE.finditer(text)
        if unknown_words(match[0]) and match[0] not in _KEPT
    ]


def _kind(link: str) -> str:
    """The name of the route a link leads to; "" for one that leaves the pages."""
    parts = urlsplit(link)
    if parts.netloc or parts.scheme or parts.path.startswith(_LEFT_OUT):
        return ""
    try:
        return resolve(parts.path).view_name
    except Resolver404:
        return ""
