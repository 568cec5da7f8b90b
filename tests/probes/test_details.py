"""Details: one code each, said in the reader's language, with what others said left as they said it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import translation

from apps.core.details import Words, detail_words, readable, words
from apps.probes.ai.answers import BadAnswer
from apps.probes.base import Outcome, OutcomeState
from apps.probes.details import Detail
from apps.probes.evidence import redacted
from apps.probes.reasons import Reason, sentence

MALFORMED = "The answer is not what this API promises: {}."


@pytest.mark.parametrize("code", list(Detail), ids=str)
def test_every_detail_has_words_and_says_its_values(code: Detail) -> None:
    names = ("said", "name", "path", "expected", "rule", "count")
    told = str(words(code, **{name: f"<{name}>" for name in names}))
    assert told
    assert not re.search(r"%\(|[.!]$", told), "it is the end of a sentence"
    assert detail_words(words(code, **dict.fromkeys(names, "x")).to_evidence())


def test_a_detail_is_said_in_the_language_of_its_reader() -> None:
    stored = words(Detail.NO_JSON, content_type="text/html").to_evidence()
    assert stored["detail"] == "no JSON (text/html)"
    with translation.override("ko"):
        assert words(Detail.NO_JSON, content_type="text/html").to_evidence() == stored, "what is stored has no language"
        said = detail_words(stored)
        assert re.search("[가-힣]", said)
        assert "no JSON" not in sentence(Reason.MALFORMED_ANSWER, stored)
        assert said.endswith("(text/html)")


@pytest.mark.parametrize("old", ["no JSON", "an event that is no chunk of an answer", "not asked"])
def test_what_was_stored_before_there_were_codes_is_still_translated(old: str) -> None:
    with translation.override("ko"):
        assert re.search("[가-힣]", sentence(Reason.MALFORMED_ANSWER, {"detail": old}))
        assert re.search("[가-힣]", detail_words({"detail": old}))


@pytest.mark.parametrize(
    "stored",
    [
        {"detail": "an error under a good status: Boom"},
        {"detail": "Boom", "detail_code": "of_a_newer_version"},
        {"detail": "Boom", "detail_code": ["no_json"]},
        {"detail": "Boom", "detail_code": "said_error"},
        {"detail": "Boom", "detail_code": "said_error", "detail_values": 7},
    ],
)
def test_what_cannot_be_said_anew_is_shown_as_it_stands(stored: dict[str, Any]) -> None:
    assert detail_words(stored) == stored["detail"]
    assert readable(stored) == {"detail": stored["detail"]}


@pytest.mark.parametrize("odd", [["no JSON"], {"no": "JSON"}, 7])
def test_a_detail_that_is_no_text_is_quoted_as_it_stands(odd: Any) -> None:
    assert f"“{odd}”" in sentence(Reason.MALFORMED_ANSWER, {"detail": odd})


def test_words_of_a_provider_stand_in_quotes_and_are_never_translated() -> None:
    evidence = {"actual": 400, "detail": "no JSON, please"}
    refused = "The provider refuses the request as we send it (status 400): “no JSON, please”."
    assert sentence(Reason.BAD_REQUEST, evidence) == refused
    error = words(Detail.SAID_ERROR, said="no JSON").to_evidence()
    assert sentence(Reason.MALFORMED_ANSWER, error) == MALFORMED.format("an error under a good status: “no JSON”")
    with translation.override("ko"):
        assert "“no JSON, please”" in sentence(Reason.BAD_REQUEST, evidence)


def test_a_value_is_short_masked_and_never_read_as_a_template() -> None:
    evidence = words(Detail.SAID_ERROR, said="100 %(name)s sk-hunter2-hunter2 " + "x" * 1_000).to_evidence()
    assert len(evidence["detail"]) < 400
    shown = detail_words(redacted(evidence, ["sk-hunter2-hunter2"]))
    assert "100 %(name)s •" in shown
    assert "hunter2" not in str(redacted(evidence, ["sk-hunter2-hunter2"]))


def test_a_bad_answer_carries_its_words() -> None:
    error = BadAnswer(Detail.TOO_DEEP)
    assert error.words == Words(Detail.TOO_DEEP)
    assert str(error) == "JSON nested too deeply"
    outcome = Outcome(state=OutcomeState.FAILED, reason=Reason.MALFORMED_ANSWER, evidence=error.words.to_evidence())
    assert Outcome.from_wire(outcome.to_wire()).sentence == MALFORMED.format("JSON nested too deeply")
