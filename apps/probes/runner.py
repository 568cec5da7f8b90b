"""The only caller of probe kinds: time, slowness, secrets and surprises are dealt with here, once, for all of them.

`prepare` reads a job, `judge_exchange` and `look` ask the kind, `failed` names what went wrong. Nothing here raises for
a bad target; a probe that fails by itself is `indeterminate`, for that says nothing about the target.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from apps.core.addresses import AddressPolicy
from apps.core.details import Words, words
from apps.core.kindconfig import secret_values
from apps.core.outbound.door import run
from apps.core.outbound.exchange import Exchange, OutboundError, OutboundReason
from apps.core.outbound.names import Names, default_names
from apps.core.outbound.sockets import connect_failure
from apps.core.outbound.transfer import Transfer
from apps.core.registry import UnknownEntry
from apps.probes.base import (
    PROBE_KINDS,
    AsyncProbeKind,
    HttpProbeKind,
    Outcome,
    OutcomeState,
    ProbeKind,
    PushProbeKind,
    Reason,
)
from apps.probes.details import Detail
from apps.probes.evidence import redacted
from apps.probes.looking import Looking

logger = logging.getLogger(__name__)

# How the names of measured times end.
_TIMED = ("_ms", "_per_second")
# These tell about our own side: a target must not be called down for them.
_OURS = frozenset({OutboundReason.INVALID_CONFIGURATION, OutboundReason.INTERNAL_ERROR})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that can be run: the kind, its config, and the same as `plain` values, for the secrets in it."""

    kind: ProbeKind[Any]
    config: Any
    timeout_seconds: float
    degraded_after_ms: float | None
    plain: Mapping[str, Any] = field(repr=False)

    def secrets(self) -> list[str]:
        """What must not come back out. Looked for only when something does: most looks leave no evidence."""
        return _with_pair(secret_values(self.kind.Config, self.plain), self.plain)

    def transfer(
        self, policy: AddressPolicy, ca_file: str = "", wall_clock: Callable[[], float] = time.time
    ) -> Transfer:
        """The HTTP request of an `http` kind. Raises OutboundError."""
        assert isinstance(self.kind, HttpProbeKind)  # noqa: S101 - the transport said so
        request = self.kind.build_request(self.config)
        return Transfer(
            request, policy=policy, timeout_seconds=self.timeout_seconds, ca_file=ca_file, wall_clock=wall_clock
        )


class NotRunnable(Exception):
    """A job that cannot be run here; `outcome` says why."""

    def __init__(self, words: Words) -> None:
        self.outcome = Outcome(
            state=OutcomeState.INDETERMINATE, reason=Reason.INVALID_CONFIGURATION, evidence=words.to_evidence()
        )
        super().__init__(str(words))


def prepare(
    kind_name: str, config: Mapping[str, Any], timeout_seconds: float, degraded_after_ms: float | None = None
) -> Prepared:
    """Read a job's kind and config, which were validated when they were stored. Raises NotRunnable."""
    try:
        kind = PROBE_KINDS.get(kind_name)
        decoded = msgspec.convert(dict(config), kind.Config)
    except UnknownEntry:
        raise NotRunnable(words(Detail.UNKNOWN_KIND, name=kind_name)) from None
    except (msgspec.ValidationError, TypeError) as error:
        raise NotRunnable(words(Detail.BAD_CONFIG, said=str(error))) from None
    if isinstance(kind, PushProbeKind):
        raise NotRunnable(words(Detail.IS_TOLD))
    return Prepared(kind, decoded, timeout_seconds, degraded_after_ms, config)


def _with_pair(secrets: list[str], config: Mapping[str, Any]) -> list[str]:
    """Secrets, and the pair they travel in: with a short password only the whole is one."""
    username = config.get("basic_username")
    if isinstance(username, str) and username:
        return [*secrets, f"{username}:{config.get('basic_password') or ''}"]
    return secrets


def judge_exchange(prepared: Prepared, exchange: Exchange, *, proven: bool = True) -> Outcome:
    """What a complete HTTP answer means. Without `proven` a good one may come without evidence, which is cheaper."""
    kind = prepared.kind
    assert isinstance(kind, HttpProbeKind)  # noqa: S101 - the transport said so
    try:
        if not proven and not _is_slow(prepared, exchange.duration_ms):
            measured = kind.passes(prepared.config, exchange)
            if measured is not None:
                return _good(exchange, measured)
        outcome = kind.judge(prepared.config, exchange)
    except Exception as error:  # the runner is where surprises end
        outcome = surprised(error)
    measurements = {**exchange.phases, **outcome.measurements}
    outcome = outcome.amended(measurements=measurements, status_code=exchange.status or None)
    return finished(prepared, outcome, exchange.started_at, exchange.duration_ms)


