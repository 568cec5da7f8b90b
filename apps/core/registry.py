"""The one shape of every extension point: a name, an entry, no central list.

A registry may be given the package its entries live in. That package is imported on the first look into the
registry, so a new kind is one new file; two entries with one name stop the process.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

Entry = TypeVar("Entry")
Decorated = TypeVar("Decorated")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class UnknownEntry(KeyError):
    """A name nothing is registered under. `str()` is a sentence that lists the known names."""

    def __str__(self) -> str:
        return str(self.args[0])


class DuplicateEntry(RuntimeError):
    """Two entries claim one name: a programming error, met at start."""


class Registry(Generic[Entry]):
    """Entries by name, in name order. `noun` is what an entry is called in messages ("probe kind")."""

    def __init__(self, noun: str, *, package: str = "") -> None:
        self.noun = noun
        self._package = package
        self._entries: dict[str, Entry] = {}
        self._discovered = not package
        self._discovering = False
        # Re-entrant: a module of the package may look into the registry while it is being imported.
        self._lock = threading.RLock()

    def add(self, name: str, entry: Entry) -> Entry:
        """Register `entry`. Raises ValueError for a malformed name and DuplicateEntry for one that is taken."""
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} cannot name a {self.noun}: use lower-case letters, digits and underscores, at most 32, "
                "starting with a letter."
            )
        if name in self._entries:
            raise DuplicateEntry(
                f"Two entries call themselves the {self.noun} {name!r}: {self._entries[name]!r} and {entry!r}."
            )
        self._entries[name] = entry
        return entry

    def register(self, name: str) -> Callable[[Decorated], Decorated]:
        """Decorator: register what follows under `name` and leave it as it is."""

        def decorate(entry: Decorated) -> Decorated:
            self.add(name, cast("Entry", entry))
            return entry

        return decorate

    def discover(self, package: str = "") -> None:
        """Import every module of `package` (default: the registry's own), so that each registers itself. Idempotent."""
        with self._lock:
            # A module that looks into the registry while being imported must not start over; whoever looks from
            # another thread meanwhile waits, or it would see a registry half full.
            self._discovering = True
            try:
                module = importlib.import_module(package or self._package)
                for found in pkgutil.iter_modules(module.__path__, module.__name__ + "."):
                    importlib.import_module(found.name)
                self._discovered = True
            finally:
                self._discovering = False

    def get(self, name: str) -> Entry:
        """The entry called `name`. Raises UnknownEntry, whose sentence lists the known names."""
        entries = self._known()
        try:
            return entries[name]
        except (KeyError, TypeError):
            known = ", ".join(sorted(entries)) or "none"
            raise UnknownEntry(f"There is no {self.noun} called {name!r}. Known: {known}.") from None

    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._known())

    def items(self) -> list[tuple[str, Entry]]:
        """Every (name, entry), in name order."""
        return sorted(self._known().items(), key=lambda pair: pair[0])

    def choices(self) -> list[tuple[str, Any]]:
        """(name, label) pairs for a form or a model field; the label is the entry's `label`, else its name."""
        return [(name, getattr(entry, "label", name)) for name, entry in self.items()]

    def __iter__(self) -> Iterator[Entry]:
        return iter([entry for _, entry in self.items()])

    def __len__(self) -> int:
        return len(self._known())

    def __contains__(self, name: object) -> bool:
        return name in self._known()

    def _known(self) -> dict[str, Entry]:
        if not self._discovered:
            with self._lock:
                if not self._discovered and not self._discovering:
                    self.discover()
        return self._entries
