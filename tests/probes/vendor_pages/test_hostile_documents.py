"""Whatever a page answers: a reading or an unreadable page, never another error; and always small."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.probes.evidence import MAX_BYTES as MAX_EVIDENCE
from apps.probes.evidence import bounded
from apps.probes.vendor_pages import values
from apps.probes.vendor_pages.finding import read_page
from apps.probes.vendor_pages.judging import judge
from apps.probes.vendor_pages.markup import MAX_DEPTH, MAX_ELEMENTS, parse
from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage
from apps.probes.vendor_pages.report import report_in, report_of
from tests.probes.vendor_pages.samples import NAMES, NOW, body_of, document_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
JSON_NAMES = [name for name in NAMES if name.endswith(".json")]


def evidence_of(body: bytes, wanted: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """What travels of a body; None for an unreadable page. Any other error is a failure of the test."""
    try:
        reading = read_page(body, NOW)[1]
        judged = judge(reading, wanted, quiet_days=180, now=NOW)
    except UnreadablePage:
        return None
    return report_of(judged).to_evidence()


def paths_in(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries: Any = ()
    if isinstance(document, dict):
        entries = document.items()
    elif isinstance(document, list):
        entries = enumerate(document)
    found = [path] if path else []
    for key, inner in entries:
        found += paths_in(inner, (*path, key))
    return found


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    evidence_of(body)
    evidence_of(b"<" + body)
    evidence_of(b"<rss><channel>" + body + b"</channel></rss>")


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    evidence_of(json.dumps(document).encode())


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(JSON_NAMES), st.data())
def test_a_document_with_anything_in_any_place_is_read_or_refused(name: str, data: st.DataObject) -> None:
    document = document_of(name)
    path = data.draw(st.sampled_from(paths_in(document)))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(JSON)
    evidence = evidence_of(json.dumps(document).encode(), data.draw(st.sampled_from([(), ("API",), ("Completions",)])))
    if evidence is not None:
        assert len(msgspec.json.encode(evidence)) <= 12_000


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_document_cut_anywhere_is_read_or_refused(name: str, data: st.DataObject) -> None:
    body = body_of(name)
    evidence_of(body[: data.draw(st.integers(0, len(body)))])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80) | st.floats() | st.integers())
def test_any_moment_is_one_in_utc_or_none(value: Any) -> None:
    found = values.moment(value)
    assert found is None or (found.utcoffset() == timedelta(0) and 2000 <= found.year <= 2100)


def test_a_page_of_thousands_of_components_and_incidents_stays_small_and_keeps_what_matters() -> None:
    document = document_of("statuspage_incident.json")
    many = [
        {"id": str(number), "name": f"Part {number} " + "x" * 500, "status": "operational"} for number in range(5_000)
    ]
    document["components"] = [*many[:1_999], *document["components"]]
    document["incidents"] = [
        {**document["incidents"][0], "id": str(number), "name": "y" * 5_000} for number in range(1_000)
    ]
    document["components"].insert(0, {"id": "api", "name": "API", "status": "major_outage"})
    evidence = evidence_of(json.dumps(document).encode(), ("API",))
    assert evidence is not None
    assert len(msgspec.json.encode(evidence)) <= 12_000
    whole = bounded({"page": evidence, "url": "https://status.example-ai.test/api/v2/summary.json"})
    assert len(msgspec.json.encode(whole)) <= MAX_EVIDENCE
    report = report_in(whole)
    assert report is not None
    assert [one.name for one in report.components if one.mapped] == ["API"]
    assert report.component_count > 1_900
    assert not report.whole


def test_a_report_comes_back_as_it_went() -> None:
    reading = read_page(body_of("statuspage_incident.json"), NOW)[1]
    report = report_of(judge(reading, (), quiet_days=180, now=NOW))
    assert report_in(json.loads(json.dumps({"page": report.to_evidence()}))) == report


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss><channel>&a;</channel></rss>',
        b'<?xml version="1.0"?><!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss><channel/></rss>',
        b'<!DOCTYPE r [<!ENTITY a "1234567890"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><rss>&c;</rss>',
        b'<!DOCTYPE r [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><rss/>',
        b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1),
        b"<rss>" + b"<a/>" * (MAX_ELEMENTS + 1) + b"</rss>",
    ],
)
def test_markup_that_is_dangerous_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadablePage) as caught:
        parse(body)
    assert caught.value.problem is PageProblem.DANGEROUS


@pytest.mark.parametrize("body", [b"<rss>", b"<rss>&unknown;</rss>", b"<a></b>", b"\xff\xfe<\x00", b"<\x00>"])
def test_broken_markup_is_garbage(body: bytes) -> None:
    with pytest.raises(UnreadablePage) as caught:
        parse(body)
    assert caught.value.problem is PageProblem.GARBAGE


def test_a_long_text_in_markup_is_cut_and_costs_no_time() -> None:
    body = b"<rss><channel><item><title>" + b"<b>" * 20 + b"investigating " * 200_000 + b"</b>" * 20
    started = time.monotonic()
    evidence_of(body + b"</title></item></channel></rss>")
    evidence_of(b"<rss><channel><item><description>&lt;" + b"&lt;" * 300_000 + b"</description></item></channel></rss>")
    assert time.monotonic() - started < 3


def test_json_nested_a_hundred_thousand_deep_is_garbage() -> None:
    for body in (b"[" * 100_000 + b"]" * 100_000, b'{"page":' * 50_000 + b"1" + b"}" * 50_000):
        assert evidence_of(body) is None
    deep = b'{"page": {"id": "x"}, "status": {"indicator": ' + b"[" * 900 + b"]" * 900 + b"}}"
    assert evidence_of(deep) is None


def test_text_of_a_vendor_is_one_line_without_controls() -> None:
    assert values.text("a\u202eb\x00c\r\n  d\u200b", 100) == "a b c d"
    assert values.text("\ud800", 100) == "?"
    assert len(values.text("x" * 10_000, 300)) == 300
    assert values.web_link("javascript:alert(1)") == ""
    assert values.web_link("https://example.org/a b") == ""
