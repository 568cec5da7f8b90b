"""Sending again what was given up: all of it, or what fits a filter, by whoever may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts import replaying
from apps.alerts.models import Channel, Notification
from apps.catalog.models import Environment
from apps.core import clock
from apps.core.ids import uuid7
from tests.alerts.register.opening import channel_for_people, open_alert
from tests.alerts.world import deliver, make_channel, make_incident, only
from tests.factories import api_client, make_service, make_user
from tests.servers.http import HttpServer, answer

pytestmark = pytest.mark.django_db

URL = "/api/v1/notifications/replay/"


def dead(channel: Channel, environment: Environment | None = None, *, ago: float = 60, **fields: Any) -> Notification:
    at = clock.now() - timedelta(seconds=ago)
    payload = {"type": "alert.firing", "timestamp": at.isoformat(), "data": {}}
    values: dict[str, Any] = {"kind": "alert.firing", "reason": "receiver_error", "state": "dead", "payload": payload}
    return Notification.objects.create(
        channel=channel,
        environment=environment,
        source=uuid7(),
        not_before=at,
        created_at=at,
        finished_at=at,
        attempts=15,
        **{**values, **fields},
    )


def ask(user: User, **body: Any) -> Any:
    return api_client(user).post(URL, body)


def waiting() -> set[Any]:
    return set(Notification.objects.filter(state="pending").values_list("pk", flat=True))


def test_everything_that_was_given_up_is_sent_again_with_its_own_id(operator: User, receiver: HttpServer) -> None:
    make_channel(receiver.behave("/hook", answer(400)))
    make_incident("Shop")
    make_incident("Search")
    deliver()
    before = {request.headers["webhook-id"] for request in receiver.received}
    answered = ask(operator)
    assert (answered.status_code, answered.json()) == (202, {"count": 2, "remaining": 0})
    receiver.behave("/hook", answer(200))
    deliver()
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}
    assert {request.headers["webhook-id"] for request in receiver.received} == before


def test_each_gets_a_whole_round_of_attempts_and_is_due_at_once(operator: User) -> None:
    one = dead(channel_for_people())
    ask(operator)
    one.refresh_from_db()
    assert (one.state, one.reason, one.attempts, one.attempts_allowed) == ("pending", "", 15, 30)
    assert one.finished_at is None and one.not_before <= clock.now()


def test_a_filter_chooses_which(operator: User, production: Environment, development: Environment) -> None:
    pager, mail = channel_for_people("Pager"), channel_for_people("Mail")
    alert = open_alert(make_service("Shop").target)
    rows = {
        "pager": dead(pager, production),
        "mail": dead(mail, production),
        "reason": dead(pager, production, reason="unauthorized"),
        "kind": dead(pager, production, kind="alert.reminder"),
        "dev": dead(pager, development),
        "old": dead(pager, production, ago=7_200),
        "alert": dead(pager, production),
    }
    rows["alert"].alerts.add(alert)
    hour_ago = (clock.now() - timedelta(hours=1)).isoformat()
    table: list[tuple[dict[str, Any], set[str]]] = [
        ({"channel": str(mail.pk)}, {"mail"}),
        ({"reason": "unauthorized"}, {"reason"}),
        ({"kind": "alert.reminder", "state": "dead"}, {"kind"}),
        ({"environment": "dev"}, {"dev"}),
        ({"created_before": hour_ago}, {"old"}),
        ({"alert": str(alert.pk)}, {"alert"}),
        (
            {"channel": str(pager.pk), "environment": "prod", "created_after": hour_ago},
            {"pager", "reason", "kind", "alert"},
        ),
        ({}, set(rows)),
    ]
    for body, names in table:
        Notification.objects.update(state="dead")
        for row in rows.values():
            Notification.objects.filter(pk=row.pk).update(reason=row.reason, kind=row.kind)
        answered = ask(operator, **body)
        assert (answered.status_code, answered.json()["count"]) == (202, len(names)), body
        assert waiting() == {rows[name].pk for name in names}, body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "sent"}, "state"),
        ({"channel": "x"}, "channel"),
        ({"reason": "bad_luck"}, "reason"),
        ({"kind": "other"}, "kind"),
        ({"environment": "nowhere"}, "environment"),
        ({"created_after": "yesterday"}, "created_after"),
        ({"alert": ["a"]}, "alert"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_filter_that_cannot_be_read_sends_nothing(body: dict[str, Any], field: str, operator: User) -> None:
    dead(channel_for_people())
    answered = ask(operator, **body)
    assert (answered.status_code, list(answered.json())) == (400, [field])
    assert waiting() == set()


def test_what_cannot_or_need_not_arrive_is_left_out(operator: User) -> None:
    off, gone = channel_for_people("Off", enabled=False), channel_for_people("Gone", deleted_at=clock.now())
    one = channel_for_people("Team")
    for row in (dead(off), dead(gone), dead(one, kind="channel.test"), dead(one, state="sent")):
        assert row.pk is not None
    assert ask(operator).json() == {"count": 0, "remaining": 0}
    assert not AuditEntry.objects.filter(action="replay").exists()


def test_one_is_replayed_only_where_its_operator_is_one(production: Environment, development: Environment) -> None:
    channel = channel_for_people()
    here, there, everywhere = dead(channel, production), dead(channel, development), dead(channel)
    assert ask(make_user(Role.VIEWER)).status_code == 403
    assert ask(make_user(None)).status_code == 403
    assert ask(make_user(Role.OPERATOR, production)).json()["count"] == 1
    assert waiting() == {here.pk}
    assert ask(make_user(Role.OPERATOR)).json()["count"] == 2
    assert waiting() == {here.pk, there.pk, everywhere.pk}


def test_the_audit_log_says_once_who_sent_how_many_of_what(operator: User) -> None:
    channel = channel_for_people()
    for _ in range(3):
        dead(channel)
    ask(operator, channel=str(channel.pk))
    entry = AuditEntry.objects.get(action="replay")
    assert (entry.actor, entry.object_type, entry.object_id) == (operator, "notification", None)
    assert entry.changes == {"count": [None, 3], "channel": [None, str(channel.pk)]}


def test_a_call_takes_so_many_the_oldest_first_and_says_what_is_left(
    operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MAX_AT_ONCE", 2)
    channel = channel_for_people()
    new, old, oldest = (dead(channel, ago=ago) for ago in (10, 20, 30))
    assert ask(operator).json() == {"count": 2, "remaining": 1}
    assert waiting() == {old.pk, oldest.pk}
    assert ask(operator).json() == {"count": 1, "remaining": 0}
    assert waiting() == {new.pk, old.pk, oldest.pk}


def test_a_thousand_cost_what_ten_cost(operator: User) -> None:
    channel, client = channel_for_people(), api_client(operator)
    client.post(URL, {})
    at, costs = clock.now(), []
    for number in (10, 1_000):
        Notification.objects.bulk_create(
            Notification(
                channel=channel, source=uuid7(), kind="alert.firing", state="dead", not_before=at, created_at=at,
                finished_at=at,
            )
            for _ in range(number)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert client.post(URL, {}).json()["count"] == number
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 10


def test_a_single_one_for_people_gets_a_whole_round_too(operator: User) -> None:
    dead(channel_for_people())
    assert api_client(operator).post(f"/api/v1/notifications/{only().pk}/replay/").status_code == 202
    assert only().attempts_allowed == 30
