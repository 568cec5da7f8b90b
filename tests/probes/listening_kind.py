"""A probe kind that hears its answer while it arrives, and keeps all it was told for the test to look at."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import OutboundError
from apps.probes.base import Exchange, HttpProbeKind, HttpRequest, Outcome, OutcomeState, Reason

NAME = "listening"


class ListeningConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and how patient the listener is; seconds."""

    url: str
    body: dict[str, Any] | None = None
    first_seconds: float | None = None
    gap_seconds: float | None = None
    enough_bytes: int = 10_000_000
    connect_seconds: float | None = None
    max_bytes: int = 1_000_000
    keep_bytes: int = 1_000_000
    raises: bool = False


class Ear:
    """Notes what it hears and when."""

    def __init__(self, config: ListeningConfig) -> None:
        self._config = config
        self.began_at = 0.0
        self.chunks: list[tuple[bytes, float]] = []
        self.missed_at: float | None = None
        # Every moment at which it was asked for its deadline, which is once a piece and not more.
        self.asked: list[float] = []

    @property
    def text(self) -> str:
        return b"".join(chunk for chunk, _at in self.chunks).decode()

    def moments(self, mark: bytes) -> list[float]:
        """When each piece that holds `mark` was heard."""
        return [at for chunk, at in self.chunks for _found in range(chunk.count(mark))]

    def began(self, at: float) -> None:
        self.began_at = at

    def heard(self, chunk: bytes, at: float) -> bool:
        if self._config.raises:
            raise ZeroDivisionError("a fault in the listener")
        self.chunks.append((chunk, at))
        return sum(len(chunk) for chunk, _at in self.chunks) < self._config.enough_bytes

    def deadline(self) -> float | None:
        self.asked.append(time.monotonic())
        if self.chunks:
            return None if self._config.gap_seconds is None else self.chunks[-1][1] + self._config.gap_seconds
        return None if self._config.first_seconds is None else self.began_at + self._config.first_seconds

    def missed(self, at: float) -> None:
        self.missed_at = at


class ListeningKind(HttpProbeKind[ListeningConfig]):
    """`exchanges` and `errors` are what it was given to judge; `ears` belong to the requests it built."""

    name = NAME
    label = _("Listening")
    summary = _("Listening")
    Config = ListeningConfig

    def __init__(self) -> None:
        self.ears: list[Ear] = []
        self.exchanges: list[Exchange] = []
        self.errors: list[OutboundError] = []

    def build_request(self, config: ListeningConfig) -> HttpRequest:
        self.ears.append(Ear(config))
        return HttpRequest(
            url=config.url,
            method="GET" if config.body is None else "POST",
            headers={"Authorization": "Bearer sk-of-the-test"},
            body=None if config.body is None else msgspec.json.encode(config.body),
            max_bytes=config.max_bytes,
            keep_bytes=config.keep_bytes,
            # More than a request with a listener makes use of.
            max_redirects=5,
            connect_timeout_seconds=config.connect_seconds,
            listener=self.ears[-1],
        )

    def judge(self, config: ListeningConfig, exchange: Exchange) -> Outcome:
        self.exchanges.append(exchange)
        late = exchange.cut == "late"
        return Outcome(
            state=OutcomeState.FAILED if late else OutcomeState.OK,
            reason=Reason.STALLED if late else Reason.OK,
            measurements={"ttft_ms": 12.0, "output_tokens_per_second": 30.0, "tokens_out": 7.0},
        )

    def judge_failure(self, config: ListeningConfig, error: OutboundError) -> Outcome | None:
        self.errors.append(error)
        if error.reason.value != Reason.SLOW_RESPONSE:
            return None
        return Outcome(
            state=OutcomeState.FAILED,
            reason=Reason.TRUNCATED,
            measurements={"tokens_out": 7.0},
            evidence={"model": "model-a"},
        )
