"""Which of OpenAI's models reason, and how little each can be made to: the names say it, the API does not."""

from __future__ import annotations

import re
from typing import NamedTuple


class Effort(NamedTuple):
    """`reasoning_effort` as to be sent (empty: it is refused), and the tokens it may still take before an answer."""

    sent: str
    tokens: int
    takes_temperature: bool = False


# The first that matches the whole name counts. What answers in a chat's manner has one fixed effort or none.
_EFFORTS = (
    (re.compile(r"gpt-5.*-chat.*"), Effort("", 128)),
    (re.compile(r"(?:gpt-5|o\d)(?:\.\d+)?(?:-mini)?-(?:pro|deep-research).*"), Effort("", 2_048)),
    (re.compile(r"gpt-5.*codex.*|codex-.*"), Effort("low", 512)),
    (re.compile(r"gpt-5(?:-(?:mini|nano))?(?:-\d{4}.*)?"), Effort("minimal", 128)),
    (re.compile(r"gpt-5\.\d+.*"), Effort("none", 0)),
    # What is not known yet: no reasoning model ever refused "low".
    (re.compile(r"gpt-[6-9].*"), Effort("low", 512)),
    (re.compile(r"o1-(?:mini|preview).*"), Effort("", 1_024)),
    (re.compile(r"o\d(?:-mini)?(?:-\d{4}.*)?"), Effort("low", 512)),
    (re.compile(r"gpt-oss.*"), Effort("low", 256, takes_temperature=True)),
)
# Those that know no chat completions.
_RESPONSES_ONLY = re.compile(
    r"(?:gpt-5|o\d)(?:\.\d+)?(?:-mini)?-(?:pro|deep-research).*|gpt-5.*codex.*|codex-.*|computer-use-.*"
)
# What gateways and fine-tuning put before a name: openai/, azure/, ft:
_PREFIX = re.compile(r".*[/:](?=(?:gpt|o\d|codex))")


def effort_of(model: str) -> Effort | None:
    """How little this model reasons; None for one that does not reason, as far as its name tells."""
    name = _bare(model)
    return next((effort for pattern, effort in _EFFORTS if pattern.fullmatch(name)), None)


def needs_responses(model: str) -> bool:
    """Whether this model is only asked by the Responses API, as far as its name tells."""
    return _RESPONSES_ONLY.fullmatch(_bare(model)) is not None


def _bare(model: str) -> str:
    name = _PREFIX.sub("", model[:200].lower().removeprefix("ft:"))
    return name.partition(":")[0]
