"""The last delivery of a channel is the last one the reader may see."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Notification
from tests.alerts.world import deliver, environment, make_channel, make_incident
from tests.factories import api_client, make_environment, make_user
from tests.servers.http import HttpServer

pytestmark = pytest.mark.django_db

URL = "/api/v1/channels/"


@pytest.fixture
def developer() -> User:
    """Somebody who may read what happens in `dev` and nothing else."""
    return make_user(Role.VIEWER, make_environment("dev"))


def test_a_channel_of_all_environments_tells_each_reader_of_their_own(
    developer: User, administrator: User, receiver: HttpServer
) -> None:
    channel = make_channel(receiver.url("/hook"))
    make_incident("Sandbox", where="dev")
    deliver()
    make_incident("Shop", where="prod")
    deliver()
    own = Notification.objects.get(environment=environment("dev"))
    foreign = Notification.objects.get(environment=environment("prod"))
    for reader, seen in ((developer, own), (administrator, foreign)):
        client = api_client(reader)
        (listed,) = client.get(URL).json()["results"]
        assert listed["last_delivery"]["id"] == str(seen.pk)
        assert client.get(f"{URL}{channel.pk}/").json()["last_delivery"]["id"] == str(seen.pk)


def test_what_was_sent_for_others_only_is_no_last_delivery(
    developer: User, administrator: User, receiver: HttpServer
) -> None:
    channel = make_channel(receiver.url("/hook"))
    make_incident("Shop", where="prod")
    deliver()
    assert api_client(developer).get(f"{URL}{channel.pk}/").json()["last_delivery"] is None
    for reader, told in ((developer, False), (administrator, True)):
        browser = Client()
        browser.force_login(reader)
        assert ("none yet" not in browser.get("/alerts/channels/").content.decode()) is told
