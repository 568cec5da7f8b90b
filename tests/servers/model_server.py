"""A server of AI models that does as it is told, in every dialect, and logs when it heard and said what.

    with ModelServer() as server:
        server.base_url("openai")                          # http://127.0.0.1:…/v1
        server.script = Script(words=("Hello ", "there"), delay=0.02)
        server.scripts["slow-model"] = Script(first_delay=3)
        server.asked[-1].sent                              # [Sent(at=…, what="text"), …]

A model that is named in FAULTY behaves so without being told. Moments are `time.monotonic()`, the same clock for all
processes of a machine: the request had arrived, an event was about to be sent. On its own, with a log of one JSON line
an answer:

    python -m tests.servers.model_server --port 8099 --log asked.jsonl --delay 0.02 --words 30
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TextIO

from tests.servers.http import read_request
from tests.servers.listening import Connection, ListeningServer
from tests.servers.model_answers import PAGE, Asked, Sent, Stream, answer_headers, refuse, send_broken, send_whole
from tests.servers.model_routes import WIRES, route
from tests.servers.model_script import FAULTY, Refusal, Script
from tests.servers.wires.base import Wire

NUMBERS = tuple(number / 100 for number in range(64))
BASE_PATHS = {
    "openai": "/v1", "openai:responses": "/v1/responses", "openai_compatible": "/v1",
    "anthropic": "/v1", "gemini": "/v1beta", "ollama": "", "azure": "",
}  # fmt: skip


class ModelServer(ListeningServer):
    """One request a connection. With `key`, any other key is an invalid one."""

    def __init__(self, *, key: str = "", models: tuple[str, ...] = ("model-a", "model-b"), **listening: Any) -> None:
        self.key = key
        self.models = list(models)
        self.script = Script()
        self.scripts: dict[str, Script] = dict(FAULTY)
        # Asked first, with the request: for answers that depend on it.
        self.choose: Callable[[Asked], Script | None] = lambda _asked: None
        self.asked: list[Asked] = []
        self.ended: Callable[[Asked], None] = lambda _asked: None
        self._scheme = "https" if listening.get("tls") else "http"
        super().__init__(**listening)

    def base_url(self, dialect: str = "openai") -> str:
        """What a provider of this dialect has as its base URL."""
        return f"{self._scheme}://127.0.0.1:{self.port}{BASE_PATHS[dialect]}"

    def serve(self, connection: Connection) -> None:
        at = connection.arrived_at()
        received = read_request(connection)
        if received is None:
            return
        try:
            body = json.loads(received.body) if received.body else {}
        except ValueError:
            body = {}
        found = route(received, body)
        if found is None:
            send_whole(connection, 404, WIRES["openai"].error(Refusal(status=404, message="Invalid URL")))
            return
        wire, question = found
        asked = Asked(wire.name, question, received.path, received.headers, body, at)
        self.asked.append(asked)
        try:
            self._answer(connection, wire, asked)
        except OSError:
            asked.hung_up = True
        asked.ended_at = time.monotonic()
        self.ended(asked)

    def _answer(self, connection: Connection, wire: Wire, asked: Asked) -> None:
        question = asked.question
        script = self.choose(asked) or self.scripts.get(question.model, self.script)
        if self.key and self.key not in asked.headers.get(wire.key_header, ""):
            script = FAULTY["invalid-key"]
        connection.hold(script.headers_delay)
        if script.fault == "silent":
            connection.hold()
        elif script.refusal is not None:
            refuse(connection, wire, script.refusal)
        elif script.fault == "html":
            send_whole(connection, 200, PAGE, {"Content-Type": "text/html"})
        elif question.what == "models":
            send_whole(connection, 200, wire.models(self.models), dict(script.headers))
        elif question.what == "embedding":
            send_whole(connection, 200, wire.embedding(question, NUMBERS, script.used), answer_headers(wire, script))
        elif question.stream and script.fault != "error_body":
            Stream(connection, wire, asked, script).send()
        else:
            self._whole(connection, wire, asked, script)

    def _whole(self, connection: Connection, wire: Wire, asked: Asked, script: Script) -> None:
        connection.hold(script.first_delay + script.delay * len(script.words))
        document = wire.whole(asked.question, script)
        if script.fault == "error_body":
            document = wire.error(Refusal(status=500, code="server_error", message="Something broke inside."))
        elif script.fault == "no_choices":
            document = wire.no_choices(asked.question)
        body = json.dumps(document).encode()
        if script.fault == "garbage":
            body = body[: len(body) // 2] + b"\xff{"
        asked.sent.append(Sent(time.monotonic(), "text"))
        if script.fault in ("headers_only", "stall", "cut", "reset", "no_end"):
            send_broken(connection, script, body)
        else:
            send_whole(connection, 200, body, answer_headers(wire, script))


def _logger(log: TextIO) -> Callable[[Asked], None]:
    lock = threading.Lock()

    def write(asked: Asked) -> None:
        line = {name: value for name, value in asdict(asked).items() if name not in ("headers", "body")}
        with lock:
            log.write(json.dumps(line) + "\n")
            log.flush()

    return write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=argparse.FileType("a"))
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--first-delay", type=float, default=0.0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--key", default="")
    parser.add_argument("--models", default="model-a,model-b", help="by comma; FAULTY names misbehave")
    options = parser.parse_args()
    server = ModelServer(key=options.key, models=tuple(options.models.split(",")), port=options.port)
    words = tuple(f"word{number} " for number in range(options.words))
    server.script = Script(words=words, first_delay=options.first_delay, delay=options.delay)
    if options.log:
        server.ended = _logger(options.log)
    sys.stdout.write(json.dumps({"port": server.port}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
