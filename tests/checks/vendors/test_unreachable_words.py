"""A status page that gave no answer: the cause is said in words, not as the code it is stored by."""

from __future__ import annotations

import pytest
from django.utils import translation

from apps.probes.reasons import Reason, page_problem

STORED = {"problem": "no_answer", "cause": "timeout", "detail": "timeout"}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_cause_of_a_page_without_an_answer_is_said_in_words(language: str) -> None:
    with translation.override(language):
        said = page_problem(STORED)
        assert f"({Reason.TIMEOUT.label})" in said
    assert "timeout" not in said


def test_a_cause_of_a_newer_version_stays_what_it_is() -> None:
    assert page_problem({**STORED, "cause": "moonlight"}) == "it could not be fetched (moonlight)"