def judge_transfer(prepared: Prepared, transfer: Transfer, *, proven: bool = True) -> Outcome:
    """What the complete answer of a transfer means; see `judge_exchange`."""
    return judge_exchange(prepared, transfer.result(), proven=proven)


def judge_heard(prepared: Prepared, transfer: Transfer, *, late_by_us: bool, held_up: bool) -> Outcome:
    """What an answer with a listener means. `late_by_us`: the deadline it missed passed while our own loop stood still.

    When the loop was `held_up` otherwise, what was said counts, but not when it was heard: those times are left out.
    """
    outcome = judge_transfer(prepared, transfer)
    if late_by_us:
        return late(outcome)
    if not held_up:
        return outcome
    untimed = {name: value for name, value in outcome.measurements.items() if not name.endswith(_TIMED)}
    return outcome.amended(measurements=untimed)


def _good(exchange: Exchange, measured: Mapping[str, float]) -> Outcome:
    return Outcome(
        state=OutcomeState.OK,
        reason=Reason.OK,
        duration_ms=round(exchange.duration_ms, 3),
        measurements={**exchange.phases, **measured},
        status_code=exchange.status,
        started_at=exchange.started_at,
    )


def _is_slow(prepared: Prepared, duration_ms: float) -> bool:
    return prepared.degraded_after_ms is not None and duration_ms > prepared.degraded_after_ms


def failed(error: OutboundError, extra: Mapping[str, Any] | None = None) -> Outcome:
    """The outcome of a look that got no usable answer."""
    return Outcome(
        state=OutcomeState.INDETERMINATE if error.reason in _OURS else OutcomeState.FAILED,
        reason=Reason(error.reason.value),
        measurements=error.phases,
        status_code=error.status,
        evidence={**(extra or {}), **error.evidence},
    )


def failed_exchange(prepared: Prepared, error: OutboundError) -> Outcome:
    """The outcome of an HTTP look that got no usable answer."""
    return finished(prepared, _judged_failure(prepared, error), error.started_at, error.duration_ms)


def _judged_failure(prepared: Prepared, error: OutboundError) -> Outcome:
    assert isinstance(prepared.kind, HttpProbeKind)  # noqa: S101 - the transport said so
    try:
        outcome = prepared.kind.judge_failure(prepared.config, error)
    except Exception as surprise:  # the runner is where surprises end
        return surprised(surprise)
    if outcome is None:
        return failed(error)
    return outcome.amended(measurements={**error.phases, **outcome.measurements}, status_code=error.status)


def late_exchange(prepared: Prepared, error: OutboundError) -> Outcome:
    """The outcome of an HTTP look that timed out while our own loop was held up."""
    return late(failed_exchange(prepared, error))


def surprised_exchange(prepared: Prepared, error: Exception, started_at: float) -> Outcome:
    """The outcome of an HTTP look that failed by itself."""
    return finished(prepared, surprised(error), started_at, 0.0)


def host_busy(prepared: Prepared, transfer: Transfer, limit: int) -> Outcome:
    """The outcome of an HTTP look that our limit of `limit` requests to one host held back for all its timeout."""
    location = transfer.location
    evidence = {
        "host": location.host,
        "port": location.port,
        "count": limit,
        "timeout_seconds": transfer.timeout_seconds,
    }
    outcome = Outcome(state=OutcomeState.INDETERMINATE, reason=Reason.HOST_BUSY, evidence=evidence)
    return finished(prepared, outcome, transfer.started_at, 0.0)


def late(outcome: Outcome) -> Outcome:
    """A timeout that was ours: the loop was held up, so nobody knows whether the target was slow."""
    evidence = {**outcome.evidence, "seen": outcome.reason.value}
    return outcome.amended(state=OutcomeState.INDETERMINATE, reason=Reason.WORKER_LATE, evidence=evidence)


