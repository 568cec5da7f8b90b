"""What arrived, against what was committed: lost, told twice, out of order, not ours. Pure: lists in, numbers out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# One step of one incident: its id and the step's number within it.
Step = tuple[str, int]

DUPLICATES_ALLOWED = 0.01


@dataclass(frozen=True)
class Arrival:
    """One request at the receiver. `moment` is Unix seconds; `incident`, `sequence` and `target` are of an incident's
    message and None of any other."""

    moment: float
    id: str
    type: str
    verified: bool
    incident: str | None = None
    sequence: int | None = None
    target: str | None = None

    @property
    def step(self) -> Step | None:
        if self.incident is None or self.sequence is None or not self.type.startswith("incident."):
            return None
        return self.incident, self.sequence


def read_log(path: Path) -> list[Arrival]:
    """The receiver's log, in the order of arrival."""
    return [Arrival(**json.loads(line)) for line in path.read_text().splitlines()]


@dataclass
class Judgement:
    """`order_violations`: a step after a later one of its incident. `target_violations`: a step of an incident after
    one of a later incident of the same target. Waits are seconds from the commit to the first arrival."""

    expected: int = 0
    arrived: int = 0
    lost: list[Step] = field(default_factory=list)
    duplicates: int = 0
    other_ids: int = 0
    order_violations: int = 0
    target_violations: int = 0
    unverified: int = 0
    unexpected: list[Step] = field(default_factory=list)
    others: int = 0
    waits: list[float] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Which of the promises are broken, a sentence each; empty when all of them are kept."""
        share = self.duplicates / max(self.expected, 1)
        found = {
            f"{len(self.lost)} lost, the first of them {self.lost[:3]}": bool(self.lost),
            f"{share:.2%} were told twice, {DUPLICATES_ALLOWED:.0%} are allowed": share > DUPLICATES_ALLOWED,
            f"{self.other_ids} repeats came under another webhook-id": bool(self.other_ids),
            f"{self.order_violations} steps came after a later one of their incident": bool(self.order_violations),
            f"{self.unverified} signatures are not ours": bool(self.unverified),
            f"{len(self.unexpected)} steps were told that never happened": bool(self.unexpected),
            "nothing was committed, so nothing is proven": not self.expected,
        }
        return [sentence for sentence, is_so in found.items() if is_so]


def judge(committed: Mapping[Step, float], arrivals: Sequence[Arrival]) -> Judgement:
    """Compare. `committed` gives the moment (Unix seconds) at which each step was committed."""
    told = [(arrival.step, arrival) for arrival in arrivals if arrival.step is not None]
    first: dict[Step, float] = {}
    ids: defaultdict[Step, set[str]] = defaultdict(set)
    for step, arrival in told:
        first.setdefault(step, arrival.moment)
        ids[step].add(arrival.id)
    return Judgement(
        expected=len(committed),
        arrived=len(told),
        lost=sorted(set(committed) - set(first)),
        duplicates=len(told) - len(first),
        other_ids=sum(len(one) - 1 for one in ids.values()),
        order_violations=_backward((step[0], step[1]) for step, _arrival in told),
        # Ids are ordered by the time at which incidents were made.
        target_violations=_backward((arrival.target or "", arrival.incident or "") for _step, arrival in told),
        unverified=sum(not arrival.verified for arrival in arrivals),
        unexpected=sorted(set(first) - set(committed)),
        others=len(arrivals) - len(told),
        waits=sorted(first[step] - moment for step, moment in committed.items() if step in first),
    )


def _backward(places: Iterable[tuple[str, int | str]]) -> int:
    """How many came, within their lane, after a later one."""
    latest: dict[str, int | str] = {}
    count = 0
    for lane, place in places:
        before = latest.setdefault(lane, place)
        if place < before:  # type: ignore[operator]
            count += 1
        else:
            latest[lane] = place
    return count


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted values lie; 0 for none."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
