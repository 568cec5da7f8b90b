"""Korean is complete and fits its source; nothing a person reads bypasses translation.

Most of this reads files only. `python -m tools.translation` brings the catalogue up to date (docs/translating.md).
"""

from __future__ import annotations

import pytest

from tools.translation.bare_python import bare_strings
from tools.translation.bare_templates import bare_text
from tools.translation.catalogue import LANGUAGES, catalogue_path, read_catalogue, updated, write_catalogue
from tools.translation.judgement import problems_of
from tools.translation.sources import PROJECT, messages_for, python_files, template_files

# The page that shows every part of a page to developers, filled with invented names and numbers.
SPECIMENS = {"templates/dashboard/components.html"}
HOW = "Run `make messages`, then translate what is empty in {path}:"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated_and_every_translation_fits(language: str) -> None:
    path = catalogue_path(PROJECT, language)

    problems = problems_of(read_catalogue(path, language), messages_for(language))

    assert not problems, "\n".join([HOW.format(path=path.relative_to(PROJECT)), *problems])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stored_catalogue_is_what_collecting_again_would_write(language: str) -> None:
    path = catalogue_path(PROJECT, language)
    draft = updated(read_catalogue(path, language), messages_for(language), language)

    assert not write_catalogue(draft, path, language, dry_run=True), (
        "Run `make messages`: files moved or the order changed."
    )


def test_templates_hold_no_text_outside_translation_tags() -> None:
    found = [
        f"{name}: {text}"
        for path in template_files()
        if (name := path.relative_to(PROJECT).as_posix()) not in SPECIMENS
        for text in bare_text(path.read_text())
    ]

    assert not found, "\n".join(["Wrap these in {% translate %} or {% blocktranslate trimmed %}:", *found])


def test_labels_choices_and_errors_in_python_are_marked_for_translation() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{text}"
        for path in python_files()
        for text in bare_strings(path.read_text(), path.name)
    ]

    assert not found, "\n".join(["Wrap these in gettext or gettext_lazy:", *found])
