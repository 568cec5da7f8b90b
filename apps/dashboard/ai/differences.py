"""What was expected beside what came, word by word, so that the one word that differs is seen at once. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# Comparing costs the product of both lengths; what is longer is shown as two whole texts.
LONGEST = 2_000
# Texts with less than this in common are another answer, not a variant of the expected one.
_ALIKE = 0.3
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")

Kind = Literal["same", "missing", "added"]


@dataclass(frozen=True)
class Piece:
    """A stretch of text: in both (`same`), only expected (`missing`), or only in what came (`added`)."""

    kind: Kind
    text: str


def difference(expected: str, actual: str) -> list[Piece]:
    """Both texts as one row of pieces; two whole ones where they have little in common."""
    if expected == actual:
        return [Piece("same", actual)] if actual else []
    whole = _pieces([("missing", expected), ("added", actual)])
    if max(len(expected), len(actual)) > LONGEST:
        return whole
    before, after = _WORDS.findall(expected), _WORDS.findall(actual)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return whole
    found: list[tuple[Kind, str]] = []
    for tag, low, high, start, end in matcher.get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(after[start:end])))
        else:
            found += [("missing", "".join(before[low:high])), ("added", "".join(after[start:end]))]
    return _pieces(found)


def _pieces(found: list[tuple[Kind, str]]) -> list[Piece]:
    return [Piece(kind, text) for kind, text in found if text]
