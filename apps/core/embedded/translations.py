"""Compiling the message catalogues with Babel, since msgfmt is not on a bare machine."""

from __future__ import annotations

import io
import os
from pathlib import Path

from apps.core.embedded.errors import LauncherError


def compile_translations(project: Path) -> list[Path]:
    """Compile every `locale/*/LC_MESSAGES/*.po` newer than its `.mo`; returns what was written."""
    stale = [source for source in sorted(project.glob("locale/*/LC_MESSAGES/*.po")) if _is_stale(source)]
    for source in stale:
        _compile(source)
    return [source.with_suffix(".mo") for source in stale]


def _is_stale(source: Path) -> bool:
    try:
        return source.with_suffix(".mo").stat().st_mtime_ns < source.stat().st_mtime_ns
    except FileNotFoundError:
        return True


def _compile(source: Path) -> None:
    # Imported here: most starts find nothing to compile.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415

    language = source.parts[-3]
    try:
        with source.open("rb") as file:
            catalog = read_po(file, locale=language, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise LauncherError(f"{source} is not a valid message catalogue: {error}") from error
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    draft = source.with_suffix(f".mo.{os.getpid()}")  # several commands may compile at once
    draft.write_bytes(compiled.getvalue())
    draft.replace(source.with_suffix(".mo"))
