"""Words of the libraries whose pages and errors people see, as far as Django's own Korean does not hold them.

They stand in our catalogue like our own words, and Django looks there first. An upgrade that brings new ones fails the
same test as a new string of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from babel.messages.pofile import read_po

from tools.translation.message import Key, Message
from tools.translation.python_source import extract_python
from tools.translation.template_source import extract_template

# Package: the files that are shown. The REST framework's own pages are switched off, so only its errors count.
_SHOWN = {
    "axes": ("**/*.py",),
    "rest_framework": (
        "authentication.py",
        "exceptions.py",
        "fields.py",
        "relations.py",
        "serializers.py",
        "validators.py",
    ),
    "rest_framework_simplejwt": ("*.py",),
    "unfold": ("**/*.py", "templates/**/*.html"),
}
_DJANGO = ("conf", "contrib/admin", "contrib/auth", "contrib/contenttypes", "contrib/humanize", "contrib/sessions")
_HIDDEN_FOLDERS = {"contrib", "migrations", "management", "tests"}


def library_messages(language: str) -> Iterator[Message]:
    """Messages of the installed libraries that Django does not translate into this language."""
    known = _django_keys(language)
    for package, patterns in _SHOWN.items():
        folder = _folder(package)
        for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
            if not _HIDDEN_FOLDERS & set(path.relative_to(folder).parts):
                yield from (message for message in _messages(path, folder.parent) if message.key not in known)


def _messages(path: Path, root: Path) -> Iterator[Message]:
    name = path.relative_to(root).as_posix()
    if path.suffix == ".py":
        return extract_python(path.read_text(), name, strict=False)
    return extract_template(path.read_text(), name)


def _django_keys(language: str) -> set[Key]:
    known: set[Key] = set()
    for part in _DJANGO:
        with (_folder("django") / part / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
            for entry in read_po(file, locale=language):
                if entry.id and entry.string and not entry.fuzzy:
                    known.add((entry.context or "", entry.id if isinstance(entry.id, str) else entry.id[0]))
    return known


def _folder(package: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(next(iter(found.submodule_search_locations)))
