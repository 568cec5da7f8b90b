"""A receiver of webhooks, a process of its own: it outlives whatever is killed, verifies, and notes every arrival.

    python -m benchmarks.delivery.receiver PORT SECRET LOG [--answer-after SECONDS]

`/hang` keeps the connection and answers nothing for a minute. The log has one JSON object a line, see `arrivals`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from standardwebhooks import Webhook, WebhookVerificationError

from apps.core.embedded.ports import free_port
from benchmarks.delivery.small_server import Answer, Request, listen
from tests.platform.portal import PROJECT, wait_until

HANG_SECONDS = 60.0


@contextmanager
def receiver(log: Path, secret: str, *, answer_after: float = 0.0) -> Iterator[tuple[str, int]]:
    """Run one beside this process; gives its URL and its process id."""
    port = free_port()
    words = [sys.executable, "-m", __name__, str(port), secret, str(log), "--answer-after", str(answer_after)]
    process = subprocess.Popen(words, cwd=PROJECT)
    try:
        wait_until(lambda: _listens(port), "the receiver listens")
        yield f"http://127.0.0.1:{port}", process.pid
        assert process.poll() is None, "the receiver did not survive, so what it wrote down proves nothing"
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("secret")
    parser.add_argument("log", type=Path)
    parser.add_argument("--answer-after", type=float, default=0.0, help="seconds each answer takes")
    options = parser.parse_args()
    with options.log.open("a") as log, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, options.secret, log, options.answer_after))


async def _serve(port: int, secret: str, log: IO[str], answer_after: float) -> None:
    webhook = Webhook(secret)

    def behave(request: Request) -> Answer:
        if request.path.startswith("/hang"):
            return Answer(after_seconds=HANG_SECONDS)
        if request.body:
            log.write(json.dumps(_line(webhook, request)) + "\n")
            log.flush()
        return Answer(after_seconds=answer_after)

    async with await listen(behave, port) as server:
        await server.serve_forever()


def _line(webhook: Webhook, request: Request) -> dict[str, Any]:
    message = json.loads(request.body)
    data = message.get("data", {})
    return {
        "moment": request.moment,
        "id": request.headers.get("webhook-id", ""),
        "type": message.get("type", ""),
        "incident": (data.get("incident") or {}).get("id"),
        "sequence": data.get("sequence"),
        "target": (data.get("target") or {}).get("id"),
        "verified": _is_verified(webhook, request),
    }


def _is_verified(webhook: Webhook, request: Request) -> bool:
    # The package raises a bare ValueError for a signature of another shape.
    with contextlib.suppress(WebhookVerificationError, ValueError):
        webhook.verify(request.body.decode(), request.headers)
        return True
    return False


if __name__ == "__main__":
    main()
