"""What is wrong with an answer, as pages show it: in the reader's language, without the parts it is made of."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from apps.catalog.status import Status
from apps.checks.ai.history import CanaryRun
from apps.core.clock import now
from apps.core.details import words
from apps.core.ids import uuid7
from apps.dashboard.ai.canaries import canaries_of
from apps.dashboard.ai.prompts import prompts_of
from apps.dashboard.evidence_view import view_of
from apps.probes.details import Detail

STORED = words(Detail.NO_JSON, content_type="text/html").to_evidence()


@pytest.mark.parametrize(("language", "shown"), [("en", "no JSON (text/html)"), ("ko", "JSON이 아님 (text/html)")])
def test_a_detail_is_one_line_in_the_language_of_its_reader(language: str, shown: str) -> None:
    with override(language):
        facts = [fact.value for fact in view_of({"model": "m", **STORED}).facts]
        prompts = prompts_of([{"name": "Sum", "passed": False, "assertion": "regex", **STORED}])
    assert facts == ["m", shown]
    assert prompts[0].detail == shown


def test_what_was_stored_before_is_shown_as_it_was() -> None:
    assert [fact.value for fact in view_of({"detail": "get_time was called"}).facts] == ["get_time was called"]
    assert view_of({"detail": ["a", "b"]}).facts[0].value == "a, b"
    old = prompts_of([{"name": "Sum", "passed": False, "detail": "the argument city is another"}])
    assert old[0].detail == "the argument city is another"


@pytest.mark.parametrize("unasked", [words(Detail.NOT_ASKED).to_evidence(), {"detail": "not asked"}])
def test_a_prompt_that_was_not_asked_neither_passed_nor_failed(unasked: dict[str, object]) -> None:
    told = [
        {"name": "Late", "passed": False, **unasked},
        {"name": "Sum", "passed": True},
        {"name": "Map", "passed": False},
    ]
    assert [(line.name, line.asked, line.failed) for line in prompts_of(told)] == [
        ("Map", True, True),
        ("Sum", True, False),
        ("Late", False, False),
    ]
    run = CanaryRun(uuid7(), "Golden prompts", uuid7(), now(), "degraded", "overloaded", 1, 3, told)
    [canary] = canaries_of([run])
    assert {row.name: row.latest.status for row in canary.rows} == {
        "Map": Status.DEGRADED,
        "Sum": Status.OPERATIONAL,
        "Late": Status.UNKNOWN,
    }
    assert [line.name for line in canary.failed] == ["Map"]


CODED = {
    "phase": ("first_byte", "Waiting for the first byte", "첫 바이트 대기"),
    "rule": ("private", "a private network", "사설 네트워크"),
    "seen": ("dns_error", "Name lookup failed", "이름 조회 실패"),
    "last_ping_kind": ("start", "Start", "시작"),
    "operator": ("not_contains", "does not contain", "포함하지 않음"),
}


@pytest.mark.parametrize("name", CODED)
def test_a_code_of_ours_is_shown_in_words(name: str) -> None:
    code, english, korean = CODED[name]
    for language, shown in (("en", english), ("ko", korean)):
        with override(language):
            assert [fact.value for fact in view_of({name: code}).facts] == [shown]
    assert view_of({name: "of_a_newer_version"}).facts[0].value == "of_a_newer_version"
    assert view_of({name: ["x"]}).facts[0].value == "x"


def test_a_condition_is_listed_with_its_operator_in_words() -> None:
    with override("ko"):
        listed = view_of({"conditions": [{"field": "body", "operator": "contains", "expected": "ok", "actual": "no"}]})
    assert [line.operator for line in listed.conditions] == ["포함"]


def test_a_status_page_that_cannot_be_read_says_why_and_not_by_its_code() -> None:
    stored = {"detail": "? JSON", "problem": "garbage", "content_type": "text/plain"}
    with override("ko"):
        facts = {str(fact.label): fact.value for fact in view_of(stored).facts}
    assert "text/plain" in facts.values() and len(facts) == 2
    assert not {"? JSON", "garbage"} & set(facts.values())
