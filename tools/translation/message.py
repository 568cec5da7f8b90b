"""One string to translate, as the source names it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Key = tuple[str, str]


@dataclass(frozen=True, order=True, slots=True)
class Message:
    """What gettext looks up: the text, its plural where it counts, its context where one word means two things.

    `path` is the file it stands in, relative to the project.
    """

    text: str
    plural: str = ""
    context: str = ""
    path: str = ""

    @property
    def key(self) -> Key:
        """How a catalogue tells messages apart."""
        return (self.context, self.text)


def merge(messages: Iterable[Message]) -> dict[Key, tuple[Message, list[str]]]:
    """Messages by key, each with every file it stands in; a plural anywhere makes it a plural message."""
    merged: dict[Key, tuple[Message, list[str]]] = {}
    for message in sorted(messages, key=lambda message: (message.path, message.text)):
        known, paths = merged.get(message.key, (message, []))
        if message.path not in paths:
            paths = [*paths, message.path]
        merged[message.key] = (message if message.plural else known, paths)
    return merged
