"""What a target is called where it stands alone. Pure: messages are worded with it, too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """A name and, of a model, its provider's: two providers may offer a model of one name, so that both are said.

    As text "gpt-5 · OpenAI"; of every other kind the name as it is.
    """

    name: str
    provider: str = ""

    def __str__(self) -> str:
        return f"{self.name} · {self.provider}" if self.provider else self.name
