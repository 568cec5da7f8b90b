"""Answers that are heard while they arrive: each listener says by when it must have heard more."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from apps.core.outbound.handles import Handle
from apps.core.outbound.hearing import HeardAnswer
from apps.probes.engine.deadlines import Deadlines
from apps.probes.engine.endings import Endings, Look


@dataclass(slots=True, eq=False)
class _Ear:
    """One request that is with libcurl. Of one that is over nothing is held until its last moment has come."""

    hearing: tuple[Look, Handle, HeardAnswer] | None
    step: int = 0
    # The moment waited for.
    more_by: float = math.inf


class Listening:
    """Belongs to one loop and is used on its thread. `let_go` takes a request from libcurl before its end."""

    def __init__(
        self, endings: Endings, clock: Callable[[], float], let_go: Callable[[Look, Handle, float], None]
    ) -> None:
        self._endings = endings
        self._clock = clock
        self._let_go = let_go
        self.deadlines: Deadlines[_Ear] = Deadlines()
        self._ears: dict[Look, _Ear] = {}

    def begin(self, look: Look, handle: Handle, answer: HeardAnswer) -> None:
        """libcurl has this request now."""
        ear = self._ears[look] = _Ear((look, handle, answer))
        answer.begin()
        answer.moved = partial(self._await_more, ear, answer)
        self._await_more(ear, answer)

    def end(self, look: Look) -> None:
        """libcurl has it no more; one that was never begun is nothing to speak of."""
        ear = self._ears.pop(look, None)
        if ear is not None:
            ear.hearing = None

    def give_up_late(self) -> None:
        """End those that heard too little."""
        for ear, missed in self.deadlines.passed(self._clock()):
            if ear.hearing is not None:
                self._endings.guarded(ear.hearing[0].work, missed, ear)

    def _await_more(self, ear: _Ear, answer: HeardAnswer) -> None:
        """Only a moment that is earlier than the one waited for needs to be known now."""
        moment = answer.listener.deadline()
        if moment is not None and moment < ear.more_by:
            ear.more_by = moment
            self.deadlines.expect(ear, moment, self._heard_too_little)

    def _heard_too_little(self, ear: _Ear) -> None:
        """The moment has come. Unless there is a later one by now, the request ends here."""
        assert ear.hearing is not None  # noqa: S101 - it was asked just now
        look, handle, answer = ear.hearing
        now, ear.more_by = self._clock(), math.inf
        if answer.is_overdue(now):
            self._let_go(look, handle, now)
        else:
            self._await_more(ear, answer)
