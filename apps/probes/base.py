"""What "look at it once" means: jobs in, outcomes out, and the shape of a probe kind.

Nothing here knows a database, a setting or a queue. Whoever claims checks makes `ProbeJob`s, the engine turns each
into one `Finished`, and every type crosses a message queue as plain JSON values (`to_wire`, `from_wire`).
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import Exchange, HttpRequest, OutboundError
from apps.core.registry import Registry
from apps.probes.ai.endpoint import Endpoint
from apps.probes.ai.usage import Usage
from apps.probes.evidence import bounded
from apps.probes.reasons import Reason, Text, condition_sentence, sentence

if TYPE_CHECKING:
    from apps.probes.looking import Looking

__all__ = [
    "PROBE_KINDS",
    "AsyncProbeKind",
    "Exchange",
    "Finished",
    "HttpProbeKind",
    "HttpRequest",
    "Outcome",
    "OutcomeState",
    "ProbeJob",
    "ProbeKind",
    "PushProbeKind",
    "Reason",
    "condition_sentence",
    "sentence",
]


class OutcomeState(StrEnum):
    """What one look found. `indeterminate` says something about us, nothing about the target."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"

    @property
    def label(self) -> Text:
        return _STATE_LABELS[self]


_STATE_LABELS: dict[OutcomeState, Text] = {
    OutcomeState.OK: _("OK"),
    OutcomeState.DEGRADED: _("Degraded"),
    OutcomeState.FAILED: _("Failed"),
    OutcomeState.INDETERMINATE: _("Indeterminate"),
}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found.

    `duration_ms` is the whole look; `measurements` holds its phases (`dns_ms`, `connect_ms`, `tls_ms`, `first_byte_ms`,
    `transfer_ms`) and other numbers (`certificate_days`). `evidence` is plain JSON of at most 16 kB, cut here if more.
    `started_at` is Unix seconds; 0 until the runner sets it.
    """

    state: OutcomeState
    reason: Reason
    duration_ms: float = 0.0
    measurements: dict[str, float] = {}
    status_code: int | None = None
    evidence: dict[str, Any] = {}
    started_at: float = 0.0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "evidence", bounded(self.evidence))

    @property
    def sentence(self) -> str:
        """What happened, in the active language."""
        return sentence(self.reason, self.evidence)

    def amended(self, **changes: Any) -> Outcome:
        """A copy with some fields changed. Evidence is measured again only when it is one of them."""
        if "evidence" in changes:
            return msgspec.structs.replace(self, **changes)
        amended = copy.copy(self)
        for name, value in changes.items():
            msgspec.structs.force_setattr(amended, name, value)
        return amended

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Outcome:
        """The inverse of `to_wire`. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(data, cls)


class ProbeJob(msgspec.Struct, frozen=True, kw_only=True):
    """One look to take.

    `config` is plain (unsealed); `due_at` is Unix seconds, None meaning now; `run` is the id of a manual run.
    """

    check: str
    region: str
    generation: int
    kind: str
    config: dict[str, Any]
    timeout_seconds: float
    degraded_after_ms: float | None = None
    run: str | None = None
    due_at: float | None = None

    def __repr__(self) -> str:
        # The config may hold secrets, and a repr ends in logs.
        return f"ProbeJob(check={self.check!r}, region={self.region!r}, kind={self.kind!r}, run={self.run!r})"

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON values, the config as it is: seal it before it goes into a message."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> ProbeJob:
        """The inverse of `to_wire`. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(data, cls)


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A job and what it found."""

    job: ProbeJob
    outcome: Outcome

    def to_wire(self) -> dict[str, Any]:
        """Plain JSON values. The config stays behind: whoever records needs none, and it may hold secrets."""
        job = self.job.to_wire()
        job["config"] = {}
        return {"job": job, "outcome": self.outcome.to_wire()}

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Finished:
        """The inverse of `to_wire`, with an empty config. Raises msgspec.ValidationError for anything else."""
        return msgspec.convert(data, cls)


FIRST_PAID_RUNG = 2

ConfigType = TypeVar("ConfigType", bound=msgspec.Struct)


