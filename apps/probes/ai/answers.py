"""What may be wrong with an answer as such."""

from __future__ import annotations


class BadAnswer(ValueError):
    """What came back is not what the dialect speaks; `str()` is a few words for the evidence, without content."""
