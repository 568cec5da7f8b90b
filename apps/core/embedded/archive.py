"""The backup file: a tar with a manifest, the key and the dump."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from apps.core.embedded.errors import LauncherError

_FORMAT = 1
_MANIFEST, _DUMP, _KEY = "manifest.json", "database.dump", "secret.key"


@dataclass(frozen=True)
class Manifest:
    """What a reader must know first. `written_at` is an ISO time in UTC."""

    postgres_major: int
    written_at: str
    format: int = _FORMAT


@dataclass(frozen=True)
class Archive:
    """An open backup file."""

    manifest: Manifest
    _tar: tarfile.TarFile

    def secret_key(self) -> str:
        """The key that opens the sealed secrets in the dump."""
        return _member(self._tar, _KEY).read().decode()

    def extract_dump(self, folder: Path) -> Path:
        """Write the dump into `folder`; returns its path. Only that one member is read, whatever else is in there."""
        target = folder / _DUMP
        with target.open("wb") as file:
            shutil.copyfileobj(_member(self._tar, _DUMP), file)
        return target


def write_archive(file: Path, manifest: Manifest, secret_key: str, dump: Path) -> None:
    """Write a backup file at once, private from its first moment."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as output, tarfile.open(fileobj=output, mode="w") as tar:
            for name, content in ((_MANIFEST, json.dumps(asdict(manifest))), (_KEY, secret_key)):
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content.encode()), 0o600
                tar.addfile(member, io.BytesIO(content.encode()))
            tar.add(dump, arcname=_DUMP, filter=_without_owner)
        draft.rename(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def open_archive(file: Path) -> Iterator[Archive]:
    """Open a backup file. Raises LauncherError where it is missing or is none of ours."""
    try:
        tar = tarfile.open(file)  # noqa: SIM115 - closed below, once it is known to be one
    except (OSError, tarfile.TarError) as error:
        raise LauncherError(f"{file} is not a backup of the portal: {error}") from error
    with tar:
        try:
            content = json.loads(_member(tar, _MANIFEST).read())
            manifest = Manifest(**content)
        except (ValueError, TypeError) as error:
            raise LauncherError(f"{file} is not a backup of the portal: its manifest cannot be read") from error
        if manifest.format != _FORMAT:
            raise LauncherError(f"{file} has backup format {manifest.format}; this release reads format {_FORMAT}")
        yield Archive(manifest, tar)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    with contextlib.suppress(KeyError):
        content = tar.extractfile(name)
        if content is not None:
            return content
    raise LauncherError(f"{tar.name!s} is not a backup of the portal: there is no {name} in it")


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
