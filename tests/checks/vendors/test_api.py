"""`vendor-status/`: what a vendor says, which components are mapped, who said it first, and both lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.catalog.models import Environment
from apps.checks.models import Incident
from apps.checks.vendors.selectors import vendor_lines, vendor_page
from apps.core import clock
from apps.probes.vendor_pages.problems import PageProblem
from tests.checks.looking import FAILED, OK, add_check, look
from tests.checks.vendors.reading import ago, fail_to_read, incident, make_followed, page_of, read, summary
from tests.factories import api_client, make_model, make_provider

pytestmark = pytest.mark.django_db
PATH = "/api/v1/vendor-status/"


def test_a_page_is_told_with_components_incidents_and_who_was_first(viewer: User) -> None:
    provider = make_followed(components=("API",))
    model = make_model(provider)
    Incident.objects.create(target=model.target, severity="outage", reason="server_error", opened_at=ago(30))
    components = {"API": "major_outage", "Console": "operational"}
    read(provider, summary("critical", (incident("1", ago(16), started_at=ago(45).isoformat()),), components), ago(2))
    body = api_client(viewer).get(f"{PATH}{provider.pk}/").json()
    assert (body["id"], body["status"], body["readable"], body["problem"]) == (str(provider.pk), "outage", True, "")
    assert body["components"] == [
        {"name": "API", "group": "", "status": "outage", "mapped": True},
        {"name": "Console", "group": "", "status": "operational", "mapped": False},
    ]
    assert [(row["id"], row["phase"]) for row in body["incidents"]] == [("1", "investigating")]
    assert body["comparison"]["verdict"] == "we_first"
    # The vendor dated its beginning back to before ours; what counts is when it said so.
    assert body["comparison"]["sentence"] == "We saw it 14 min before the vendor said so."


def test_the_list_is_the_same_and_can_be_narrowed(viewer: User) -> None:
    good, bad = make_followed(), make_followed()
    read(good, summary("none"), ago(2))
    fail_to_read(bad, ago(2), PageProblem.STATUS, actual=503)
    make_provider()
    client = api_client(viewer)
    rows = {row["id"]: row for row in client.get(PATH).json()["results"]}
    assert set(rows) == {str(good.pk), str(bad.pk)}
    unreadable = rows[str(bad.pk)]
    assert (unreadable["status"], unreadable["readable"], unreadable["problem"]) == ("unknown", False, "status")
    assert unreadable["problem_sentence"] == "its server answered with status 503"
    assert [row["id"] for row in client.get(f"{PATH}?readable=false").json()["results"]] == [str(bad.pk)]
    assert [row["id"] for row in client.get(f"{PATH}?status=operational").json()["results"]] == [str(good.pk)]
    assert client.get(f"{PATH}?colour=red").status_code == 400


@pytest.mark.parametrize("reason", ["invalid_key", "quota_exhausted", "billing", "wrong_answer", "vendor_outage"])
def test_a_trouble_of_our_own_is_nothing_a_vendor_could_say(reason: str) -> None:
    provider = make_followed()
    Incident.objects.create(target=provider.target, severity="degraded", reason=reason, opened_at=ago(30))
    read(provider, summary("none"), ago(2))
    facts = vendor_page(provider.pk)
    assert facts is not None and facts.comparison is None and facts.sentence == ""


def test_silence_of_the_vendor_is_told() -> None:
    provider = make_followed()
    Incident.objects.create(target=provider.target, severity="outage", reason="timeout", opened_at=ago(14.5))
    read(provider, summary("none"), ago(2))
    facts = vendor_page(provider.pk)
    assert facts is not None and facts.sentence == "We have seen it for 14 min; the vendor has not said so."
    fail_to_read(provider, ago(1))
    facts = vendor_page(provider.pk)
    assert facts is not None and "is not known" in facts.sentence
    assert facts.problem.startswith("a web page came where data was expected")


def test_a_page_that_turns_bad_without_an_incident_was_said_too() -> None:
    provider = make_followed()
    Incident.objects.create(target=provider.target, severity="outage", reason="timeout", opened_at=ago(30))
    read(provider, summary("none"), ago(25))
    read(provider, summary("critical"), ago(10))
    facts = vendor_page(provider.pk)
    assert facts is not None and facts.sentence == "We saw it 20 min before the vendor said so."


@pytest.mark.parametrize("named", [True, False])
def test_what_a_page_said_before_it_was_first_read_did_not_begin_then(named: bool) -> None:
    provider, now = make_followed(), clock.now()
    document = summary("major", (incident("1", now - timedelta(hours=9)),) if named else ())
    document["page"]["updated_at"] = (now - timedelta(hours=9)).isoformat()
    read(provider, document, now)
    facts = vendor_page(provider.pk)
    assert facts is not None and facts.comparison is not None
    assert facts.comparison.verdict == "not_seen"
    assert 9 * 3600 <= facts.comparison.seconds < 9 * 3600 + 60


def test_the_lines_lie_on_one_clock(viewer: User) -> None:
    provider = make_followed()
    model = make_model(provider)
    look(add_check(model.target, failure_threshold=1), OK)
    look(add_check(provider.target, failure_threshold=1), FAILED)
    for minutes, indicator in ((30, "none"), (20, "major"), (10, "none")):
        told = (incident("1", ago(21)),) if indicator == "major" else ()
        read(provider, summary(indicator, told), ago(minutes))
    body = api_client(viewer).get(f"{PATH}{provider.pk}/lines/?range=1h").json()
    assert [point["status"] for point in body["vendor"]] == ["unknown", "operational", "degraded", "operational"]
    assert body["vendor"][0]["at"] == body["from"]
    # The worst of the provider and its models.
    assert [point["status"] for point in body["ours"]] == ["unknown", "operational", "outage"]
    assert [row["id"] for row in body["incidents"]] == ["1"]


def test_what_lies_before_the_range_sets_the_status_it_begins_with() -> None:
    provider = make_followed()
    read(provider, summary("major"), ago(120))
    lines = vendor_lines(provider.pk, ago(60), clock.now())
    assert [status.value for _at, status in lines.vendor] == ["degraded"]


@pytest.mark.parametrize(
    "query", ["range=1y", "from=yesterday", "from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z", "x=1"]
)
def test_a_range_nobody_can_draw_is_refused(viewer: User, query: str) -> None:
    provider = make_followed()
    assert api_client(viewer).get(f"{PATH}{provider.pk}/lines/?{query}").status_code == 400


def test_a_page_of_another_environment_does_not_exist(production: Environment, development: Environment) -> None:
    from tests.factories import make_user  # noqa: PLC0415

    provider = make_followed(environment=production)
    client = api_client(make_user("admin", development))
    assert client.get(f"{PATH}{provider.pk}/").status_code == 404
    assert client.get(f"{PATH}{provider.pk}/lines/").status_code == 404
    assert client.get(PATH).json()["results"] == []


def test_a_provider_without_a_page_has_nothing_here(viewer: User) -> None:
    provider = make_provider()
    assert api_client(viewer).get(f"{PATH}{provider.pk}/").status_code == 404
    assert vendor_page(provider.pk) is None


def queries(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def test_the_list_costs_the_same_for_many(viewer: User) -> None:
    client = api_client(viewer)
    read(make_followed(), summary("major", (incident("1", ago(5)),)), ago(4))
    client.get(PATH)
    few = queries(lambda: client.get(PATH))
    for number in range(5):
        provider = make_followed()
        make_model(provider)
        read(provider, summary("major", (incident(str(number), ago(5)),)), ago(4))
    assert queries(lambda: client.get(PATH)) == few
    assert few <= 12


def test_facts_and_lines_cost_what_they_say() -> None:
    provider = make_followed()
    for _number in range(3):
        look(add_check(make_model(provider).target), OK)
    read(provider, summary("major", (incident("1", ago(5)),)), ago(4))
    assert queries(lambda: vendor_page(provider.pk)) <= 6
    assert queries(lambda: vendor_lines(provider.pk, ago(60), clock.now())) <= 6


def test_the_page_keeps_its_format(viewer: User) -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(2))
    assert api_client(viewer).get(f"{PATH}{provider.pk}/?fields=format,status").json() == {
        "format": "statuspage",
        "status": "operational",
    }
    assert page_of(provider).format == "statuspage"
