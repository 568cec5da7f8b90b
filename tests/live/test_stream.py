"""`GET /api/v1/events/` as a script meets it, against a real web process."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from rest_framework_simplejwt.tokens import RefreshToken

from apps.accounts.access import Scope
from apps.accounts.models import User
from apps.accounts.services import create_token, revoke_token
from apps.catalog.models import Environment
from apps.core.ids import uuid7
from apps.core.news import announce
from apps.live.sse import MAX_STREAMS_A_USER
from tests.live.clients import Stream
from tests.live.people import cookie_of, sign_in
from tests.live.waiting import wait_until
from tests.live.web_process import WebProcess

OpenStream = Callable[..., Stream]


def bearer(user: User) -> dict[str, str]:
    _, plain = create_token(actor=None, user=user, name="script", scope=Scope.READ)
    return {"Authorization": f"Bearer {plain}"}


@pytest.fixture
def open_stream(web: WebProcess) -> Iterator[OpenStream]:
    streams: list[Stream] = []

    def open_one(headers: dict[str, str], query: str = "") -> Stream:
        stream = Stream(web, headers=headers, query=query)
        streams.append(stream)
        return stream

    yield open_one
    for stream in streams:
        stream.close()


def started(stream: Stream) -> Stream:
    """Past the block that every stream begins with, after which it hears."""
    assert stream.status == 200, stream.json()
    assert set(stream.block()) == {"retry", "id"}
    return stream


def test_a_script_with_a_token_hears_events(alice: User, production: Environment, open_stream: OpenStream) -> None:
    stream = started(open_stream(bearer(alice)))
    incident = uuid7()

    announce("incident.opened", [incident], production.pk)

    opened, summary = stream.event(), stream.event()
    assert (opened["v"], opened["type"], opened["ids"]) == (1, "incident.opened", [str(incident)])
    assert opened["environment"] == str(production.pk)
    assert summary["type"] == "summary"


def test_the_answer_is_neither_compressed_nor_kept_nor_buffered(alice: User, open_stream: OpenStream) -> None:
    answer = open_stream({**bearer(alice), "Accept-Encoding": "gzip, br"}).response

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Content-Encoding"] is None


def test_a_session_and_a_jwt_open_a_stream_too(alice: User, open_stream: OpenStream) -> None:
    started(open_stream({"Cookie": cookie_of(sign_in(alice))}))
    started(open_stream({"Authorization": f"Bearer {RefreshToken.for_user(alice).access_token}"}))


def test_a_client_that_was_here_before_is_told_to_fetch_everything_first(
    alice: User, production: Environment, open_stream: OpenStream
) -> None:
    stream = started(open_stream({**bearer(alice), "Last-Event-ID": str(uuid7())}, "?types=incident"))

    announce("incident.resolved", [uuid7()], production.pk)

    first = stream.event()
    assert (first["type"], first["ids"], first["environment"]) == ("resync", [], None)
    assert stream.event()["type"] == "incident.resolved"


def test_types_and_environment_narrow_what_is_heard(
    alice: User, development: Environment, production: Environment, open_stream: OpenStream
) -> None:
    stream = started(open_stream(bearer(alice), "?environment=dev&types=incident,target.status"))

    announce("incident.opened", [uuid7()], production.pk)
    announce("target.changed", [uuid7()], development.pk)
    announce("target.status", [uuid7()], development.pk)
    announce("incident.note", [uuid7()], development.pk)

    assert [stream.event()["type"], stream.event()["type"]] == ["target.status", "incident.note"]


def test_an_environment_outside_ones_grants_does_not_exist(bob: User, open_stream: OpenStream) -> None:
    hidden, invented = open_stream(bearer(bob), "?environment=prod"), open_stream(bearer(bob), "?environment=nowhere")

    assert (hidden.status, hidden.json()) == (400, {"environment": ["There is no environment “prod”."]})
    assert (invented.status, invented.json()) == (400, {"environment": ["There is no environment “nowhere”."]})


def test_an_unknown_type_or_filter_is_refused_with_what_there_is(alice: User, open_stream: OpenStream) -> None:
    refused = open_stream(bearer(alice), "?types=incidents&env=dev")

    assert refused.status == 400
    errors = refused.json()
    assert "incident" in errors["types"][0]
    assert "environment" in errors["env"][0]


def test_somebody_outside_an_environment_hears_nothing_of_it(
    bob: User, development: Environment, production: Environment, open_stream: OpenStream
) -> None:
    stream = started(open_stream(bearer(bob)))

    announce("target.status", [uuid7()], production.pk)
    announce("check.result", [uuid7()], development.pk)

    assert stream.event()["environment"] == str(development.pk)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer mp_wrong"}, {"Authorization": "Bearer not.a.jwt"}])
def test_without_a_valid_token_there_is_no_stream(
    transactional_db: None, open_stream: OpenStream, headers: dict[str, str]
) -> None:
    refused = open_stream(headers)

    assert refused.status == 401
    assert refused.response.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.json()["detail"]


def test_somebody_without_any_grant_is_refused(charlie: User, open_stream: OpenStream) -> None:
    assert open_stream(bearer(charlie)).status == 403


def test_another_method_is_refused(alice: User, web: WebProcess) -> None:
    request = urllib.request.Request(f"{web.url}/api/v1/events/", method="POST", headers=bearer(alice), data=b"{}")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)

    assert refused.value.code == 405


def test_a_revoked_token_ends_its_stream_at_once(alice: User, open_stream: OpenStream) -> None:
    token, plain = create_token(actor=None, user=alice, name="script")
    stream = started(open_stream({"Authorization": f"Bearer {plain}"}))
    other = started(open_stream(bearer(alice)))

    revoke_token(actor=None, token=token)

    with pytest.raises(EOFError):
        stream.event()
    announce("region.changed", [uuid7()], None)
    assert other.event()["type"] == "region.changed"


def test_a_user_may_have_twenty_streams_and_a_closed_one_makes_room(alice: User, open_stream: OpenStream) -> None:
    headers = bearer(alice)
    streams = [started(open_stream(headers)) for _ in range(MAX_STREAMS_A_USER)]

    refused = open_stream(headers)
    assert refused.status == 429
    assert str(MAX_STREAMS_A_USER) in refused.json()["detail"]

    streams[0].close()
    wait_until(lambda: open_stream(headers).status == 200, "a closed stream to make room")


def test_open_streams_hold_no_database_connection(alice: User, open_stream: OpenStream) -> None:
    headers = {"Cookie": cookie_of(sign_in(alice))}  # a session is read by the middlewares, before the view
    streams = [started(open_stream(headers)) for _ in range(15)]

    wait_until(lambda: connections_of_the_web_process() <= 2, "the connections to be given back")
    announce("region.changed", [uuid7()], None)
    assert {stream.event()["type"] for stream in streams} == {"region.changed"}


def connections_of_the_web_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        row: Any = cursor.fetchone()
    return int(row[0])
