"""`celery_worker`: is a worker alive, and does it keep up? Read from its broker, without asking the worker.

The worker writes Unix seconds into a key; a queue is a list of the messages that wait.
"""

from __future__ import annotations

import math
from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.kindconfig import field
from apps.probes.base import PROBE_KINDS, AsyncProbeKind, Outcome, OutcomeState, Reason
from apps.probes.kinds.redis import refused
from apps.probes.looking import Looking
from apps.probes.resp import RedisConnection, Resp, RespError, sign_in

QueueName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class CeleryWorkerConfig(RedisConnection, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker, the key that tells of life, and the queues that must not grow."""

    heartbeat_key: Annotated[
        str,
        field(_("Heartbeat key"), _("The key that holds the Unix time of the last sign of life."), max_length=200),
    ] = "portal:worker:heartbeat"
    max_age_seconds: Annotated[float, field(_("Oldest heartbeat"), unit=_("seconds"), ge=1, le=86_400)] = 15.0
    queues: Annotated[
        list[QueueName], field(_("Queues"), _("The keys of the lists to count, one a line."), max_length=20)
    ] = []
    max_queue_length: Annotated[
        int, field(_("Longest queue"), _("More waiting messages than this count as degraded."), ge=1, le=10_000_000)
    ] = 1_000


class CeleryWorkerKind(AsyncProbeKind[CeleryWorkerConfig]):
    """No heartbeat is a failure; a queue that is too long is degraded, for work is still done."""

    name = "celery_worker"
    label = _("Celery worker")
    summary = _("Reads a worker's heartbeat and the length of its queues from the broker.")
    Config = CeleryWorkerConfig
    default_interval_seconds = 30
    default_timeout_seconds = 5.0

    def address(self, config: CeleryWorkerConfig) -> str:
        return f"{config.host}:{config.port} {config.heartbeat_key}"

    async def look(self, config: CeleryWorkerConfig, looking: Looking) -> Outcome:
        try:
            stream, resp = await sign_in(config, looking)
            try:
                with looking.phase("first_byte"):
                    heartbeat = await resp.command("GET", config.heartbeat_key)
                    lengths = await _lengths(resp, config.queues)
            finally:
                stream.close()
        except RespError as error:
            return refused(error)
        return judge(config, heartbeat if isinstance(heartbeat, str) else None, lengths, looking.now())


async def _lengths(resp: Resp, queues: list[str]) -> dict[str, int]:
    lengths = {}
    for queue in queues:
        length = await resp.command("LLEN", queue)
        lengths[queue] = length if isinstance(length, int) else 0
    return lengths


def judge(config: CeleryWorkerConfig, heartbeat: str | None, lengths: dict[str, int], now: float) -> Outcome:
    """What a heartbeat (text of Unix seconds, None: no such key) and the queues' lengths mean at `now`."""
    measurements: dict[str, float] = {"queued": float(sum(lengths.values()))}
    evidence: dict[str, object] = {"queues": lengths, "heartbeat_key": config.heartbeat_key}
    age = _age(heartbeat, now)
    if age is None:
        evidence |= {"found": None if heartbeat is None else heartbeat[:100], "expected": config.max_age_seconds}
        return Outcome(
            state=OutcomeState.FAILED, reason=Reason.NO_HEARTBEAT, measurements=measurements, evidence=evidence
        )
    measurements["heartbeat_age_seconds"] = round(age, 1)
    if age > config.max_age_seconds:
        evidence |= {"expected": config.max_age_seconds, "actual": round(age, 1)}
        return Outcome(
            state=OutcomeState.FAILED, reason=Reason.NO_HEARTBEAT, measurements=measurements, evidence=evidence
        )
    longest = max(lengths, key=lambda queue: lengths[queue], default="")
    if longest and lengths[longest] > config.max_queue_length:
        evidence |= {"queue": longest, "actual": lengths[longest], "expected": config.max_queue_length}
        return Outcome(
            state=OutcomeState.DEGRADED, reason=Reason.QUEUE_BACKLOG, measurements=measurements, evidence=evidence
        )
    return Outcome(state=OutcomeState.OK, reason=Reason.OK, measurements=measurements, evidence=evidence)


def _age(heartbeat: str | None, now: float) -> float | None:
    """Seconds since the heartbeat; clocks that differ a little make it 0, never negative."""
    try:
        moment = float(heartbeat or "")
    except ValueError:
        return None
    return max(now - moment, 0.0) if math.isfinite(moment) else None


PROBE_KINDS.add("celery_worker", CeleryWorkerKind())
