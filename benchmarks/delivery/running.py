"""A portal that runs, a receiver beside it and the channel between them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.delivery.arrivals import Arrival, read_log
from benchmarks.delivery.ledger import Ledger
from benchmarks.delivery.receiver import receiver
from tests.flows.rest import RestClient
from tests.platform.portal import PortalUnderTest, wait_until

PASSWORD = "a-long-bench-password"
# 32 bytes of nothing, in the form the specification asks for.
SECRET = "whsec_" + "A" * 43 + "="
SETTINGS = {"PORTAL_ADMIN_PASSWORD": PASSWORD, "PORTAL_CHANNEL_ALLOW": "127.0.0.0/8", "PORTAL_LANGUAGE": "en"}


@dataclass
class Running:
    """`channel` is the id of the webhook channel that tells the receiver; `receiver_pid` is not the portal's."""

    folder: Path
    portal: PortalUnderTest
    client: RestClient
    ledger: Ledger
    channel: str
    receiver_url: str
    receiver_pid: int
    log: Path

    def arrivals(self) -> list[Arrival]:
        return read_log(self.log)

    def add_channel(self, name: str, url: str) -> str:
        """One more webhook channel; returns its id."""
        body: dict[str, Any] = {"name": name, "kind": "webhook", "config": {"url": url, "secret": SECRET}}
        return str(self.client.post("/api/v1/channels/", body)["id"])


@contextmanager
def running(*, answer_after: float = 0.0, keep: Path | None = None) -> Iterator[Running]:
    """Start everything; end it and delete it, or move what is left (data, logs, arrivals) to `keep`."""
    folder = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    folder.chmod(0o711)  # the embedded servers' user passes through it
    portal = PortalUnderTest(folder / "state")
    log = folder / "arrivals.jsonl"
    log.touch()
    try:
        with receiver(log, SECRET, answer_after=answer_after) as (url, pid):
            portal.start(**SETTINGS)
            wait_until(portal.is_whole, "the portal is ready", seconds=90)
            access = RestClient(portal.run["url"]).post(
                "/api/v1/auth/token/", {"username": "admin", "password": PASSWORD}
            )
            client, ledger = RestClient(portal.run["url"], access["access"]), Ledger(portal)
            here = Running(folder, portal, client, ledger, "", url, pid, log)
            here.channel = here.add_channel("Receiver", f"{url}/hook")
            ledger.start()
            yield here
    finally:
        portal.end()
        if keep is not None:
            shutil.copytree(folder, keep, dirs_exist_ok=True)
        shutil.rmtree(folder)
