"""A REST client as an outside script would write it: the standard library and a bearer token."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class RestClient:
    """Calls one portal at `base_url` with an optional bearer token."""

    base_url: str
    token: str = ""

    def call(self, method: str, path: str, body: object = None) -> Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base_url + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(response.status, _parse(response.read()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, _parse(error.read()))

    def get(self, path: str) -> Any:
        return self._good(self.call("GET", path))

    def post(self, path: str, body: object = None) -> Any:
        return self._good(self.call("POST", path, body or {}))

    @staticmethod
    def _good(answer: Answer) -> Any:
        assert answer.status < 300, f"{answer.status}: {answer.body}"
        return answer.body


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw or b"null")
    except ValueError:
        return raw.decode(errors="replace")


def wait_for(question: Callable[[], Value | None], what: str, seconds: float = 20) -> Value:
    """Ask until the answer is truthy; fails with `what` when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}; last answer: {answer!r}"
        time.sleep(pause)
