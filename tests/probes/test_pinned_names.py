"""A name leads to the addresses that were checked, at every look: libcurl never asks anybody by itself."""

from __future__ import annotations

from apps.probes.base import OutcomeState
from tests.probes.engines import RunningEngine, job
from tests.servers import http
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer


def test_a_name_that_another_look_let_go_of_is_led_to_its_address_again() -> None:
    """The entries that lead names are shared by all looks of an engine, and nobody else knows these names."""
    names = {"one.test": ["127.0.0.1"], "two.test": ["127.0.0.1"]}
    with HttpServer() as server, DnsServer(names) as dns, RunningEngine(nameservers=[dns.address]) as running:
        server.behave("/", http.after(0.2, http.answer()))
        one, two = ({"url": f"http://{name}:{server.port}/"} for name in names)
        outcomes = running.run(job("http", one), job("http", one))
        outcomes += running.run(job("http", two))
        outcomes += running.run(job("http", two), job("http", one))
    assert [(outcome.state, outcome.evidence) for outcome in outcomes if outcome.state is not OutcomeState.OK] == []
