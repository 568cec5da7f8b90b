"""What travels over the broker between the portal and its probe workers: sealed, dated, and never trusted further.

A probe worker needs the broker's address and the sealing key, nothing else: everything it must know is in the message.
Both directions are sealed, so that the broker holds no secret and nobody without the key can say what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from apps.core.secrets import seal, unseal
from apps.probes.base import Finished, ProbeJob


class BadMessage(Exception):
    """A message of another shape: from another version, or forged with the right key."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Looks to take in one region, and the guards by which it knows whether its own line works.

    A guard is no check: `check` of its job is the guard's id, and it has no generation.
    """

    region: str
    jobs: list[ProbeJob]
    guards: list[ProbeJob] = []


class GuardReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker last found at a guard. `at` is Unix seconds by the broker's clock."""

    guard: str
    answers: bool
    reason: str
    at: float
    evidence: dict[str, Any] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker found: outcomes (their configs left behind) and the state of its line.

    `sent_at` is Unix seconds by the broker's clock as the worker knows it.
    """

    region: str
    worker: str
    sent_at: float
    outcomes: list[Finished]
    guards: list[GuardReport] = []


def pack_batch(batch: Batch) -> str:
    """Configs hold secrets, and the broker is not where secrets are kept."""
    return seal(msgspec.json.encode(batch).decode())


def unpack_batch(message: str) -> Batch:
    """The inverse of `pack_batch`. Raises SecretUnreadable for another key, BadMessage for another shape."""
    return _decode(message, Batch)


def pack_report(report: Report) -> str:
    """Sealed too: whoever can write to the broker must not be able to say that all is well."""
    return seal(msgspec.json.encode(report).decode())


def unpack_report(message: str) -> Report:
    """The inverse of `pack_report`. Raises SecretUnreadable for another key, BadMessage for another shape."""
    return _decode(message, Report)


def without_configs(finished: Sequence[Finished]) -> list[Finished]:
    """Outcomes as they may leave the worker: whoever records needs no config, and it may hold secrets."""
    return [
        Finished(job=msgspec.structs.replace(one.job, config={}) if one.job.config else one.job, outcome=one.outcome)
        for one in finished
    ]


_Message = TypeVar("_Message", bound=msgspec.Struct)


def _decode(text: str, shape: type[_Message]) -> _Message:
    try:
        return msgspec.json.decode(unseal(text), type=shape)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadMessage(str(error)) from error
