"""How an HTTP look ends, whatever ends it: exactly one outcome for each, and the loop goes on for all others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from apps.core.outbound.exchange import OutboundError
from apps.core.outbound.transfer import Transfer
from apps.probes.engine.host_limits import Host
from apps.probes.engine.work import Done, Judge, Lateness, Work
from apps.probes.runner import (
    failed_exchange,
    host_busy,
    judge_heard,
    judge_transfer,
    late_exchange,
    surprised_exchange,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Look:
    """One request on its way: being looked up, waiting at its host, ready to start, or with libcurl."""

    work: Work
    transfer: Transfer
    lost_before: float
    asked_at: float = 0.0
    # Counts what it waited for: an answer to, or the deadline of, something that is over finds another number.
    step: int = 0
    # Where it holds a place.
    host: Host | None = None
    # It waited for that so long that less than its timeout is left: running out says nothing about the target.
    cut_short: bool = False


class Endings:
    """Belongs to one loop and is used on its thread; `done` must return at once."""

    def __init__(self, done: Callable[[Done], None], lateness: Lateness, wall_clock: Callable[[], float]) -> None:
        self._done = done
        self._lateness = lateness
        self._wall_clock = wall_clock
        # The job a turn is busy with: should the turn fail, it is this one's outcome.
        self._in_hand: Work | None = None

    def guarded(self, work: Work, step: Callable[..., None], *arguments: object) -> None:
        """Whatever goes wrong in this step is the outcome of this one job."""
        self._in_hand = work
        try:
            step(*arguments)
        except OutboundError as error:
            self._end(work, partial(failed_exchange, work.prepared, error))
        except Exception as error:  # of a kind, of our own reading of an answer, of a library
            self._surprise(work, error)
        self._in_hand = None

    def end_in_hand(self, error: Exception) -> None:
        """A turn failed outside of every guard: the job it was busy with would hold its place for ever."""
        work, self._in_hand = self._in_hand, None
        if work is not None:
            try:
                self._surprise(work, error)
            except Exception:
                logger.exception("probe_job_lost")

    def answered(self, look: Look) -> None:
        """A complete answer came, or as much of one as its listener wanted."""
        work = look.work
        if look.transfer.request.listener is not None:
            self._heard(look, late_by_us=False)
        else:
            self._end(work, partial(judge_transfer, work.prepared, look.transfer, proven=work.job.run is not None))

    def missed(self, look: Look, waited: float) -> None:
        """Its listener heard nothing more in time, `waited` seconds after it began."""
        self._heard(look, late_by_us=self._lateness.spoiled(look.lost_before, waited))

    def failed(self, look: Look, error: OutboundError) -> None:
        """No usable answer came."""
        self._end(look.work, partial(failed_exchange, look.work.prepared, error))

    def timed_out(self, look: Look, error: OutboundError) -> None:
        """No usable answer came in time, which may have been our own doing."""
        ours = look.cut_short or self._lateness.spoiled(look.lost_before, look.transfer.timeout_seconds)
        self._end(look.work, partial(late_exchange if ours else failed_exchange, look.work.prepared, error))

    def held_back(self, look: Look, limit: int) -> None:
        """Our limit of requests in flight to one host left it no time."""
        self._end(look.work, partial(host_busy, look.work.prepared, look.transfer, limit))

    def _heard(self, look: Look, *, late_by_us: bool) -> None:
        held_up = self._lateness.lost_seconds > look.lost_before
        judge = partial(judge_heard, late_by_us=late_by_us, held_up=held_up)
        self._end(look.work, partial(judge, look.work.prepared, look.transfer))

    def _surprise(self, work: Work, error: Exception) -> None:
        self._end(work, partial(surprised_exchange, work.prepared, error, self._wall_clock()))

    def _end(self, work: Work, judge: Judge) -> None:
        if not work.over:
            work.over = True
            self._done(Done(work.job, judge))
