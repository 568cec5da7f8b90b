"""What is read out of each maker's document."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.probes.vendor_pages.finding import candidates, read_page
from apps.probes.vendor_pages.markup import parse
from apps.probes.vendor_pages.problems import UnreadablePage
from apps.probes.vendor_pages.reading import VENDOR_FORMATS, PageReading, PageStatus
from tests.probes.vendor_pages.samples import NAMES, NOW, body_of, document_of, reading_of

OPERATIONAL, DEGRADED, OUTAGE = PageStatus.OPERATIONAL, PageStatus.DEGRADED, PageStatus.OUTAGE
MAINTENANCE, UNKNOWN = PageStatus.MAINTENANCE, PageStatus.UNKNOWN


def at(hour: int, minute: int, second: int = 0, day: int = 21) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def components(reading: PageReading) -> dict[str, PageStatus]:
    return {f"{one.group}/{one.name}" if one.group else one.name: one.status for one in reading.components}


@pytest.mark.parametrize("name", NAMES)
def test_exactly_one_format_takes_a_document_for_its_own(name: str) -> None:
    body = body_of(name)
    is_markup = body.startswith(b"<")
    document = parse(body) if is_markup else json.loads(body)
    same = [entry for entry in VENDOR_FORMATS if (entry.media == "xml") == is_markup]
    assert len([entry.name for entry in same if entry.recognises(document)]) == 1


@pytest.mark.parametrize(
    ("name", "wanted", "status"),
    [
        ("statuspage_incident.json", "statuspage", DEGRADED),
        ("statuspage_operational.json", "statuspage", OPERATIONAL),
        ("statuspage_maintenance.json", "statuspage", MAINTENANCE),
        ("rootly_status.json", "statuspage", DEGRADED),
        ("incident_io_summary.json", "incident_io", DEGRADED),
        ("incident_io_widget.json", "incident_io", OUTAGE),
        ("instatus_summary.json", "instatus", OUTAGE),
        ("instatus_components.json", "instatus", OUTAGE),
        ("better_stack_index.json", "better_stack", DEGRADED),
        ("google_incidents.json", "google", DEGRADED),
        ("statuspage_history.rss", "rss", DEGRADED),
        ("incident_io_feed.atom", "atom", OUTAGE),
    ],
)
def test_the_format_is_found_out_and_the_whole_has_a_status(name: str, wanted: str, status: PageStatus) -> None:
    reading = reading_of(name)
    assert (reading.format, reading.status) == (wanted, status)


def test_every_document_is_in_the_table_above() -> None:
    assert len(NAMES) == 12


def test_statuspage_has_components_in_groups_and_incidents_with_both_beginnings() -> None:
    reading = reading_of("statuspage_incident.json")
    assert components(reading) == {
        "chat.example-ai.test": OPERATIONAL,
        "Console": OPERATIONAL,
        "API": DEGRADED,
        "Regions/US East": OUTAGE,
        "Regions/EU West": OPERATIONAL,
    }
    (incident,) = reading.incidents
    assert (incident.phase, incident.status, incident.is_open) == ("identified", DEGRADED, True)
    # The vendor dates the beginning back; when it said so is another moment.
    assert (incident.started_at, incident.said_at) == (at(13, 25), datetime(2026, 11, 21, 13, 41, 10, 201000, UTC))
    assert incident.url == "https://stspg.io/x1kv8c5r7bn2"
    assert reading.description == "Partial System Outage"


def test_maintenance_still_to_come_is_no_state_and_no_incident() -> None:
    assert reading_of("statuspage_operational.json").incidents == ()
    (work,) = reading_of("statuspage_maintenance.json").incidents
    assert (work.status, work.phase) == (MAINTENANCE, "in_progress")


def test_incident_io_keeps_to_the_shape_with_fewer_fields() -> None:
    reading = reading_of("incident_io_summary.json")
    assert components(reading) == {"Chat Completions": DEGRADED, "Embeddings": OPERATIONAL, "Batch": OPERATIONAL}
    assert reading.lists_components
    (incident,) = reading.incidents
    assert incident.phase == "monitoring"


def test_the_widget_of_incident_io_names_only_what_is_affected() -> None:
    reading = reading_of("incident_io_widget.json")
    assert components(reading) == {"APIs/Chat Completions": OUTAGE}
    assert not reading.lists_components
    assert [one.status for one in reading.incidents] == [OUTAGE]


def test_instatus_has_components_in_groups_and_children() -> None:
    found = components(reading_of("instatus_components.json"))
    assert found == {"API/Inference": OUTAGE, "Dashboard": OPERATIONAL, "Storage/Uploads": DEGRADED}
    (incident,) = reading_of("instatus_summary.json").incidents
    assert (incident.id, incident.started_at) == ("cm3q0x9kd0001", at(13, 50))


def test_better_stack_has_sections_and_tells_when_it_was_said_first() -> None:
    reading = reading_of("better_stack_index.json")
    assert components(reading) == {
        "Models/Completions": DEGRADED,
        "Models/Website": OPERATIONAL,
        "Models/Playground": UNKNOWN,
    }
    by_id = {one.id: one for one in reading.incidents}
    assert set(by_id) == {"9001", "9000"}  # what is still to come is left out
    assert (by_id["9001"].started_at, by_id["9001"].said_at) == (at(13, 40), at(13, 55))
    assert by_id["9000"].resolved_at == at(8, 20, day=18)


def test_google_names_products_in_open_incidents_only() -> None:
    reading = reading_of("google_incidents.json")
    assert components(reading) == {"Vertex Gemini API": DEGRADED, "Vertex AI Online Prediction": DEGRADED}
    assert [one.is_open for one in reading.incidents] == [True, False]


@pytest.mark.parametrize("name", ["statuspage_history.rss", "incident_io_feed.atom"])
def test_a_feed_tells_of_open_and_ended_incidents(name: str) -> None:
    reading = reading_of(name)
    assert [one.is_open for one in reading.incidents] == [True, False]
    assert reading.incidents[0].url.startswith("https://")
    assert not reading.lists_components


def test_an_entry_of_a_feed_that_nobody_ended_is_over_after_a_week() -> None:
    later = NOW.replace(day=29)
    assert read_page(body_of("statuspage_history.rss"), later)[1].status is OPERATIONAL


def test_a_feed_about_something_else_is_no_status_page() -> None:
    blog = b"<rss><channel><title>Blog</title><item><title>We are hiring</title><guid>1</guid></item></channel></rss>"
    with pytest.raises(UnreadablePage) as caught:
        read_page(blog, NOW)
    assert caught.value.problem.value == "unknown_shape"


def test_an_empty_feed_says_that_nothing_happened() -> None:
    assert read_page(b"<feed><title>Status</title></feed>", NOW)[1].status is OPERATIONAL


@pytest.mark.parametrize(
    ("indicator", "status"),
    [("none", OPERATIONAL), ("minor", DEGRADED), ("major", DEGRADED), ("critical", OUTAGE), ("on fire", UNKNOWN)],
)
def test_every_indicator_has_its_meaning(indicator: str, status: PageStatus) -> None:
    document: Any = {"page": {"id": "p"}, "status": {"indicator": indicator}}
    assert read_page(json.dumps(document).encode(), NOW)[1].status is status


@pytest.mark.parametrize(
    "missing", ["components", "incidents", "scheduled_maintenances", ("page", "updated_at"), ("status", "description")]
)
def test_a_summary_with_fewer_fields_is_still_read(missing: Any) -> None:
    document = document_of("statuspage_incident.json")
    if isinstance(missing, tuple):
        del document[missing[0]][missing[1]]
    else:
        del document[missing]
    assert read_page(json.dumps(document).encode(), NOW)[1].status is DEGRADED


def test_a_page_is_tried_where_each_maker_puts_it_and_a_document_only_where_it_is() -> None:
    tried = candidates("https://status.openai.com/")
    assert tried[0] == "https://status.openai.com/api/v2/summary.json"
    assert {"https://status.openai.com/summary.json", "https://status.openai.com/index.json"} <= set(tried)
    assert len(tried) <= 8
    for document in (
        "https://status.openai.com/api/v2/summary.json",
        "https://status.openai.com/feed.atom",
        "https://status.openai.com/history.rss",
        "https://example.com/status?format=json",
    ):
        assert candidates(document) == [document]