def surprised(error: Exception) -> Outcome:
    """The outcome of a probe that failed by itself."""
    logger.exception("probe_failed", exc_info=error)
    return Outcome(
        state=OutcomeState.INDETERMINATE,
        reason=Reason.INTERNAL_ERROR,
        evidence={"detail": f"{type(error).__name__}: {error}"[:300]},
    )


def finished(prepared: Prepared, outcome: Outcome, started_at: float, duration_ms: float) -> Outcome:
    """Add what every outcome gets: when, how long, whether that was slow; and take out every secret."""
    changes: dict[str, Any] = {"started_at": started_at, "duration_ms": round(duration_ms, 3)}
    evidence = redacted(outcome.evidence, prepared.secrets()) if outcome.evidence else outcome.evidence
    if outcome.state is OutcomeState.OK and _is_slow(prepared, duration_ms):
        changes |= {"state": OutcomeState.DEGRADED, "reason": Reason.SLOW}
        evidence = {**evidence, "expected": prepared.degraded_after_ms, "actual": round(duration_ms, 1)}
    if outcome.state is OutcomeState.FAILED and prepared.kind.judges_quality:
        changes["state"] = OutcomeState.DEGRADED
    if evidence is not outcome.evidence:
        changes["evidence"] = evidence
    return outcome.amended(**changes)


async def look(prepared: Prepared, looking: Looking) -> Outcome:
    """Run an `async` kind to its end or its deadline, whichever is first."""
    assert isinstance(prepared.kind, AsyncProbeKind)  # noqa: S101 - the transport said so
    task = asyncio.ensure_future(_asked(prepared.kind, prepared.config, looking))
    done, _pending = await asyncio.wait({task}, timeout=looking.remaining())
    # Read before anything else runs: what a client does while it is being cancelled is not the target's time.
    duration_ms = looking.elapsed() * 1000
    if done:
        outcome = task.result()
    else:
        # Not waited for: a client may take its time to give up, and ours is over.
        outcome = _timed_out(looking)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        task.cancel()
    outcome = outcome.amended(measurements={**looking.measurements, **outcome.measurements})
    return finished(prepared, outcome, looking.started_at, duration_ms)


async def _asked(kind: AsyncProbeKind[Any], config: Any, looking: Looking) -> Outcome:
    try:
        outcome = await kind.look(config, looking)
    except OutboundError as error:
        return failed(error, looking.evidence)
    except TimeoutError:
        return _timed_out(looking)
    except (OSError, EOFError) as error:
        problem = connect_failure(error if isinstance(error, OSError) else OSError(str(error)))
        return failed(problem, looking.evidence)
    except Exception as error:  # the runner is where surprises end
        return surprised(error)
    return outcome.amended(evidence={**looking.evidence, **outcome.evidence})


def _timed_out(looking: Looking) -> Outcome:
    phase = looking.current_phase
    reasons = {"dns": Reason.DNS_TIMEOUT, "connect": Reason.CONNECT_TIMEOUT}
    evidence = {**looking.evidence, "phase": phase} if phase else dict(looking.evidence)
    return Outcome(state=OutcomeState.FAILED, reason=reasons.get(phase, Reason.TIMEOUT), evidence=evidence)


def run_once(
    kind_name: str,
    config: Mapping[str, Any],
    timeout_seconds: float,
    policy: AddressPolicy,
    *,
    degraded_after_ms: float | None = None,
    ca_file: str = "",
    names: Names | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> Outcome:
    """Look once and wait for it, on this thread: for "Try it". The same code as the engine's; raises nothing."""
    try:
        prepared = prepare(kind_name, config, timeout_seconds, degraded_after_ms)
    except NotRunnable as error:
        return error.outcome
    if prepared.kind.transport == "async":
        begin = partial(
            Looking,
            policy=policy,
            names=names or default_names(),
            timeout_seconds=prepared.timeout_seconds,
            ca_file=ca_file,
            wall_clock=wall_clock,
        )
        return asyncio.run(_look_once(prepared, begin))
    try:
        return judge_exchange(prepared, run(prepared.transfer(policy, ca_file, wall_clock), names))
    except OutboundError as error:
        return failed_exchange(prepared, error)
    except Exception as error:  # of a kind or of its listener
        return surprised_exchange(prepared, error, wall_clock())


async def _look_once(prepared: Prepared, begin: Callable[[], Looking]) -> Outcome:
    # Its clock runs from here, not from when a loop was made for it.
    return await look(prepared, begin())
