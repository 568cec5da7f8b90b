"""A whole portal for the stories: every process as an operator starts it, in a state folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flows.rest import RestClient, wait_for
from tests.platform.portal import PortalUnderTest
from tests.servers.dns import DnsServer

PASSWORD = "a-long-test-password"


@dataclass(frozen=True)
class RunningPortal:
    """A started portal: its address, its administrator, a client with that one's power, its processes, and the
    name server that its probes ask."""

    url: str
    username: str
    password: str
    client: RestClient
    processes: PortalUnderTest
    names: DnsServer


@pytest.fixture(scope="session")
def portal() -> Iterator[RunningPortal]:
    folder = Path(tempfile.mkdtemp(prefix="portal-flow-"))
    folder.chmod(0o711)  # the embedded servers' user passes through it
    processes = PortalUnderTest(folder / "state")
    names = DnsServer({})
    try:
        processes.start(
            PORTAL_ADMIN_PASSWORD=PASSWORD,
            PORTAL_CHANNEL_ALLOW="127.0.0.0/8",
            PORTAL_LANGUAGE="en",
            PORTAL_DNS=names.address,
        )
        url: str = processes.run["url"]
        wait_for(processes.is_whole, f"everything at {url} to work", 60)
        token = RestClient(url).post("/api/v1/auth/token/", {"username": "admin", "password": PASSWORD})
        # A token of the API does not run out while the stories are told.
        lasting = RestClient(url, token["access"]).post("/api/v1/tokens/", {"name": "Stories", "scope": "write"})
        yield RunningPortal(url, "admin", PASSWORD, RestClient(url, lasting["token"]), processes, names)
    finally:
        processes.end()
        names.close()
        shutil.rmtree(folder)
