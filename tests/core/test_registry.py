"""The registry: names, order, discovery, and what it says when something is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from apps.core.registry import DuplicateEntry, Registry, UnknownEntry


class Thing:
    def __init__(self, label: str) -> None:
        self.label = label


def test_entries_are_found_by_name_and_listed_in_name_order() -> None:
    registry: Registry[Thing] = Registry("thing")
    zebra, ant = registry.add("zebra", Thing("Zebra")), registry.add("ant", Thing("Ant"))
    assert registry.get("zebra") is zebra
    assert registry.names() == ["ant", "zebra"]
    assert registry.choices() == [("ant", "Ant"), ("zebra", "Zebra")]
    assert list(registry) == [ant, zebra]
    assert ("ant" in registry, "bee" in registry, len(registry)) == (True, False, 2)


def test_the_decorator_registers_and_leaves_the_thing_alone() -> None:
    registry: Registry[type] = Registry("class")

    @registry.register("plain")
    class Plain:
        pass

    assert registry.get("plain") is Plain
    assert registry.choices() == [("plain", "plain")]


def test_an_unknown_name_is_a_key_error_that_lists_the_known_ones() -> None:
    registry: Registry[Thing] = Registry("probe kind")
    registry.add("http", Thing("HTTP"))
    with pytest.raises(KeyError) as caught:
        registry.get("htpp")
    assert isinstance(caught.value, UnknownEntry)
    assert str(caught.value) == "There is no probe kind called 'htpp'. Known: http."


def test_two_entries_of_one_name_are_an_error() -> None:
    registry: Registry[Thing] = Registry("thing")
    registry.add("one", Thing("1"))
    with pytest.raises(DuplicateEntry, match="'one'"):
        registry.add("one", Thing("2"))


@pytest.mark.parametrize("name", ["", "Http", "9lives", "with space", "a" * 33, "dash-ed", "ünicode"])
def test_a_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Registry[Thing]("thing").add(name, Thing("x"))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package `found_kinds`, forgotten again after the test."""
    folder = tmp_path / "found_kinds"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from apps.core.registry import Registry\nKINDS = Registry('kind', package=__name__)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("found_kinds")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def test_every_module_of_the_package_is_imported_at_the_first_look(package: Path) -> None:
    for name in ("alpha", "beta"):
        (package / f"{name}.py").write_text(f"from found_kinds import KINDS\nKINDS.add('{name}', '{name}!')\n")
    import found_kinds  # type: ignore[import-not-found]  # noqa: PLC0415 - made above

    assert found_kinds.KINDS.names() == ["alpha", "beta"]
    assert found_kinds.KINDS.get("beta") == "beta!"


def test_a_module_that_cannot_be_imported_is_an_error_each_time(package: Path) -> None:
    (package / "broken.py").write_text("raise ImportError('no such library')\n")
    sys.modules.pop("found_kinds", None)
    import found_kinds  # noqa: PLC0415 - made above

    for _attempt in range(2):
        with pytest.raises(ImportError, match="no such library"):
            found_kinds.KINDS.names()
