"""The words of our scripts: each one asked for exists, and each one that exists is asked for."""

from __future__ import annotations

import re
from pathlib import Path

from apps.dashboard.words import script_words

SCRIPTS = Path(__file__).resolve().parents[2] / "static" / "js"
# Keys that a script puts together from a state, a part of a form or a choice of two.
_COMPOSED = {
    "ago",
    "in",
    "connecting",
    "live",
    "reconnecting",
    "offline",
    "exact_times",
    "relative_times",
    "condition_field",
    "condition_operator",
    "condition_value",
    "condition_name",
    "days",
    "days_hours",
    "hours",
    "hours_minutes",
    "minutes",
    "minutes_seconds",
    "seconds",
    "language",
}


def asked_for() -> set[str]:
    sources = "\n".join(path.read_text() for path in SCRIPTS.glob("*.js"))
    return set(re.findall(r'\bword\(\s*"(\w+)"', sources))


def test_every_word_a_script_asks_for_is_in_the_page() -> None:
    assert asked_for() <= set(script_words())


def test_no_word_is_translated_for_nobody() -> None:
    assert set(script_words()) - asked_for() <= _COMPOSED
