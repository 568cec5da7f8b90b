"""Silences over REST: made, previewed, listed and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.access import Role
from apps.accounts.models import AuditEntry, User
from apps.alerts.models import Silence
from apps.alerts.silences.services import create_silence, remove_old_silences
from apps.catalog.models import Environment
from apps.core import clock
from tests.alerts.register.opening import end_alert, open_alert
from tests.factories import api_client, make_service, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/silences/"
SHOP = [{"label": "tag", "operator": "=", "value": "shop"}]


def in_hours(hours: float) -> str:
    return (clock.now() + timedelta(hours=hours)).isoformat()


def body(**changes: Any) -> dict[str, Any]:
    return {"matchers": SHOP, "ends_at": in_hours(2), "comment": "The shop moves house", **changes}


def make(client: Any, **changes: Any) -> dict[str, Any]:
    answer = client.post(URL, body(**changes))
    assert answer.status_code == 201, answer.json()
    made: dict[str, Any] = answer.json()
    return made


def test_a_silence_begins_now_unless_it_says_when(operator: User) -> None:
    client = api_client(operator)
    made = make(client)
    assert (made["state"], made["author"], made["matchers"]) == ("active", operator.get_username(), SHOP)
    assert abs(datetime.fromisoformat(made["starts_at"]) - clock.now()) < timedelta(minutes=1)
    later = make(client, starts_at=in_hours(1), ends_at=in_hours(3), environment="prod")
    assert (later["state"], later["environment"]) == ("scheduled", "prod")
    assert AuditEntry.objects.filter(action="create", object_type="silence", actor=operator).count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"matchers": []}, "matchers"),
        ({"matchers": "tag=shop"}, "matchers"),
        ({"matchers": [{"label": "colour", "operator": "=", "value": "red"}]}, "matchers.0.label"),
        ({"matchers": [{"label": "tag", "operator": "=~", "value": "("}]}, "matchers.0.value"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}, "ends_at"),
        ({"starts_at": in_hours(5), "ends_at": in_hours(4)}, "ends_at"),
        ({"ends_at": in_hours(367 * 24)}, "ends_at"),
        ({"starts_at": in_hours(400 * 24), "ends_at": in_hours(401 * 24)}, "starts_at"),
        ({"comment": ""}, "comment"),
        ({"comment": "x" * 1_001}, "comment"),
        ({"comment": "a\u0007b"}, "comment"),
        ({"environment": "moon"}, "environment"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_written(
    operator: User, changes: dict[str, Any], field: str
) -> None:
    answer = api_client(operator).post(URL, body(**changes))
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Silence.objects.exists()


def test_a_year_is_not_too_long_whenever_it_is_said_to_have_begun(operator: User) -> None:
    made = make(api_client(operator), starts_at="2020-01-01T00:00:00Z", ends_at=in_hours(365 * 24))
    assert datetime.fromisoformat(made["starts_at"]) > datetime(2020, 1, 2, tzinfo=UTC), "nothing was hushed before"


@pytest.mark.parametrize("way", ["delete", "end"])
def test_ending_keeps_it_readable(operator: User, way: str) -> None:
    client = api_client(operator)
    made = make(client)
    url = f"{URL}{made['id']}/"
    answer = client.delete(url) if way == "delete" else client.post(f"{url}end/")
    assert answer.status_code == (204 if way == "delete" else 200)
    ended = client.get(url).json()
    assert ended["state"] == "ended"
    again = client.post(f"{url}end/").json()
    assert again["ends_at"] == ended["ends_at"], "it has ended once"
    assert AuditEntry.objects.filter(action="end").count() == 1


def test_one_that_was_to_come_never_begins(operator: User) -> None:
    client = api_client(operator)
    made = make(client, starts_at=in_hours(1))
    ended = client.post(f"{URL}{made['id']}/end/").json()
    assert ended["state"] == "ended" and ended["starts_at"] <= ended["ends_at"]


def test_the_list_tells_the_active_from_the_others(viewer: User, operator: User) -> None:
    client = api_client(operator)
    make(client, comment="active", environment="prod")
    make(client, comment="scheduled", starts_at=in_hours(1), ends_at=in_hours(4))
    client.delete(f"{URL}{make(client, comment='ended')['id']}/")
    reader = api_client(viewer)

    def comments(query: str) -> list[str]:
        return [row["comment"] for row in reader.get(f"{URL}?{query}").json()["results"]]

    assert comments("") == ["scheduled", "active", "ended"]
    assert comments("active=true") == ["active"]
    assert comments("active=false") == ["scheduled", "ended"]
    assert comments("environment=prod") == ["active"]
    assert reader.get(f"{URL}?active=maybe").status_code == 400


def test_an_operator_hushes_their_own_environment_only(production: Environment, development: Environment) -> None:
    client = api_client(make_user(Role.OPERATOR, development))
    own = make(client, environment="dev")
    assert client.post(URL, body()).status_code == 403, "all environments take an operator of all"
    assert client.post(URL, body(environment="prod")).status_code == 400, "which does not exist for them"
    of_all = create_silence(actor=None, **{**body(), "starts_at": None, "ends_at": clock.now() + timedelta(hours=1)})
    assert client.post(f"{URL}{of_all.pk}/end/").status_code == 403
    assert client.delete(f"{URL}{own['id']}/").status_code == 204
    assert api_client(make_user(Role.VIEWER, development)).post(URL, body(environment="dev")).status_code == 403


# --- The look ahead ---------------------------------------------------------------------------------------


def preview(person: User, **question: Any) -> dict[str, Any]:
    answer = api_client(person).post(f"{URL}preview/", question, format="json")
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_a_preview_counts_targets_and_open_alerts(viewer: User) -> None:
    shop, search = make_service("Shop", tags=["shop"]), make_service("Search")
    alert = open_alert(shop.target)
    open_alert(search.target)
    end_alert(open_alert(shop.target, cause="uptime"))
    seen = preview(viewer, matchers=SHOP)
    assert (seen["targets"]["count"], seen["alerts"]["count"]) == (1, 1)
    assert seen["targets"]["first"][0]["name"] == "Shop"
    assert seen["alerts"]["first"][0]["id"] == str(alert.pk)


def test_a_matcher_on_what_only_alerts_have_leaves_no_target_out(viewer: User) -> None:
    target = make_service(tags=["shop"]).target
    open_alert(target, severity="critical")
    open_alert(target, cause="uptime", severity="warning")
    critical = {"label": "severity", "operator": "=", "value": "critical"}
    seen = preview(viewer, matchers=[*SHOP, critical])
    assert (seen["targets"]["count"], seen["alerts"]["count"]) == (1, 1)


def test_a_preview_shows_fifty_of_many_at_the_same_cost(viewer: User) -> None:
    client = api_client(viewer)
    client.post(f"{URL}preview/", {"matchers": SHOP})
    counts = []
    for size in (1, 59):
        for number in range(size):
            open_alert(make_service(f"Shop {size}-{number}", tags=["shop"]).target)
        with CaptureQueriesContext(connection) as queries:
            seen = client.post(f"{URL}preview/", {"matchers": SHOP}).json()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10
    assert [(seen[name]["count"], len(seen[name]["first"])) for name in ("targets", "alerts")] == [(60, 50), (60, 50)]


def test_a_preview_shows_what_the_caller_may_see(production: Environment, development: Environment) -> None:
    for environment in (production, development):
        open_alert(make_service(environment=environment, tags=["shop"]).target)
    seen = preview(make_user(Role.VIEWER, development), matchers=SHOP)
    assert (seen["targets"]["count"], seen["alerts"]["count"]) == (1, 1)
    assert seen["targets"]["first"][0]["environment"] == "dev"
    everywhere = make_user(Role.VIEWER)
    assert preview(everywhere, matchers=SHOP)["targets"]["count"] == 2
    assert preview(everywhere, matchers=SHOP, environment="prod")["alerts"]["count"] == 1
    assert not Silence.objects.exists()


@pytest.mark.parametrize("matchers", [[], None, "x", [{"label": "tag"}]])
def test_a_preview_of_nothing_is_refused(viewer: User, matchers: Any) -> None:
    answer = api_client(viewer).post(f"{URL}preview/", {"matchers": matchers}, format="json")
    assert answer.status_code == 400
    assert all(name.startswith("matchers") for name in answer.json())


def test_what_ended_long_ago_is_removed() -> None:
    now = clock.now()
    for days, comment in ((91, "old"), (89, "kept")):
        moment = now - timedelta(days=days)
        Silence.objects.create(matchers=SHOP, starts_at=moment - timedelta(days=1), ends_at=moment, comment=comment)
    assert remove_old_silences() == 1
    assert [silence.comment for silence in Silence.objects.all()] == ["kept"]
