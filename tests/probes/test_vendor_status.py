"""The kind `vendor_status` against real servers: what it reads, and that what it cannot read is never a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.addresses import channel_policy, probe_policy
from apps.probes.base import PROBE_KINDS, Outcome, OutcomeState, Reason
from apps.probes.runner import run_once
from apps.probes.vendor_pages.problems import PageProblem
from apps.probes.vendor_pages.report import report_in
from tests.probes.vendor_pages.samples import document_of
from tests.servers.http import (
    Behaviour,
    HttpServer,
    answer,
    drip,
    empty,
    garbage,
    gzip_bomb,
    hang,
    huge,
    redirect,
    reset,
)
from tests.servers.listening import free_port

SUMMARY = "/api/v2/summary.json"
NOWHERE = answer(404, "<html>Not found</html>", {"Content-Type": "text/html"})


class PageServer(HttpServer):
    """One with nothing at the places the makers use, until it is told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        for path in (
            SUMMARY,
            "/summary.json",
            "/index.json",
            "/api/v1/summary",
            "/incidents.json",
            "/api/v1/status.json",
        ):
            self.behave(path, NOWHERE)


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer() as running:
        yield running


def fresh(name: str) -> Any:
    """A document that was updated a moment ago."""
    document = document_of(name)
    if isinstance(document, dict) and "page" in document and "updated_at" in document["page"]:
        document["page"]["updated_at"] = datetime.now(UTC).isoformat()
    return document


def look(url: str, timeout_seconds: float = 5.0, **config: Any) -> Outcome:
    return run_once("vendor_status", {"url": url, **config}, timeout_seconds, probe_policy())


def unreadable(outcome: Outcome) -> PageProblem:
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.VENDOR_PAGE_UNREADABLE)
    assert report_in(outcome.evidence) is None
    assert outcome.sentence.startswith("The vendor's status page cannot be read: ")
    assert "%(" not in outcome.sentence
    return PageProblem(outcome.evidence["problem"])


def test_a_page_is_found_below_its_address_and_a_problem_is_told_in_the_vendor_s_words(server: PageServer) -> None:
    server.behave(SUMMARY, answer(200, fresh("statuspage_incident.json")))
    outcome = look(server.url("/"))
    assert (outcome.state, outcome.reason) == (OutcomeState.DEGRADED, Reason.VENDOR_DEGRADED)
    assert outcome.sentence == "The vendor's status page reports: “Elevated errors on several models”."
    assert outcome.evidence["format"] == "statuspage"
    assert outcome.measurements["components"] == 5
    assert outcome.measurements["open_incidents"] == 1
    report = report_in(outcome.evidence)
    assert report is not None and [one.name for one in report.incidents] == ["Elevated errors on several models"]


def test_components_decide_when_they_are_named(server: PageServer) -> None:
    server.behave(SUMMARY, answer(200, fresh("statuspage_incident.json")))
    assert look(server.url(), components=["Console"]).state is OutcomeState.OK
    assert look(server.url(), components=["console", "API"]).state is OutcomeState.DEGRADED
    bad = look(server.url(), components=["Regions / US East"])
    assert (bad.state, bad.reason) == (OutcomeState.FAILED, Reason.VENDOR_OUTAGE)
    partly = look(server.url(), components=["Console", "Gone"])
    assert (partly.state, partly.evidence["missing"]) == (OutcomeState.OK, ["Gone"])


def test_a_component_that_is_not_there_any_more_makes_the_page_unreadable(server: PageServer) -> None:
    server.behave(SUMMARY, answer(200, fresh("statuspage_incident.json")))
    outcome = look(server.url(), components=["Renamed"])
    assert unreadable(outcome) is PageProblem.COMPONENT_MISSING
    assert "Renamed" in outcome.sentence


def test_maintenance_is_told_and_is_no_fault(server: PageServer) -> None:
    server.behave(SUMMARY, answer(200, fresh("statuspage_maintenance.json")))
    outcome = look(server.url(), components=["API"])
    assert (outcome.state, outcome.reason) == (OutcomeState.OK, Reason.VENDOR_MAINTENANCE)


@pytest.mark.parametrize(
    ("path", "name", "state"),
    [
        ("/summary.json", "instatus_summary.json", OutcomeState.FAILED),
        ("/api/v1/summary", "incident_io_widget.json", OutcomeState.FAILED),
        (SUMMARY, "incident_io_summary.json", OutcomeState.DEGRADED),
    ],
)
def test_other_makers_are_found_out(server: PageServer, path: str, name: str, state: OutcomeState) -> None:
    server.behave(path, answer(200, fresh(name)))
    assert look(server.url()).state is state


def test_instatus_keeps_its_components_in_another_document(server: PageServer) -> None:
    server.behave("/summary.json", answer(200, document_of("instatus_summary.json")))
    server.behave("/components.json", answer(200, document_of("instatus_components.json")))
    assert look(server.url(), components=["Dashboard"]).state is OutcomeState.OK
    assert look(server.url(), components=["Inference"]).state is OutcomeState.FAILED


