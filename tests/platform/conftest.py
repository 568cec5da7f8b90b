"""Places and servers for tests of the launcher. None of them needs Django."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.core.embedded.binaries import Binaries, find_binaries
from apps.core.embedded.identity import Identity, choose_identity
from apps.core.embedded.ports import free_port
from apps.core.embedded.postgres import PostgresServer
from apps.core.embedded.templates import PostgresTemplate
from tests.platform.portal import PROJECT, PortalUnderTest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that the servers' user may pass through; pytest's own is closed to everybody else."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def identity() -> Identity:
    return choose_identity()


@pytest.fixture
def binaries(identity: Identity) -> Binaries:
    return find_binaries(identity, PROJECT)


@pytest.fixture
def postgres(open_folder: Path, identity: Identity, binaries: Binaries) -> PostgresServer:
    """An initialised PostgreSQL that is not running."""
    template = PostgresTemplate(PROJECT, binaries, identity)
    password = template.password or secrets.token_urlsafe(8)
    server = PostgresServer(binaries, identity, open_folder / "postgres", free_port(), password, durable=False)
    server.initialise(template.data)
    return server


@pytest.fixture(scope="session")
def shared_portal() -> Iterator[PortalUnderTest]:
    """One state folder for all tests of a running portal; a first start costs seconds."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    folder.chmod(0o711)
    portal = PortalUnderTest(folder / "state")
    yield portal
    portal.end()
    shutil.rmtree(folder)


@pytest.fixture
def running_portal(shared_portal: PortalUnderTest) -> PortalUnderTest:
    """The shared portal, started if an earlier test stopped it."""
    shared_portal.ensure_running()
    return shared_portal


@pytest.fixture
def stopped_portal(shared_portal: PortalUnderTest) -> PortalUnderTest:
    """The shared portal with data of at least one start, not running."""
    if not shared_portal.first_printed:
        shared_portal.ensure_running()
    shared_portal.end()
    return shared_portal
