"""What a change of the tree does to alerts that are being told already."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from apps.alerts.models import AlertGroup, Notification, Route
from apps.alerts.routes.services import create_route, delete_route, update_route
from apps.alerts.routing import route_all
from tests.alerts.register.opening import channel_for_machines, channel_for_people, end_alert, open_alert
from tests.factories import make_service


def kinds() -> list[tuple[str, str]]:
    rows = Notification.objects.order_by("created_at", "pk").select_related("channel")
    return sorted((row.channel.name, row.kind) for row in rows)


@pytest.mark.django_db
def test_who_was_told_through_a_deleted_route_still_hears_the_end() -> None:
    pager, team = channel_for_machines("Pager"), channel_for_people("Team")
    # At the root they would hear too; another route keeps them from it.
    create_route(actor=None, name="Other", matchers=[_tag("other")], channels=[pager, team])
    top, _warnings = create_route(actor=None, name="Shop", matchers=[_tag("shop")], channels=[pager])
    create_route(actor=None, name="Inside", parent=top, channels=[pager, team])
    alert = open_alert(make_service(tags=["shop"]).target)
    route_all()
    assert kinds() == [("Pager", "alert.firing"), ("Team", "alert.firing")]
    delete_route(actor=None, route=top)
    assert set(AlertGroup.objects.values_list("route", flat=True)) == {None}
    end_alert(alert)
    # People hear again a minute after the last message at the earliest.
    AlertGroup.objects.update(told_at=None)
    route_all()
    assert ("Pager", "alert.resolved") in kinds()
    assert ("Team", "alert.resolved") in kinds()


@pytest.mark.django_db
def test_groups_that_would_become_the_same_become_one() -> None:
    team = channel_for_people("Team")
    top, _warnings = create_route(actor=None, name="Top", channels=[team])
    inside, _warnings = create_route(actor=None, name="Inside", parent=top, channels=[team])
    for route in (None, top, inside):
        AlertGroup.objects.create(channel=team, route=route, mode="digest", key="")
    for route in (top, inside):
        AlertGroup.objects.create(channel=team, route=route, mode="group", key="a")
    delete_route(actor=None, route=top)
    assert sorted(AlertGroup.objects.filter(route=None).values_list("mode", flat=True)) == ["digest", "group"]
    assert not AlertGroup.objects.exclude(route=None).exists()


def _tag(value: str) -> dict[str, str]:
    return {"label": "tag", "operator": "=", "value": value}


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle() -> None:
    one, other = (create_route(actor=None, name=name)[0] for name in ("One", "Other"))
    refused: list[Any] = []
    together = threading.Barrier(2)

    def move(route: Route, parent: Route) -> None:
        together.wait(10)
        try:
            update_route(actor=None, route=route, parent=parent)
        except ValidationError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert Route.objects.filter(parent=None).count() == 1