def test_a_redirect_on_the_same_host_is_followed(server: PageServer) -> None:
    server.behave("/moved", answer(200, fresh("statuspage_operational.json")))
    server.behave(SUMMARY, redirect("/moved", 301))
    outcome = look(server.url())
    assert (outcome.state, outcome.reason) == (OutcomeState.OK, Reason.OK)


def test_a_redirect_to_another_host_is_not_followed_and_names_it(server: PageServer) -> None:
    with HttpServer() as other:
        server.behave(SUMMARY, redirect(other.url("/api/v2/summary.json", host="localhost"), 301))
        outcome = look(server.url())
        assert unreadable(outcome) is PageProblem.REDIRECTED
        assert "localhost" in outcome.sentence
        assert other.received == []


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        (answer(500, "broken"), PageProblem.STATUS),
        (answer(502, "<html>Bad gateway</html>"), PageProblem.STATUS),
        (answer(503, {"page": {"id": "x"}, "status": {"indicator": "none"}}), PageProblem.STATUS),
        (answer(429, "slow down"), PageProblem.STATUS),
        (answer(404, "nothing"), PageProblem.STATUS),
        (answer(200, "<!DOCTYPE html><html><body>We moved</body></html>"), PageProblem.HTML),
        (answer(200, ""), PageProblem.EMPTY),
        (answer(200, {}), PageProblem.EMPTY),
        (answer(200, "fine"), PageProblem.GARBAGE),
        (answer(200, '{"page": {"id"'), PageProblem.GARBAGE),
        (answer(200, {"hello": "world"}), PageProblem.UNKNOWN_SHAPE),
        (answer(200, {"page": {"id": "x"}, "status": {"indicator": "purple"}}), PageProblem.UNKNOWN_SHAPE),
        (answer(200, '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><rss/>'), PageProblem.DANGEROUS),
        (redirect("ftp://example.org/"), PageProblem.STATUS),
        (redirect(SUMMARY), PageProblem.NO_ANSWER),
        (reset, PageProblem.NO_ANSWER),
        (empty, PageProblem.NO_ANSWER),
        (garbage, PageProblem.NO_ANSWER),
        (huge, PageProblem.NO_ANSWER),
        (gzip_bomb, PageProblem.NO_ANSWER),
    ],
)
def test_what_cannot_be_read_is_said_and_is_never_a_failure(
    server: PageServer, behaviour: Behaviour, problem: PageProblem
) -> None:
    server.behave(SUMMARY, behaviour)
    assert unreadable(look(server.url(SUMMARY))) is problem


@pytest.mark.parametrize("behaviour", [hang, drip])
def test_a_page_that_takes_too_long_is_unreadable_in_time(server: PageServer, behaviour: Behaviour) -> None:
    server.behave(SUMMARY, behaviour)
    outcome = look(server.url(), timeout_seconds=0.8)
    assert unreadable(outcome) is PageProblem.NO_ANSWER
    assert outcome.duration_ms < 1_500


def test_a_server_that_is_not_there_is_unreadable() -> None:
    outcome = look(f"http://127.0.0.1:{free_port()}/")
    assert unreadable(outcome) is PageProblem.NO_ANSWER
    assert outcome.evidence["cause"] == "connect_refused"
    assert "Connection refused" in outcome.sentence


def test_an_address_we_must_not_contact_is_not_contacted(server: PageServer) -> None:
    outcome = run_once("vendor_status", {"url": server.url()}, 2.0, channel_policy())
    assert unreadable(outcome) is PageProblem.NO_ANSWER
    assert server.received == []


def test_a_bad_answer_ends_the_search_and_a_missing_one_does_not(server: PageServer) -> None:
    server.behave(SUMMARY, answer(503))
    look(server.url())
    assert len(server.received) == 1
    server.behave(SUMMARY, NOWHERE)
    look(server.url())
    assert 4 < len(server.received) < 10


@pytest.mark.parametrize(("days", "readable"), [(100, True), (200, False)])
def test_a_page_nobody_has_changed_for_half_a_year_is_not_believed(
    server: PageServer, days: int, readable: bool
) -> None:
    document = document_of("statuspage_operational.json")
    quiet = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    document["page"]["updated_at"] = quiet
    for row in (*document["components"], *document["scheduled_maintenances"]):
        row["updated_at"] = quiet
    server.behave(SUMMARY, answer(200, document))
    outcome = look(server.url())
    if readable:
        assert outcome.state is OutcomeState.OK
    else:
        assert unreadable(outcome) is PageProblem.NOT_UPDATED
        assert "200 days; at most 180" in outcome.sentence


def test_nothing_of_the_answer_but_what_was_read_is_kept(server: PageServer) -> None:
    document = fresh("statuspage_incident.json")
    document["secret"] = "hunter2"
    server.behave(SUMMARY, answer(200, document))
    assert "hunter2" not in json.dumps(look(server.url()).to_wire())


def test_it_stands_beside_our_measurements_by_default() -> None:
    kind = PROBE_KINDS.get("vendor_status")
    assert (kind.default_affects_status, kind.rung, kind.default_interval_seconds) == (False, 0, 120)
    assert kind.target_kinds == {"provider"}
