"""What is wrong with an answer, as pages show it: in the reader's language, without the parts it is made of."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from apps.core.details import words
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
