"""The `tcp` kind against listening, silent, talking and absent servers."""

from __future__ import annotations

from typing import Any

import pytest

from apps.core.addresses import probe_policy
from apps.core.kindconfig import ConfigError, decode
from apps.probes.base import Outcome, OutcomeState, Reason
from apps.probes.kinds.tcp import TcpConfig
from apps.probes.runner import run_once
from tests.servers.listening import SpeakingServer, free_port


def looked(port: int, timeout_seconds: float = 1.0, **config: Any) -> Outcome:
    given = {"host": "127.0.0.1", "port": port, **config}
    decode(TcpConfig, given)
    return run_once("tcp", given, timeout_seconds, probe_policy())


def test_an_open_port_is_enough() -> None:
    with SpeakingServer() as server:
        outcome = looked(server.port)
    assert outcome.state is OutcomeState.OK
    assert {"dns_ms", "connect_ms"} <= set(outcome.measurements)
    assert (outcome.evidence["host"], outcome.evidence["port"]) == ("127.0.0.1", server.port)


def test_a_closed_port_is_refused() -> None:
    outcome = looked(free_port())
    assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.CONNECT_REFUSED)
    assert outcome.sentence.startswith("127.0.0.1 refused the connection on port ")


def test_a_greeting_can_be_expected() -> None:
    with SpeakingServer(b"220 mail.example ESMTP ready\r\n") as server:
        assert looked(server.port, expect="ESMTP").state is OutcomeState.OK


def test_something_can_be_said_and_its_answer_expected() -> None:
    with SpeakingServer(reply=b"+PONG\r\n") as server:
        outcome = looked(server.port, send="PING\\r\\n", expect="+PONG")
        assert outcome.state is OutcomeState.OK
        assert server.heard[0] == b"PING\r\n"
        assert outcome.measurements["first_byte_ms"] >= 0


def test_silence_is_a_timeout_and_other_words_are_unexpected() -> None:
    with SpeakingServer(b"500 go away\r\n") as rude, SpeakingServer() as silent:
        other = looked(rude.port, 0.4, expect="220")
        nothing = looked(silent.port, 0.4, expect="220")
    assert (other.reason, nothing.reason) == (Reason.TIMEOUT, Reason.TIMEOUT)
    assert other.evidence["actual"] == "500 go away\r\n"


def test_a_server_that_hangs_up_is_judged_by_what_it_said() -> None:
    class HangsUp(SpeakingServer):
        def serve(self, connection: Any) -> None:
            connection.send(self.greeting)

        greeting = b""

    class Rude(HangsUp):
        greeting = b"500 go away\r\n"

    with HangsUp() as quiet, Rude() as rude:
        assert looked(quiet.port, expect="220").reason is Reason.EMPTY_RESPONSE
        outcome = looked(rude.port, expect="220")
    assert outcome.reason is Reason.UNEXPECTED_ANSWER
    assert outcome.evidence["actual"] == "500 go away\r\n"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"host": "", "port": 1}, "host"),
        ({"host": "a b", "port": 1}, "host"),
        ({"host": "http://a.example", "port": 1}, "host"),
        ({"host": "a\r\nb", "port": 1}, "host"),
        ({"host": "a", "port": 0}, "port"),
        ({"host": "a", "port": 70_000}, "port"),
        ({"host": "a"}, "port"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_by_field(config: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(TcpConfig, config)
    assert list(caught.value.errors) == [path]
