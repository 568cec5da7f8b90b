"""What is kept of a page: what it says, when it began to say it, its incidents; and nothing of it is our verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.checks.models import Incident, StateChange, VendorChange, VendorIncident
from apps.checks.services import create_check, delete_check
from apps.checks.vendors import pages, retention
from apps.core import clock
from apps.probes.base import OutcomeState, Reason
from apps.probes.vendor_pages.problems import PageProblem
from tests.checks.looking import FAILED, OK, add_check, look
from tests.checks.vendors.reading import (
    ago,
    checks_of,
    fail_to_read,
    hand_over,
    incident,
    make_followed,
    page_of,
    read,
    summary,
)

pytestmark = pytest.mark.django_db


def changes() -> list[str]:
    return [change.status for change in VendorChange.objects.order_by("at", "id")]


def test_a_page_is_kept_and_a_change_is_one_row() -> None:
    provider = make_followed()
    for minutes, indicator in ((10, "none"), (8, "none"), (6, "major"), (4, "critical"), (2, "none")):
        read(provider, summary(indicator, components={"API": "operational"}), ago(minutes))
    page = page_of(provider)
    assert (page.status, page.readable, page.format, page.description) == (
        "operational",
        True,
        "statuspage",
        "It is none",
    )
    assert page.components == [{"name": "API", "group": "", "status": "operational", "mapped": False}]
    assert changes() == ["operational", "degraded", "outage", "operational"]
    assert page.since == VendorChange.objects.latest("at").at


def test_a_page_that_cannot_be_read_is_unknown_and_keeps_what_it_said_last() -> None:
    provider = make_followed()
    read(provider, summary("major", (incident("1", ago(6)),), {"API": "partial_outage"}), ago(6))
    fail_to_read(provider, ago(4), PageProblem.REDIRECTED, location="https://other.example.org/")
    page = page_of(provider)
    assert (page.status, page.readable, page.problem) == ("unknown", False, "redirected")
    assert page.problem_values["location"] == "https://other.example.org/"
    assert page.components[0]["name"] == "API"
    assert page.read_at is not None and page.looked_at is not None and page.read_at < page.looked_at
    # Nobody said that it is over.
    assert VendorIncident.objects.get().resolved_at is None
    assert changes() == ["degraded", "unknown"]


def test_nothing_a_vendor_says_changes_our_own_verdict() -> None:
    provider = make_followed()
    own = add_check(provider.target, failure_threshold=1)
    look(own, OK)
    for minutes in (6, 4, 2):
        read(provider, summary("critical", (incident("1", ago(6)),)), ago(minutes))
    fail_to_read(provider, ago(1))
    provider.target.status_row.refresh_from_db()
    assert provider.target.status_row.status == "operational"
    assert not Incident.objects.exists()
    assert StateChange.objects.count() == 1


def test_nor_does_a_good_page_hide_an_outage() -> None:
    provider = make_followed()
    own = add_check(provider.target, failure_threshold=1)
    look(own, FAILED)
    read(provider, summary("none"), ago(1))
    provider.target.status_row.refresh_from_db()
    assert provider.target.status_row.status == "outage"


def test_incidents_are_followed_to_their_end() -> None:
    provider = make_followed()
    began = ago(20)
    read(provider, summary("major", (incident("1", began), incident("2", began))), ago(10))
    told = incident("1", began, phase="identified", name="A better name")
    read(provider, summary("major", (told,)), ago(8))
    first, second = VendorIncident.objects.order_by("external_id")
    assert (first.name, first.phase, first.resolved_at, first.seen_at) == (
        "A better name",
        "identified",
        None,
        first.seen_at,
    )
    assert first.said_at == began
    # The summary lists what is not over: what is gone from it is.
    assert second.resolved_at is not None
    read(provider, summary("none"), ago(6))
    assert not VendorIncident.objects.filter(resolved_at__isnull=True).exists()


def test_a_look_that_tells_of_ourselves_says_nothing_about_the_page() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(4))
    hand_over(checks_of(provider)[0], OutcomeState.INDETERMINATE, Reason.WORKER_LATE, {}, ago(2))
    assert page_of(provider).status == "operational"
    assert changes() == ["operational"]


def test_an_older_look_does_not_overwrite_a_newer_one() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(2))
    read(provider, summary("critical"), ago(3))
    assert page_of(provider).status == "operational"


def test_a_second_check_of_another_page_does_not_contradict_the_first() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(4))
    config = {"url": "https://elsewhere.example.org"}
    other = create_check(actor=None, target=provider.target, kind="vendor_status", config=config, name="Other")
    read(provider, summary("critical"), ago(2), check=other)
    assert page_of(provider).status == "operational"


def test_a_page_nobody_reads_any_more_becomes_unknown_at_the_moment_its_word_ran_out() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(20))
    assert pages.mark_silent(ago(15)) == 0
    assert pages.mark_silent(clock.now()) == 1
    page = page_of(provider)
    assert (page.status, page.problem) == ("unknown", "not_read_lately")
    assert page.looked_at is not None and page.since == page.looked_at + timedelta(minutes=6)
    assert pages.mark_silent(clock.now()) == 0


def test_a_paused_or_removed_check_is_no_reason_to_believe_an_old_page() -> None:
    provider = make_followed()
    read(provider, summary("none"), ago(20))
    delete_check(actor=None, check=checks_of(provider)[0])
    assert pages.mark_silent(clock.now()) == 1


def test_a_page_that_tells_of_ever_new_incidents_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST_INCIDENTS", 30)
    provider = make_followed()
    for turn in range(3):
        many = tuple(incident(f"{turn}-{number}", ago(10)) for number in range(300))
        read(provider, summary("major", many), ago(9 - turn))
    assert VendorIncident.objects.count() == 60
    retention.purge(clock.now())
    assert VendorIncident.objects.count() == 30


def test_old_rows_are_removed_and_others_stay() -> None:
    provider = make_followed()
    old, now = clock.now() - timedelta(days=500), clock.now()
    for at in (old, now):
        VendorChange.objects.create(provider=provider, at=at, status="outage")
        VendorIncident.objects.create(
            provider=provider,
            external_id=str(at),
            name="x",
            status="outage",
            started_at=at,
            resolved_at=at,
            seen_at=at,
        )
    retention.purge(now)
    assert VendorChange.objects.get().at == now
    assert VendorIncident.objects.get().started_at == now


def test_a_batch_without_such_a_look_asks_nothing(django_assert_num_queries: pytest.FixtureRequest) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        pages.store([], clock.now())
