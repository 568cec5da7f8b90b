"""The database or Valkey gone: 503 that says so, for pages and API, from views and from the middlewares before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import path
from django_redis.exceptions import ConnectionInterrupted
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as ValkeyError
from redis.exceptions import TimeoutError as ValkeyTimeout
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.api.errors import exception_handler
from apps.core.outages import outage_response

OUTAGES = [
    OperationalError("connection refused"),
    InterfaceError("connection already closed"),
    ValkeyError("refused"),
    ValkeyTimeout("timed out"),
    ConnectionInterrupted(connection=None),
    BrokerError("refused"),
]
_failing: dict[str, Exception] = {}


def failing_page(request: HttpRequest) -> HttpResponse:
    raise _failing["error"]


class FailingView(APIView):
    authentication_classes: Any = []
    permission_classes: Any = []

    def get(self, request: Request) -> Response:
        raise _failing["error"]


urlpatterns = [path("page/", failing_page), path("api/v1/view/", FailingView.as_view())]
handler500 = "apps.core.outages.error_page"


@pytest.fixture
def client() -> Iterator[Client]:
    with override_settings(ROOT_URLCONF=__name__):
        yield Client(raise_request_exception=False)


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("address", ["/page/", "/api/v1/view/"])
def test_what_is_gone_is_said_plainly(client: Client, address: str, error: Exception) -> None:
    _failing["error"] = error
    answer = client.get(address)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    text = answer.content.decode()
    assert "cannot be reached" in text
    assert str(error) not in text
    assert "Traceback" not in text
    expected = "application/json" if address.startswith("/api/") else "text/html"
    assert answer.headers["Content-Type"].startswith(expected)


def test_our_own_failure_is_not_called_an_outage(client: Client) -> None:
    _failing["error"] = RuntimeError("ours")
    page = client.get("/page/")
    assert page.status_code == 500
    assert "cannot be reached" not in page.content.decode()


def test_a_session_that_cannot_be_read_is_an_outage_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is read in a middleware, where only the project's handler500 sees the failure."""
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415

    def gone(_self: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr(SessionStore, "_get_session_from_db", gone)
    browser = Client(raise_request_exception=False)
    browser.cookies["portal_session"] = "x" * 32
    for address in ("/login/", "/api/v1/targets/"):
        answer = browser.get(address)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"


def test_alive_is_answered_without_the_session(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415

    monkeypatch.setattr(SessionStore, "_get_session_from_db", lambda _self: 1 / 0)
    browser = Client()
    browser.cookies["portal_session"] = "x" * 32
    assert browser.get("/healthz").status_code == 200


def test_other_errors_are_left_alone() -> None:
    assert outage_response(RequestFactory().get("/"), ValueError("x")) is None
    assert exception_handler(ValueError("x"), {}) is None
