"""A name server that falls silent about many names: their own checks say so, and nobody else's are late or wrong."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tests.flows.conftest import RunningPortal
from tests.flows.looks import started, watched_looks
from tests.flows.rest import wait_for
from tests.flows.servers import slow_target
from tests.servers.dns import DnsServer

pytestmark = pytest.mark.platform

SILENT = 60
# Sixty names one after the other would take minutes; the checks' own interval is 2 s.
LONGEST_GAP_SECONDS = 8.0


def test_sixty_silent_names_make_nobody_else_late_or_wrong(portal: RunningPortal) -> None:
    with slow_target(seconds=0) as target:
        port = target.port
        portal.names.names |= {"good.test": ["127.0.0.1"], "other.test": ["127.0.0.1"]}
        portal.names.names |= {f"silent{number}.test": DnsServer.HANG for number in range(SILENT)}
        good = [target.url, f"http://good.test:{port}/", f"http://other.test:{port}/"]
        with watched_looks(portal, *good) as looks, watched_looks(portal) as hung:
            began = time.time()
            for number in range(SILENT):
                hung.add(f"http://silent{number}.test:{port}/")
            hung.wait_for_looks(began, "at a silent name")
            looks.wait_for_looks(time.time(), "at names that answer", looks=2)

            reasons = {row["reason"] for check in hung.checks for row in hung.results(check)}
            assert reasons == {"dns_timeout"}
            looks.assert_none_is_doubled()
            hung.assert_none_is_doubled()
            looks.assert_nothing_is_blamed_on_the_target()
            for check in looks.checks:
                moments = [started(row) for row in looks.results(check)]
                longest = max(newer - older for newer, older in pairwise(moments))
                assert longest < LONGEST_GAP_SECONDS, longest
            portal.names.names |= {f"silent{number}.test": ["127.0.0.1"] for number in range(SILENT)}
            wait_for(
                lambda: portal.client.get(f"/api/v1/targets/{hung.service}/")["status"] == "operational",
                "names that answer again to be well again",
                60,
            )
