"""Which files hold strings: our modules and templates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.translation.libraries import library_messages
from tools.translation.message import Message
from tools.translation.python_source import extract_python
from tools.translation.template_source import extract_template

PROJECT = Path(__file__).resolve().parent.parent.parent
_CODE = ("apps", "monitor_portal")
_TEMPLATE_SUFFIXES = {".html", ".txt"}


def messages_for(language: str, project: Path = PROJECT) -> Iterator[Message]:
    """Everything a catalogue must hold: our own words and those of the libraries we show."""
    yield from project_messages(project)
    yield from library_messages(language)


def project_messages(project: Path = PROJECT) -> Iterator[Message]:
    """Every message of the portal's own source."""
    for path in python_files(project):
        yield from extract_python(path.read_text(), _name(path, project))
    for path in template_files(project):
        yield from extract_template(path.read_text(), _name(path, project))


def python_files(project: Path = PROJECT) -> list[Path]:
    """Our modules; a migration keeps the words of its day and is never shown."""
    found = [path for folder in _CODE for path in (project / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def template_files(project: Path = PROJECT) -> list[Path]:
    """Our templates, wherever Django would find them."""
    folders = [project / "templates", *(project / "apps").glob("*/templates")]
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in _TEMPLATE_SUFFIXES)


def _name(path: Path, project: Path) -> str:
    return path.relative_to(project).as_posix()
