"""The launcher's work on files: translations, logs, stamps, and the port it takes."""

from __future__ import annotations

import gettext
import os
import socket
from pathlib import Path

import pytest

from apps.core.embedded.errors import LauncherError
from apps.core.embedded.logs import Logs
from apps.core.embedded.ports import free_port, next_free_port
from apps.core.embedded.stamps import static_files_stamp
from apps.core.embedded.translations import compile_translations

CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"

msgid "Check"
msgstr "점검"

#, fuzzy
msgid "Target"
msgstr "짐작"
"""


def catalogue(project: Path) -> Path:
    source = project / "locale/ko/LC_MESSAGES/django.po"
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE)
    return source


def test_translations_are_compiled_once_and_again_after_a_change(tmp_path: Path) -> None:
    source = catalogue(tmp_path)
    assert compile_translations(tmp_path) == [source.with_suffix(".mo")]
    assert compile_translations(tmp_path) == []
    os.utime(source, (source.stat().st_atime, source.stat().st_mtime + 5))
    assert compile_translations(tmp_path) == [source.with_suffix(".mo")]


def test_a_guessed_translation_is_not_shown(tmp_path: Path) -> None:
    compile_translations(catalogue(tmp_path).parents[3])
    korean = gettext.translation("django", tmp_path / "locale", languages=["ko"])
    assert korean.gettext("Check") == "점검"
    assert korean.gettext("Target") == "Target"


def test_a_broken_catalogue_is_named(tmp_path: Path) -> None:
    source = catalogue(tmp_path)
    source.write_text('msgid "never closed\n')
    with pytest.raises(LauncherError, match=r"django\.po is not a valid message catalogue"):
        compile_translations(tmp_path)


def test_a_log_above_its_limit_goes_on_empty_and_keeps_what_was_before(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    with logs.open("web") as held_by_a_child:
        held_by_a_child.write(b"before\n")
        held_by_a_child.flush()
        logs.rotate(largest_bytes=3)
        held_by_a_child.write(b"after\n")
    assert (tmp_path / "web.log.1").read_text() == "before\n"
    assert logs.tail("web") == "after"


def test_static_files_are_collected_again_only_when_one_changed(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    page = tmp_path / "static/page.css"
    page.write_text("a")
    static_files_stamp(tmp_path, tmp_path).mark()
    assert static_files_stamp(tmp_path, tmp_path).is_current()
    page.write_text("ab")
    assert not static_files_stamp(tmp_path, tmp_path).is_current()


def test_a_port_in_use_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        taken = server.getsockname()[1]
        assert next_free_port(taken, "127.0.0.1") > taken
        assert free_port(taken) != taken
