"""Messages in words: what a channel for people says, in English or Korean, in its own time zone.

Pure, as the channels that use it are: a `Message` in, a `Text` out. What comes from outside is text in it, never
mark-up; each channel escapes it in the way of its receiver and cuts it to the receiver's limits with `cut`.
"""

from __future__ import annotations

from apps.alerts.wording.text import Line, Text, cut, one_line, size
from apps.alerts.wording.user_words import (
    ALERT_PLACEHOLDERS,
    MAX_CHARACTERS,
    MESSAGE_PLACEHOLDERS,
    PLACEHOLDERS,
    SECTIONS,
    Problem,
    problems_of,
    render_user_words,
)
from apps.alerts.wording.writing import write

# The parts of a message that a user may word.
PARTS = ("title", "body")

__all__ = [
    "ALERT_PLACEHOLDERS",
    "MAX_CHARACTERS",
    "MESSAGE_PLACEHOLDERS",
    "PARTS",
    "PLACEHOLDERS",
    "SECTIONS",
    "Line",
    "Problem",
    "Text",
    "cut",
    "one_line",
    "problems_of",
    "render_user_words",
    "size",
    "write",
]
