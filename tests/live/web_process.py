"""A real Daphne on a free port, serving the test database: what a browser or a script meets."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.live.waiting import free_port, wait_until

PROJECT = Path(__file__).resolve().parent.parent.parent


class WebProcess:
    """One running web process. `url` and `socket_url` end without a slash."""

    def __init__(self, port: int, log: Path) -> None:
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"
        self.socket_url = f"ws://{self.host}"
        self.log = log

    def answers(self) -> bool:
        """Whether it is there at all, whatever it says."""
        return self.status() is not None

    def status(self) -> int | None:
        """What `/healthz` answers; None while nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()


def database_url(name: str) -> str:
    """DATABASE_URL with another database, such as the one pytest-django made."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


@contextlib.contextmanager
def web_process(database: str, changes: Mapping[str, str] | None = None) -> Iterator[WebProcess]:
    """Start Daphne on the database called `database`, with `changes` to the environment; stop it afterwards."""
    environment = {**os.environ, "DATABASE_URL": database_url(database), **(changes or {})}
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    with tempfile.TemporaryDirectory(prefix="portal-web-") as folder:
        web = WebProcess(free_port(), Path(folder) / "web.log")
        command = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(web.port)]
        with web.log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "monitor_portal.asgi:application"],
                cwd=PROJECT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            try:
                wait_until(lambda: process.poll() is not None or web.answers(), "the web process", seconds=60)
                assert web.status() == 200, "the web process does not work"
            except AssertionError as error:
                error.add_note(web.log.read_text()[-4000:])
                raise
            yield web
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