class ProbeKind(Generic[ConfigType]):
    """One way of looking. `Config` is the one schema for API, form and engine; subclass one of the three below."""

    name: ClassVar[str]
    label: ClassVar[Text]
    summary: ClassVar[Text]
    Config: type[ConfigType]
    # Which kinds of target it suits: "provider", "model", "service".
    target_kinds: ClassVar[frozenset[str]] = frozenset({"service"})
    transport: ClassVar[Literal["http", "async", "push"]]
    default_interval_seconds: ClassVar[int] = 60
    default_timeout_seconds: ClassVar[float] = 10.0
    # How many bad outcomes in a row make a change, unless a check says otherwise.
    default_failure_threshold: ClassVar[int] = 2
    # Whether its checks say how a target is; a canary and a page of somebody else's do not, unless a check says so.
    default_affects_status: ClassVar[bool] = True
    # It judges how good answers are, which is an axis of its own: whatever a look finds, it is degraded at most.
    judges_quality: ClassVar[bool] = False
    # Its config has an `endpoint: Annotated[Endpoint, FILLED]`, taken from the target's provider and model.
    uses_endpoint: ClassVar[bool] = False
    # The rung of the cost ladder: 0 and 1 cost nothing, from 2 on every look is paid for. None: not on the ladder.
    rung: ClassVar[int | None] = None
    # On a paid rung: what a model must be for to be asked this ("chat" writes, "embedding" turns text into numbers).
    model_sort: ClassVar[Literal["chat", "embedding"]] = "chat"

    @property
    def is_paid(self) -> bool:
        return self.rung is not None and self.rung >= FIRST_PAID_RUNG

    @property
    def keeps_evidence(self) -> bool:
        """Whether its evidence is read also when all is well: the head-room left, answers, a vendor's page."""
        return self.rung is not None

    def most_usage(self, config: ConfigType) -> Usage:
        """The most tokens one look may use, for setting money aside before it and for the price a month."""
        return Usage()

    def endpoint_problem(self, endpoint: Endpoint) -> Text | None:
        """Why nobody can be asked this there, as a sentence; None when it can be. Only where `uses_endpoint`."""
        return None

    def first_config(self) -> dict[str, Any]:
        """What a check of this kind begins with when nobody enters anything; a kind may not be able to."""
        return {}

    @property
    def docs(self) -> str:
        """The path of its page in the repository."""
        return f"docs/probes/{self.name}.md"

    def address(self, config: ConfigType) -> str:
        """What is looked at, for a list or a title; never a secret."""
        raise NotImplementedError


class HttpProbeKind(ProbeKind[ConfigType]):
    """A kind that is one HTTP request: the engine's curl loop sends it, `judge` reads what came back."""

    transport = "http"

    def build_request(self, config: ConfigType) -> HttpRequest:
        """The request to send. Raises nothing: a valid config gives a valid request."""
        raise NotImplementedError

    def judge(self, config: ConfigType, exchange: Exchange) -> Outcome:
        """What an answer means: a complete one, or of a request with a listener also one that was `cut`."""
        raise NotImplementedError

    def judge_failure(self, config: ConfigType, error: OutboundError) -> Outcome | None:
        """What it means that no usable answer came, where the kind knows more than the transport; None: it does not."""
        return None

    def passes(self, config: ConfigType, exchange: Exchange) -> dict[str, float] | None:
        """What `judge` measures when it would call this answer OK, without the evidence; None when it must be asked.

        Of most looks nobody keeps the evidence. A kind for which this is no cheaper than `judge` leaves it as it is.
        """
        return None


class AsyncProbeKind(ProbeKind[ConfigType]):
    """A kind with a conversation of its own, on the engine's asyncio loop."""

    transport = "async"

    async def look(self, config: ConfigType, looking: Looking) -> Outcome:
        """Look once. May raise OutboundError, OSError and TimeoutError: the runner turns each into its outcome."""
        raise NotImplementedError


class PushProbeKind(ProbeKind[ConfigType]):
    """A kind that is told instead of looking: nobody claims its checks, and no engine ever runs it."""

    transport = "push"
    # What was told is no slip of a network: a missed deadline has had its grace already.
    default_failure_threshold = 1


PROBE_KINDS: Registry[ProbeKind[Any]] = Registry("probe kind", package="apps.probes.kinds")
