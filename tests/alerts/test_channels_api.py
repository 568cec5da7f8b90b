"""Channels over REST."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.access import Role, Scope
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Channel, Notification
from apps.catalog.models import Environment
from tests.alerts.world import SECRET, deliver, make_channel
from tests.factories import api_client, make_token, make_user
from tests.servers.http import HttpServer

pytestmark = pytest.mark.django_db

URL = "/api/v1/channels/"
HOOK = "http://127.0.0.1:9/hooks/sesame"


def body(**changes: Any) -> dict[str, Any]:
    return {"name": "Pager", "kind": "webhook", "config": {"url": HOOK}, **changes}


def test_a_secret_is_made_shown_once_and_masked_ever_after(administrator: User) -> None:
    client = api_client(administrator)
    answer = client.post(URL, body())
    assert answer.status_code == 201, answer.json()
    secret = answer.json()["config"]["secret"]
    assert secret.startswith("whsec_")
    identifier = answer.json()["id"]
    for later in (
        client.get(f"{URL}{identifier}/"),
        client.get(URL),
        client.patch(f"{URL}{identifier}/", {"name": "B"}),
    ):
        assert later.status_code == 200
        assert secret not in later.content.decode()
        assert secret.removeprefix("whsec_") not in later.content.decode()
    assert secret not in str(Channel.objects.get().config)
    assert secret not in str(list(AuditEntry.objects.values()))


def test_a_secret_that_was_given_is_never_shown(administrator: User) -> None:
    answer = api_client(administrator).post(URL, body(config={"url": HOOK, "secret": SECRET}))
    assert answer.status_code == 201
    assert SECRET not in answer.content.decode()
    assert answer.json()["config"]["secret"] != ""


def test_an_empty_secret_asks_for_a_new_one(administrator: User) -> None:
    client = api_client(administrator)
    made = client.post(URL, body()).json()
    kept = client.patch(f"{URL}{made['id']}/", {"config": {"url": HOOK + "2"}}).json()
    assert not kept["config"]["secret"].startswith("whsec_"), "an absent secret keeps the stored one, masked"
    renewed = client.patch(f"{URL}{made['id']}/", {"config": {"url": HOOK, "secret": ""}}).json()
    assert renewed["config"]["secret"].startswith("whsec_")
    assert renewed["config"]["secret"] != made["config"]["secret"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Pager\r\nX-Injected: 1"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"kind": "pigeon"}, "kind"),
        ({"kind": 5.5}, "kind"),
        ({"config": "http://127.0.0.1/"}, "config"),
        ({"config": []}, "config"),
        ({"config": {}}, "config.url"),
        ({"config": {"url": "ftp://example.org/"}}, "config.url"),
        ({"config": {"url": "http://example.org/\r\nX: 1"}}, "config.url"),
        ({"config": {"url": "http://user:word@example.org/"}}, "config.url"),
        ({"config": {"url": "http://169.254.169.254/latest/"}}, "config.url"),
        ({"config": {"url": "http://10.1.2.3/"}}, "config.url"),
        ({"config": {"url": "http://[::ffff:10.1.2.3]/"}}, "config.url"),
        ({"config": {"url": "http://0xa.1/"}}, "config.url"),
        ({"config": {"url": HOOK, "secret": "open sesame"}}, "config.secret"),
        ({"config": {"url": HOOK, "headers": {}}}, "config.headers"),
        ({"environment": "moon"}, "environment"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_written(
    administrator: User, changes: dict[str, Any], field: str
) -> None:
    answer = api_client(administrator).post(URL, body(**changes))
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not Channel.objects.exists()
    assert not AuditEntry.objects.filter(object_type="channel").exists()


def test_a_name_that_is_taken_is_a_field_error_until_its_channel_is_deleted(administrator: User) -> None:
    client = api_client(administrator)
    first = client.post(URL, body()).json()
    taken = client.post(URL, body(name="pager"))
    assert (taken.status_code, list(taken.json())) == (400, ["name"])
    other = client.post(URL, body(name="Other")).json()
    assert client.patch(f"{URL}{other['id']}/", {"name": "PAGER"}).status_code == 400
    assert client.delete(f"{URL}{first['id']}/").status_code == 204
    assert client.get(f"{URL}{first['id']}/").status_code == 404
    assert client.post(URL, body()).status_code == 201


def test_the_kind_of_a_channel_stays(administrator: User) -> None:
    client = api_client(administrator)
    made = client.post(URL, body()).json()
    refused = client.patch(f"{URL}{made['id']}/", {"kind": "mail"})
    assert (refused.status_code, list(refused.json())) == (400, ["kind"])


def test_a_stored_secret_does_not_follow_to_another_server(administrator: User) -> None:
    client = api_client(administrator)
    made = client.post(URL, body()).json()
    moved = client.patch(f"{URL}{made['id']}/", {"config": {"url": "http://127.0.0.2:9/"}})
    assert (moved.status_code, list(moved.json())) == (400, ["config.secret"])


def test_readers_see_where_it_leads_but_not_the_path(viewer: User, operator: User) -> None:
    channel = make_channel(HOOK)
    for reader in (viewer, operator):
        client = api_client(reader)
        seen = client.get(f"{URL}{channel.pk}/")
        assert seen.status_code == 200
        assert seen.json()["destination"] == "http://127.0.0.1:9"
        assert "sesame" not in seen.content.decode()
        for refused in (
            client.post(URL, body(name="B")),
            client.patch(f"{URL}{channel.pk}/", {"name": "B"}),
            client.delete(f"{URL}{channel.pk}/"),
            client.post(f"{URL}{channel.pk}/test/"),
        ):
            assert refused.status_code == 403
    assert Channel.objects.get().name == "Pager"


def test_a_token_that_may_only_read_sees_what_a_viewer_sees(administrator: User) -> None:
    channel = make_channel(HOOK)
    client = api_client(token=make_token(administrator, Scope.READ))
    assert "sesame" not in client.get(f"{URL}{channel.pk}/").content.decode()
    assert client.post(f"{URL}{channel.pk}/test/").status_code == 403


def test_a_channel_belongs_to_its_environment(production: Environment, development: Environment) -> None:
    own, other = make_channel(HOOK, name="Dev", where="dev"), make_channel(HOOK, name="Prod", where="prod")
    of_all = make_channel(HOOK, name="All")
    admin = api_client(make_user(Role.ADMIN, development))
    assert [row["name"] for row in admin.get(URL).json()["results"]] == ["All", "Dev"]
    assert admin.get(f"{URL}{other.pk}/").status_code == 404
    assert admin.post(f"{URL}{other.pk}/test/").status_code == 404
    assert "sesame" in admin.get(f"{URL}{own.pk}/").content.decode()
    assert "sesame" not in admin.get(f"{URL}{of_all.pk}/").content.decode()
    assert admin.patch(f"{URL}{of_all.pk}/", {"name": "Mine"}).status_code == 403
    assert admin.post(URL, body(name="New")).status_code == 403
    assert admin.post(URL, body(name="New", environment="dev")).status_code == 201
    assert admin.post(URL, body(name="New 2", environment="prod")).status_code == 400
    assert admin.patch(f"{URL}{own.pk}/", {"environment": None}).status_code == 403


def test_outsiders_and_strangers_see_nothing(outsider: User) -> None:
    channel = make_channel(HOOK)
    assert api_client().get(URL).status_code == 401
    assert api_client(outsider).get(URL).status_code == 403
    assert api_client(outsider).get(f"{URL}{channel.pk}/").status_code == 404


def test_a_test_answers_with_where_to_look(administrator: User, receiver: HttpServer) -> None:
    channel = make_channel(receiver.url("/hook"))
    client = api_client(administrator)
    answer = client.post(f"{URL}{channel.pk}/test/")
    assert answer.status_code == 202
    assert set(answer.json()) == {"id", "url"}
    again = client.post(f"{URL}{channel.pk}/test/")
    assert again.json()["id"] == answer.json()["id"], "one test at a time"
    assert client.get(answer.json()["url"]).json()["state"] == "pending"
    deliver()
    told = client.get(answer.json()["url"])
    assert (told.json()["state"], told.json()["kind"]) == ("sent", "channel.test")
    assert "fine" not in told.content.decode(), "the receiver's answer is not for the API"
    assert client.get(f"{URL}{channel.pk}/").json()["last_delivery"]["state"] == "sent"


def test_a_channel_that_is_off_sends_no_test(administrator: User) -> None:
    client = api_client(administrator)
    made = client.post(URL, body(enabled=False)).json()
    refused = client.post(f"{URL}{made['id']}/test/")
    assert refused.status_code == 409
    assert "switched off" in refused.json()["detail"]
    assert not Notification.objects.exists()


def test_switching_on_again_forgets_why_it_was_off(administrator: User) -> None:
    channel = make_channel(HOOK)
    Channel.objects.update(enabled=False, disabled_reason="receiver_gone", failures=9)
    answer = api_client(administrator).patch(f"{URL}{channel.pk}/", {"enabled": True}).json()
    assert (answer["enabled"], answer["disabled_reason"], answer["failures"]) == (True, "", 0)


def test_the_kinds_describe_their_configuration(viewer: User) -> None:
    kinds = {kind["kind"]: kind for kind in api_client(viewer).get("/api/v1/channel-kinds/").json()}
    schema = kinds["webhook"]["schema"]
    assert schema["required"] == ["url"]
    assert schema["properties"]["secret"]["writeOnly"] is True
