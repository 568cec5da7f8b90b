"""What is wrong with a catalogue: gaps, leftovers, and translations that would break a page or read badly.

Pure: a catalogue and the messages of the source in, sentences out.
"""

from __future__ import annotations

import re
from calendar import day_name, month_name
from collections import Counter
from collections.abc import Iterable, Iterator

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry

from tools.translation.allowed import unknown_words
from tools.translation.message import Message, merge

_NAMED = re.compile(r"%\((\w+)\)[sdif]|(?<!\{)\{(\w+)(?::[^}]*)?\}(?!\})")
_POSITIONAL = re.compile(r"(?<!%)(?:%%)*(%[sdif]|\{\})(?!\w)")
_TAG = re.compile(r"</?[a-zA-Z][^>]*>")
_HANGUL = re.compile(r"[가-힣]")
_PARTICLE = re.compile(r"(?:%\(\w+\)[sd]|\{\w+\})[\"'”’」]?(을|를|이|가|은|는|과|와|으로|로)(?=[\s.,:;!?)]|$)")
_INFORMAL = re.compile(r"(?<!세)요[.!?]")
_END_MARKS = ".:…"
# Django looks these up without a context when it formats dates; another meaning would turn up in them.
_DATE_WORDS = frozenset((*month_name, *day_name))


def problems_of(catalogue: Catalog, messages: Iterable[Message]) -> list[str]:
    """Every problem as one line, in the catalogue's order; empty when the language is complete."""
    wanted = merge(messages)
    found: list[str] = []
    known = set()
    for entry in catalogue:
        if not entry.id:
            continue
        text, plural = _texts(entry)
        key = (entry.context or "", text)
        known.add(key)
        if key not in wanted:
            found.append(f"{_quote(text)} is in no source file any more")
            continue
        if wanted[key][0].plural != plural:
            found.append(f"{_quote(text)} has another plural in the source: {_quote(wanted[key][0].plural)}")
            continue
        found += [f"{_quote(text)} {problem}" for problem in _problems_of_entry(entry, text, plural)]
    found += [
        f"{_quote(wanted[key][0].text)} ({wanted[key][1][0]}) is missing" for key in sorted(wanted.keys() - known)
    ]
    found += [f"{_quote(_texts(entry)[0])} is kept as obsolete" for entry in catalogue.obsolete.values()]
    return found


def _problems_of_entry(entry: Entry, text: str, plural: str) -> Iterator[str]:
    translations = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
    if entry.fuzzy:
        yield "is marked fuzzy"
    if text in _DATE_WORDS and not entry.context:
        yield "needs a context (pgettext): Django uses the bare word in dates"
    if not translations or not all(translations):
        yield f"has no translation ({_place(entry)})"
        return
    for translation in translations:
        yield from translation_problems(text, plural, translation)


def translation_problems(text: str, plural: str, translation: str) -> Iterator[str]:
    """What is wrong with one translation of a text (and of its plural, when it counts)."""
    source = plural or text
    if _placeholders(source) != _placeholders(translation):
        yield f"has other placeholders than its translation {_quote(translation)}"
    if Counter(_TAG.findall(source)) != Counter(_TAG.findall(translation)):
        yield f"has other HTML tags than its translation {_quote(translation)}"
    if _edges(source) != _edges(translation):
        yield f"begins or ends with other white space than its translation {_quote(translation)}"
    if _end_mark(source) != _end_mark(translation):
        yield f"ends with another mark than its translation {_quote(translation)}"
    if not _HANGUL.search(translation) and unknown_words(_NAMED.sub("", source)):
        yield f"is still English: {_quote(translation)}"
    if particle := _PARTICLE.search(translation):
        yield f"has a particle that depends on an unknown word, {_quote(particle[0])} in {_quote(translation)}"
    if _INFORMAL.search(translation):
        yield f"is translated in 해요체: {_quote(translation)}"


def _placeholders(text: str) -> tuple[frozenset[str], Counter[str]]:
    """Named ones may be repeated or moved; positional ones must be as many."""
    named = frozenset(match[1] or match[2] for match in _NAMED.finditer(text))
    return named, Counter(match[1] for match in _POSITIONAL.finditer(text))


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _end_mark(text: str) -> str:
    """A question may become a statement: languages ask differently. A short word with a point is an abbreviation."""
    last = text.rstrip()[-1:].replace("?", ".") if len(text) > 4 else ""
    return last if last and last in _END_MARKS else ""


def _texts(entry: Entry) -> tuple[str, str]:
    """The text and, where it counts, its plural."""
    return (entry.id, "") if isinstance(entry.id, str) else (entry.id[0], entry.id[1])


def _place(entry: Entry) -> str:
    return entry.locations[0][0] if entry.locations else "no file"


def _quote(text: str) -> str:
    return "“" + text.replace("\n", "\\n") + "”"
