"""XML of somebody else's, into a small tree: no document type, so no entities and nothing external; all bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from apps.probes.vendor_pages.problems import PageProblem, UnreadablePage

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_ELEMENTS = 20_000
# Of one element; a longer text is cut.
MAX_TEXT = 20_000
_MAX_ATTRIBUTES = 20


@dataclass(slots=True)
class Element:
    """One element: its name without prefix and in lower case, its own text, what is inside it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def first(self, *names: str) -> Element | None:
        """The first child called one of `names`, tried in their order."""
        return next((child for name in names for child in self.children if child.name == name), None)

    def all(self, name: str) -> list[Element]:
        return [child for child in self.children if child.name == name]

    def said(self, *names: str) -> str:
        """The text of the first child called one of `names` that has some, with everything inside it."""
        for name in names:
            for child in self.children:
                if child.name == name and (found := child.whole().strip()):
                    return found
        return ""

    def whole(self) -> str:
        """Its text and that of everything inside it, at most MAX_TEXT characters."""
        parts, waiting, size = [], [self], 0
        while waiting and size < MAX_TEXT:
            element = waiting.pop()
            parts.append(element.text)
            size += len(parts[-1])
            waiting.extend(reversed(element.children))
        return " ".join(parts)[:MAX_TEXT]


def parse(body: bytes) -> Element:
    """The root of an XML document. Raises UnreadablePage for what is no XML and for what is dangerous to read."""
    if len(body) > MAX_BYTES:
        raise UnreadablePage(PageProblem.DANGEROUS, actual=f"> {MAX_BYTES} B")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise UnreadablePage(PageProblem.GARBAGE, detail="XML") from None
    if builder.root is None:
        raise UnreadablePage(PageProblem.GARBAGE, detail="XML")
    return builder.root


def _refuse(*_arguments: Any) -> int:
    raise UnreadablePage(PageProblem.DANGEROUS, actual="<!DOCTYPE")


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise UnreadablePage(PageProblem.DANGEROUS, actual=f"> {MAX_ELEMENTS} <…>")
        if len(self._open) >= MAX_DEPTH:
            raise UnreadablePage(PageProblem.DANGEROUS, actual=f"> {MAX_DEPTH} × <…>")
        kept = list(attributes.items())[:_MAX_ATTRIBUTES]
        element = Element(_local(name), {_local(key): value[:1_000] for key, value in kept})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, data: str) -> None:
        element = self._open[-1]
        room = MAX_TEXT - element.size
        if room > 0:
            element.pieces.append(data[:room])
            element.size += len(data)


def _local(name: str) -> str:
    return name.rpartition(" ")[2].rpartition(":")[2].lower()[:60]
