"""What may be wrong with an answer as such."""

from __future__ import annotations

from apps.core.details import Value, words
from apps.probes.details import Detail


class BadAnswer(ValueError):
    """What came back is not what the dialect speaks; `words` say why, without content, and `str()` is their English."""

    def __init__(self, code: Detail, **values: Value) -> None:
        self.words = words(code, **values)
        super().__init__(str(self.words))
