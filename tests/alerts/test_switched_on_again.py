"""A channel that was off hears, when it is on again, how things stand: also of what began meanwhile."""

from __future__ import annotations

import pytest

from apps.alerts.models import Alert, Channel, Notification
from apps.alerts.routing import route_all
from apps.alerts.services import update_channel
from apps.core import clock
from tests.alerts.register.opening import channel_for_machines, channel_for_people
from tests.alerts.world import happen, make_incident

pytestmark = pytest.mark.django_db


def switch(channel: Channel, *, on: bool) -> None:
    update_channel(actor=None, channel=channel, enabled=on)


def kinds(channel: Channel) -> list[str]:
    return list(Notification.objects.filter(channel=channel).order_by("sequence", "pk").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("make", "first"), [(channel_for_machines, "incident.opened"), (channel_for_people, "alert.firing")]
)
def test_what_began_while_it_was_off_and_goes_on_is_told_when_it_is_on_again(make: object, first: str) -> None:
    channel: Channel = make()  # type: ignore[operator]
    switch(channel, on=False)
    shop, stock = make_incident("Shop"), make_incident("Stock")
    route_all()
    stock.resolved_at = clock.now()
    stock.save(update_fields=["resolved_at"])
    happen(stock, "resolved", to="operational")
    route_all()
    assert kinds(channel) == []
    switch(channel, on=True)
    route_all()
    assert kinds(channel) == [first], "what was over by then is not told"
    shop.resolved_at = clock.now()
    shop.save(update_fields=["resolved_at"])
    happen(shop, "resolved", to="operational")
    route_all()
    assert len(kinds(channel)) == 2


def test_a_channel_that_is_new_hears_of_what_begins_from_then_on() -> None:
    make_incident("Shop")
    route_all()
    channel = channel_for_machines()
    switch(channel, on=True)
    route_all()
    assert kinds(channel) == [] and Alert.objects.count() == 1
