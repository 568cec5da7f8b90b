"""The engine hears answers while they arrive: every way they come in, and every way they end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.probes.base import PROBE_KINDS, Outcome, OutcomeState, Reason
from tests.probes.engines import RunningEngine, job, wait_until
from tests.probes.listening_kind import NAME, Ear, ListeningKind
from tests.probes.test_engine import block_for
from tests.servers import http
from tests.servers.http import HttpServer
from tests.servers.listening import SpeakingServer
from tests.servers.model_script import Script
from tests.servers.model_server import ModelServer
from tests.servers.tls import Authority

MARK = b"chat.completion.chunk"


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> ListeningKind:
    """The kind that listens, known for this test."""
    PROBE_KINDS.names()
    listening = ListeningKind()
    monkeypatch.setitem(PROBE_KINDS._entries, NAME, listening)
    return listening


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


def asking(server: ModelServer, model: str = "model-a", **config: Any) -> dict[str, Any]:
    """The config of a look that asks for a stream."""
    body = {"model": model, "stream": True, "messages": []}
    return {"url": f"{server.base_url()}/chat/completions", "body": body, **config}


def look(config: dict[str, Any], timeout_seconds: float = 5.0, **engine: Any) -> Outcome:
    with RunningEngine(**engine) as running:
        return running.run(job(NAME, config, timeout_seconds))[0]


def test_pieces_are_heard_when_they_are_sent(kind: ListeningKind, server: ModelServer) -> None:
    server.script = Script(words=("one ",) * 8, first_delay=0.15, delay=0.04)
    outcome = look(asking(server, first_seconds=3, gap_seconds=3))
    ear, asked, exchange = kind.ears[0], server.asked[0], kind.exchanges[0]
    # All but the mark of the end, which has no such name in it.
    sent = [moment.at for moment in asked.sent[:-1]]
    heard = ear.moments(MARK)
    assert (outcome.state, exchange.status, exchange.cut, exchange.listener) == (OutcomeState.OK, 200, "", ear)
    assert len(heard) == len(sent) == 10
    lags = sorted(moment - told for moment, told in zip(heard, sent, strict=True))
    # Server and engine share one process here and compete; the benchmark says how near it is.
    assert -0.001 < lags[0] <= lags[5] < 0.1
    assert ear.began_at <= exchange.sent_at <= asked.received_at + 0.001
    assert asked.received_at - exchange.sent_at < 0.1
    assert exchange.body.decode() == ear.text
    assert outcome.measurements["transfer_ms"] > 300


def test_what_was_sent_counts_from_when_the_connection_was_ready(kind: ListeningKind, server: ModelServer) -> None:
    server.script = Script(headers_delay=0.3)
    outcome = look(asking(server))
    asked, exchange = server.asked[0], kind.exchanges[0]
    assert abs(asked.received_at - exchange.sent_at) < 0.1
    assert outcome.measurements["first_byte_ms"] >= 299


@pytest.mark.parametrize("model", ["byte-by-byte", "packed", "pings", "unframed", "model-a"])
def test_an_answer_is_heard_whole_however_it_is_cut(kind: ListeningKind, server: ModelServer, model: str) -> None:
    look(asking(server, model, keep_bytes=100))
    text = kind.ears[0].text
    words = [f'"content": "word{number} "' for number in range(12)]
    assert [text.count(word) for word in words] == [1] * 12
    assert text.endswith("data: [DONE]\n\n")
    exchange = kind.exchanges[0]
    assert (len(exchange.body), exchange.body_bytes) == (100, len(text))


def test_a_listener_that_has_enough_ends_the_stream(kind: ListeningKind, server: ModelServer) -> None:
    outcome = look(asking(server, "endless", enough_bytes=2_000))
    exchange = kind.exchanges[0]
    assert (outcome.state, outcome.reason, exchange.cut) == (OutcomeState.OK, Reason.OK, "enough")
    assert 2_000 <= exchange.body_bytes < 4_000
    assert kind.ears[0].missed_at is None
    # Whoever pays by the token does not pay for the rest.
    wait_until(lambda: server.asked[0].hung_up)


def test_no_first_piece_in_time_ends_it(kind: ListeningKind, server: ModelServer) -> None:
    outcome = look(asking(server, "silent", first_seconds=0.3, gap_seconds=9))
    exchange = kind.exchanges[0]
    assert (outcome.reason, exchange.cut, exchange.status, outcome.status_code) == (Reason.STALLED, "late", 0, None)
    assert exchange.sent_at
    assert 300 <= outcome.duration_ms < 2_000
    assert kind.ears[0].missed_at is not None


def test_good_headers_are_no_first_piece(kind: ListeningKind, server: ModelServer) -> None:
    outcome = look(asking(server, "headers-only", first_seconds=0.3))
    assert (outcome.status_code, kind.exchanges[0].cut) == (200, "late")


def test_a_stall_ends_it_long_before_the_first_piece_would_have_been_late(
    kind: ListeningKind, server: ModelServer
) -> None:
    outcome = look(asking(server, "stall", first_seconds=4, gap_seconds=0.3))
    ear, exchange = kind.ears[0], kind.exchanges[0]
    assert (outcome.reason, exchange.cut, exchange.status) == (Reason.STALLED, "late", 200)
    assert ear.missed_at is not None
    assert 0.3 <= ear.missed_at - ear.chunks[-1][1] < 2
    assert "word2" in ear.text
    # Once for each piece, once when it began, and when the moment had come.
    assert len(ear.asked) <= len(ear.chunks) + 4


def test_pieces_that_come_in_time_miss_nothing(kind: ListeningKind, server: ModelServer) -> None:
    server.script = Script(words=("on ",) * 6, delay=0.1)
    outcome = look(asking(server, first_seconds=0.35, gap_seconds=0.35))
    assert (outcome.state, kind.exchanges[0].cut) == (OutcomeState.OK, "")
    assert kind.ears[0].missed_at is None


def test_the_whole_timeout_is_a_clock_of_its_own_and_the_kind_has_a_word_on_it(
    kind: ListeningKind, server: ModelServer
) -> None:
    server.script = Script(words=("on ",) * 200, delay=0.02)
    outcome = look(asking(server, gap_seconds=3), timeout_seconds=0.5)
    error = kind.errors[0]
    assert (outcome.state, outcome.reason, outcome.status_code) == (OutcomeState.FAILED, Reason.TRUNCATED, 200)
    assert (error.reason.value, error.listener) == (Reason.SLOW_RESPONSE, kind.ears[0])
    assert error.sent_at
    assert outcome.measurements["tokens_out"] == 7
    assert {"connect_ms", "first_byte_ms", "transfer_ms"} <= set(outcome.measurements)
    assert outcome.evidence == {"model": "model-a"}


def test_connecting_has_a_clock_of_its_own(kind: ListeningKind) -> None:
    with SpeakingServer() as mute:
        outcome = look({"url": f"https://127.0.0.1:{mute.port}/", "connect_seconds": 0.3, "first_seconds": 4})
    assert (outcome.reason, outcome.evidence["phase"]) == (Reason.CONNECT_TIMEOUT, "tls")
    assert outcome.evidence["timeout_seconds"] == 0.3
    assert 300 <= outcome.duration_ms < 2_000
    assert not kind.errors[0].sent_at


def test_what_is_refused_is_not_heard(kind: ListeningKind, server: ModelServer) -> None:
    outcome = look(asking(server, "invalid-key"))
    assert (outcome.status_code, kind.ears[0].chunks) == (401, [])
    assert b"Incorrect API key" in kind.exchanges[0].body


def test_a_key_is_not_taken_to_where_a_redirect_leads(kind: ListeningKind) -> None:
    with HttpServer() as elsewhere, HttpServer() as provider:
        provider.behave("/chat", http.redirect(elsewhere.url("/steal"), 307))
        provider.behave("/here", http.redirect(provider.url("/there"), 307))
        outcomes = [look({"url": provider.url(path), "body": {"stream": True}}) for path in ("/chat", "/here")]
        asked = [received.path for received in provider.received]
    assert elsewhere.connections == 0
    assert asked == ["/chat", "/here"]
    assert [outcome.status_code for outcome in outcomes] == [307, 307]


def test_a_stream_that_breaks_off_is_a_failure_and_its_listener_is_known(
    kind: ListeningKind, server: ModelServer
) -> None:
    for model in ("cut", "reset"):
        outcome = look(asking(server, model))
        assert (outcome.state, outcome.reason) == (OutcomeState.FAILED, Reason.CONNECTION_RESET)
        assert kind.errors[-1].listener is kind.ears[-1]
        assert "word2" in kind.ears[-1].text


def test_a_stream_without_end_is_held_to_its_size(kind: ListeningKind, server: ModelServer) -> None:
    outcome = look(asking(server, "endless", max_bytes=3_000, keep_bytes=500))
    assert outcome.reason is Reason.BODY_TOO_LARGE
    assert len(kind.ears[0].text) <= 3_000


def test_a_stream_over_tls_is_heard_too(kind: ListeningKind) -> None:
    authority = Authority()
    with ModelServer(tls=authority.good()) as server:
        outcome = look(asking(server), ca_file=authority.ca_file)
        assert outcome.state is OutcomeState.OK
        assert kind.ears[0].text.count("word") == 12
        assert "tls_ms" in outcome.measurements
        assert abs(server.asked[0].received_at - kind.exchanges[0].sent_at) < 0.1


def test_a_deadline_that_passed_while_our_loop_stood_still_says_nothing_about_the_target(
    kind: ListeningKind, server: ModelServer
) -> None:
    with RunningEngine() as running:
        held = job(NAME, asking(server, "silent", first_seconds=0.6))
        running.engine.submit([held])
        wait_until(lambda: bool(server.asked))
        running.engine._http._post(block_for(1.0))
        outcome = running.delivered.wait_for([held])[0]
    assert (outcome.state, outcome.reason) == (OutcomeState.INDETERMINATE, Reason.WORKER_LATE)
    # What it may have cost is known all the same.
    assert outcome.measurements["tokens_out"] == 7


def test_what_arrived_while_our_loop_stood_still_counts_but_not_its_times(
    kind: ListeningKind, server: ModelServer
) -> None:
    server.script = Script(words=("on ",) * 4, first_delay=0.2)
    with RunningEngine() as running:
        held = job(NAME, asking(server, first_seconds=0.5, gap_seconds=2))
        running.engine.submit([held])
        wait_until(lambda: bool(server.asked))
        running.engine._http._post(block_for(0.8))
        outcome = running.delivered.wait_for([held])[0]
    assert (outcome.state, kind.exchanges[0].cut) == (OutcomeState.OK, "")
    assert outcome.measurements == {"tokens_out": 7}


def test_a_listener_with_a_fault_is_one_outcome_and_the_loop_lives_on(kind: ListeningKind, server: ModelServer) -> None:
    with HttpServer() as plain, RunningEngine() as running:
        faulty, good = running.run(job(NAME, asking(server, raises=True)), job("http", {"url": plain.url()}))
    assert (faulty.state, faulty.reason) == (OutcomeState.INDETERMINATE, Reason.INTERNAL_ERROR)
    assert "a fault in the listener" in faulty.evidence["detail"]
    assert good.state is OutcomeState.OK


def test_what_is_over_is_let_go_of_at_once(kind: ListeningKind, server: ModelServer) -> None:
    models = ["model-a", "endless", "stall", "cut", "silent"] * 4
    with RunningEngine() as running:
        jobs = [
            job(NAME, asking(server, name, first_seconds=1, gap_seconds=0.3, enough_bytes=9_000)) for name in models
        ]
        running.run(*jobs)
        listening = running.engine._http._listening
        assert listening._ears == {}
        assert all(ear.hearing is None for *_entry, ear, _missed in listening.deadlines._heap)
    assert all(isinstance(ear, Ear) for ear in kind.ears)
    assert len(kind.exchanges) + len(kind.errors) == len(models)
