"""The pages of alerts and silences: what fires, one alert in full, and what nobody is told of for a while."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import User
from apps.alerts.models import Alert, Notification, Silence
from apps.alerts.routes.services import create_route
from apps.alerts.routing import route_all
from apps.catalog.models import Environment
from apps.core import clock
from tests.alerts.filling import browser, condition, equals, hush, text
from tests.alerts.register.opening import channel_for_machines, channel_for_people, end_alert, open_alert
from tests.factories import make_model, make_provider, make_service, make_user

pytestmark = pytest.mark.django_db

ALERTS = "/alerts/"
ROUTES = "/alerts/routes/"
SILENCES = "/alerts/silences/"


# --- What fires -------------------------------------------------------------------------------------------


def test_nothing_fires_and_the_page_says_what_would(administrator: User) -> None:
    page = text(browser(administrator).get(ALERTS))
    assert "Nothing fires." in page
    assert "No channel is set up" in page
    channel_for_machines()
    assert "No channel is set up" not in text(browser(administrator).get(ALERTS))


def test_what_fires_stands_there_worst_first_with_cause_and_who_was_told(operator: User) -> None:
    open_alert(make_service("Stock").target, severity="warning")
    open_alert(make_service("Shop").target)
    channel_for_machines()
    route_all()
    Notification.objects.update(state="sent")
    page = text(browser(operator).get(ALERTS))
    assert "2 alerts are firing" in page
    assert page.index(">Shop<") < page.index(">Stock<")
    assert "Response time 3.2\xa0s, above 2\xa0s" in page
    assert "1 channel" in page and "Slow answers" in page
    assert "Acknowledge: Shop" in page


def test_without_a_channel_the_list_says_that_nobody_is_reached(operator: User) -> None:
    open_alert(make_service("Shop").target)
    route_all()
    assert "Reaches no channel" in text(browser(operator).get(ALERTS))


def test_a_silence_stands_where_it_keeps_people_from_hearing(operator: User) -> None:
    hush()
    channel_for_machines()
    open_alert(make_service("Shop").target)
    route_all()
    assert "A silence holds it until" in text(browser(operator).get(ALERTS))


def test_filters_are_in_the_address_and_what_is_over_is_behind_one(operator: User) -> None:
    over = open_alert(make_service("Over").target)
    end_alert(over)
    open_alert(make_service("Slow").target, severity="warning")
    client = browser(operator)
    assert ">Over<" not in text(client.get(ALERTS))
    resolved = text(client.get(ALERTS, {"state": "resolved"}))
    assert ">Over<" in resolved and ">Slow<" not in resolved
    assert "Nothing matches these filters." in text(client.get(ALERTS, {"severity": "critical"}))
    assert ">Slow<" in text(client.get(ALERTS, {"severity": "nonsense", "state": "nonsense", "cursor": "nonsense"}))
    assert ">Slow<" in text(client.get(f"{ALERTS}fragments/alerts/", {"who": "nobody"}))


def test_alerts_of_other_environments_are_not_there(production: Environment, development: Environment) -> None:
    alert = open_alert(make_service("Shop", environment=development).target)
    client = browser(make_user(Role.OPERATOR, production))
    assert ">Shop<" not in text(client.get(ALERTS))
    assert client.get(alert.get_absolute_url()).status_code == 404
    assert client.post(f"{alert.get_absolute_url()}acknowledge/").status_code == 404


# --- One alert --------------------------------------------------------------------------------------------


def test_one_alert_says_who_was_told_and_why_others_were_not(operator: User) -> None:
    channel_for_machines("Pager")
    channel_for_people("Team", enabled=False)
    alert = open_alert(make_service("Shop").target)
    route_all()
    Notification.objects.update(state="sent")
    page = text(browser(operator).get(alert.get_absolute_url()))
    assert "Who was told, and why not" in page
    assert "1 channel was told" in page and "Pager" in page and "Team" in page
    assert "Slow answers" in page and "3.2\xa0s, above 2\xa0s" in page
    assert "Began to fire: Critical" in page
    assert f"/alerts/silences/new/?alert={alert.pk}" in page


def test_an_alert_is_acknowledged_once_and_everybody_sees_who_has_it(operator: User, viewer: User) -> None:
    alert = open_alert(make_service("Shop").target)
    address = f"{alert.get_absolute_url()}acknowledge/"
    assert browser(viewer).post(address).status_code == 403
    client = browser(operator)
    assert client.post(address, HTTP_HX_REQUEST="true").status_code == 204
    assert Alert.objects.get().acknowledged_by == operator
    page = text(browser(viewer).get(alert.get_absolute_url()))
    assert f"{operator.username} has it" in page and "data-acknowledge" not in page
    end_alert(alert)
    refused = client.post(address, follow=True)
    assert refused.status_code == 200 and "Resolved after" in text(refused)


# --- Silences ---------------------------------------------------------------------------------------------


def silence_values(**changes: str) -> dict[str, str]:
    values = {"environment": "", "length": "3600", "starts_at": "", "ends_at": "", "comment": "Moving house"}
    return {**values, **condition(0, "target", "Shop"), **changes}


def test_a_silence_is_looked_at_before_it_is_set_and_ended_after(operator: User) -> None:
    open_alert(make_service("Shop").target)
    make_service("Stock")
    client = browser(operator)
    looked = text(client.post(f"{SILENCES}new/", silence_values(action="preview", comment=""), HTTP_HX_REQUEST="true"))
    assert "1 alert that fires now" in looked and "1 target it can apply to" in looked and "<html" not in looked
    whole = client.post(f"{SILENCES}new/", silence_values(action="preview", comment=""))
    assert whole.status_code == 200 and "1 target it can apply to" in text(whole)
    assert not Silence.objects.exists()
    made = client.post(f"{SILENCES}new/", silence_values())
    silence = Silence.objects.get()
    assert made.headers["Location"] == silence.get_absolute_url()
    assert silence.author == operator and silence.matchers == [equals("target", "Shop")]
    assert timedelta(minutes=59) < silence.ends_at - clock.now() <= timedelta(hours=1)
    assert "target is Shop" in text(client.get(SILENCES))
    client.post(f"{silence.get_absolute_url()}end/")
    assert "Nothing is silenced." in text(client.get(SILENCES))
    assert "target is Shop" in text(client.get(SILENCES, {"state": "ended"}))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"matchers-0-label": "", "matchers-0-value": "", "comment": "typed"}, "This field is required"),
        ({"matchers-0-label": ""}, "Choose what to compare with this value."),
        ({"matchers-0-operator": "=~", "matchers-0-value": "("}, "This pattern cannot be read"),
        ({"comment": ""}, "This field is required"),
        ({"length": "until"}, "Say until when, or choose a length."),
        ({"length": "until", "ends_at": "2001-01-01T00:00"}, "It ends before it begins"),
        ({"length": "forever"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_with_a_silence_stands_at_its_field_and_what_was_typed_stays(
    operator: User, changes: dict[str, str], sentence: str
) -> None:
    typed = silence_values(**{"matchers-1-label": "tag", "matchers-1-operator": "!=", "matchers-1-value": "typed tag"})
    if "comment" in changes and changes["comment"] == "typed":
        typed = silence_values()
    answered = browser(operator).post(f"{SILENCES}new/", {**typed, **changes})
    assert answered.status_code == 400
    page = text(answered)
    assert sentence in page
    assert {**typed, **changes}["comment"] in page
    if "matchers-1-value" in typed:
        assert 'value="typed tag"' in page
    assert not Silence.objects.exists()


def test_the_form_of_a_silence_begins_with_the_alert_it_was_opened_from(operator: User) -> None:
    alert = open_alert(make_service("Shop").target)
    page = text(browser(operator).get(f"{SILENCES}new/", {"alert": str(alert.pk)}))
    assert 'value="Shop"' in page and "1 alert that fires now" in page
    assert browser(operator).get(f"{SILENCES}new/", {"alert": "nonsense", "target": "x"}).status_code == 200


def test_a_silence_of_a_model_leaves_its_namesake_at_another_provider_alone(operator: User) -> None:
    ours, others = (make_model(make_provider(name), name="small-talk") for name in ("Acme", "Other"))
    for query in ({"alert": str(open_alert(ours.target).pk)}, {"target": str(ours.pk)}):
        page = text(browser(operator).get(f"{SILENCES}new/", query))
        assert 'value="Acme"' in page and 'value="small-talk"' in page
        assert "1 alert that fires now" in page
    assert others.target.name == ours.target.name


def test_a_viewer_reads_silences_and_sets_none(viewer: User) -> None:
    silence = hush()
    client = browser(viewer)
    assert "End now" not in text(client.get(SILENCES))
    assert client.get(f"{SILENCES}new/").status_code == 403
    assert client.post(f"{silence.get_absolute_url()}end/").status_code == 403


# --- Costs ------------------------------------------------------------------------------------------------


def test_the_list_costs_the_same_however_much_fires(viewer: User) -> None:
    channel_for_machines()
    channel_for_people()
    client = browser(viewer)

    def cost(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    def happen(number: int) -> None:
        for _number in range(number):
            open_alert(make_service().target)
            hush()
            create_route(actor=None, name="Route", matchers=[equals("tag", "none")])
        route_all()

    happen(2)
    addresses = [ALERTS, SILENCES, ROUTES, Alert.objects.all()[0].get_absolute_url()]
    few = [cost(address) for address in addresses]
    happen(8)
    assert [cost(address) for address in addresses] == few
    assert max(few) <= 30
