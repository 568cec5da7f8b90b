"""The .po files: read, merged with what the source holds now, written so that a run without news changes nothing."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po, write_po

from tools.translation.message import Key, Message, merge

LANGUAGES = ("ko",)


def catalogue_path(project: Path, language: str) -> Path:
    """Where Django, and the compiler at installation, look for a language."""
    return project / "locale" / language / "LC_MESSAGES" / "django.po"


def read_catalogue(path: Path, language: str) -> Catalog:
    """The catalogue as it is stored; an empty one where there is no file yet."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def updated(catalogue: Catalog, messages: Iterable[Message], language: str) -> Catalog:
    """A new catalogue with exactly these messages: known translations kept, new ones empty, nothing guessed.

    A message that becomes plural, or stops to be, counts as new: its old text was written for something else.
    """
    merged = merge(messages)
    fresh = Catalog(locale=language)
    for message, paths in sorted(merged.values(), key=lambda entry: (entry[1][0], entry[0].text, entry[0].context)):
        identifier = (message.text, message.plural) if message.plural else message.text
        known = _find(catalogue, message.key)
        keep = known is not None and known.id == identifier and not known.fuzzy
        fresh.add(
            identifier,
            string=known.string if known and keep else None,
            locations=[(path, 0) for path in sorted(paths)],
            user_comments=known.user_comments if known else (),
            context=message.context or None,
        )
    return fresh


def write_catalogue(catalogue: Catalog, path: Path, language: str, *, dry_run: bool = False) -> bool:
    """Store a catalogue; tells whether the file changes. No dates and no line numbers: diffs show words only."""
    rendered = io.BytesIO()
    write_po(rendered, catalogue, width=0, omit_header=True, include_lineno=False)
    text = _header(catalogue, language) + "\n" + rendered.getvalue().decode().rstrip("\n") + "\n"
    if path.exists() and path.read_text() == text:
        return False
    if not dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return True


def _find(catalogue: Catalog, key: Key) -> Entry | None:
    context, text = key
    return catalogue.get(text, context or None)


def _header(catalogue: Catalog, language: str) -> str:
    fields = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalogue.plural_forms,
    }
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in fields.items())
    return f'msgid ""\nmsgstr ""\n{lines}'
