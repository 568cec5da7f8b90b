"""Finding few among many: targets by matchers, and numbers beyond a level. Pure.

Sets of targets are whole numbers with a bit for each target's position, so that two thousand rules over two thousand
targets meet by one AND each: only the pairs that are not well are ever looked at one by one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import TypeVar
from uuid import UUID

from apps.alerts.matching import Labels, Matcher, texts_of
from apps.alerts.ruling.patterns import fitting

Key = TypeVar("Key", UUID, str)


def positions_of(mask: int) -> Iterator[int]:
    """The positions in a set, lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def mask_of(positions: Iterable[int], size: int) -> int:
    """The set of some positions below `size`, in time linear in their number."""
    bits = bytearray((size >> 3) + 1)
    for position in positions:
        bits[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(bits, "little")


class LabelIndex:
    """Targets in order, found by environment and matchers."""

    def __init__(self, targets: Mapping[UUID, tuple[UUID, Labels]]) -> None:
        self.ids: Sequence[UUID] = list(targets)
        self.size = len(self.ids)
        self.position: Mapping[UUID, int] = {identifier: number for number, identifier in enumerate(self.ids)}
        self._labels = [labels for _environment, labels in targets.values()]
        self._environment_ids = [environment for environment, _labels in targets.values()]
        self._everything = (1 << self.size) - 1
        self._environments = self._grouped(enumerate(self._environment_ids))
        self._texts: dict[str, dict[str, int]] = {}
        self._folded: dict[str, dict[str, int]] = {}
        self._fitting: dict[tuple[str, str], int] = {}

    def labels_of(self, position: int) -> Labels:
        return self._labels[position]

    def environment_of(self, position: int) -> UUID:
        return self._environment_ids[position]

    def matching(self, environment: UUID | None, matchers: Iterable[Matcher]) -> int:
        """The targets of an environment (None: of all) that every matcher lets through, as a set of positions."""
        found = self._everything if environment is None else self._environments.get(environment, 0)
        for matcher in matchers:
            found &= self._one(matcher)
        return found

    def learn(self, matchers: Iterable[Matcher]) -> None:
        """Look at all the patterns of these matchers together, which is much faster than at one after another."""
        wanted: dict[str, set[str]] = {}
        for matcher in matchers:
            if matcher.operator.endswith("~") and (matcher.label, matcher.value) not in self._fitting:
                wanted.setdefault(matcher.label, set()).add(matcher.value)
        for label, patterns in wanted.items():
            texts = self._texts_of(label)
            masks = list(texts.values())
            for pattern, places in fitting(sorted(patterns), list(texts)).items():
                self._fitting[label, pattern] = reduce(or_, (masks[place] for place in places), 0)

    def _one(self, matcher: Matcher) -> int:
        if matcher.operator.endswith("~"):
            self.learn([matcher])
            found = self._fitting[matcher.label, matcher.value]
        else:
            found = self._folded_texts_of(matcher.label).get(matcher.value.casefold(), 0)
        return self._everything & ~found if matcher.operator.startswith("!") else found

    def _texts_of(self, label: str) -> dict[str, int]:
        """Every text of a label, and who has it."""
        if label not in self._texts:
            pairs = ((number, text) for number, labels in enumerate(self._labels) for text in texts_of(labels, label))
            self._texts[label] = self._grouped(pairs)
        return self._texts[label]

    def _folded_texts_of(self, label: str) -> dict[str, int]:
        """The same without case."""
        if label not in self._folded:
            folded: dict[str, int] = {}
            for text, mask in self._texts_of(label).items():
                folded[text.casefold()] = folded.get(text.casefold(), 0) | mask
            self._folded[label] = folded
        return self._folded[label]

    def _grouped(self, pairs: Iterable[tuple[int, Key]]) -> dict[Key, int]:
        positions: dict[Key, list[int]] = {}
        for number, key in pairs:
            positions.setdefault(key, []).append(number)
        return {key: mask_of(found, self.size) for key, found in positions.items()}


class ValueTable:
    """The numbers of one reading by position, sorted once, so that those beyond a level are found by bisection."""

    def __init__(self, values: Mapping[int, float], size: int) -> None:
        self.size = size
        self._values = values
        self._order = sorted(values, key=values.__getitem__)
        self._sorted = [values[position] for position in self._order]
        self._present = mask_of(values, size)
        self._beyond: dict[tuple[bool, float], int] = {}

    def value_at(self, position: int) -> float | None:
        return self._values.get(position)

    @property
    def present(self) -> int:
        """Who has a number at all."""
        return self._present

    def beyond(self, *, above: bool, bound: float) -> int:
        """Who is strictly above (or below) `bound`."""
        key = (above, bound)
        if key not in self._beyond:
            if above:
                found = self._order[bisect_right(self._sorted, bound) :]
            else:
                found = self._order[: bisect_left(self._sorted, bound)]
            self._beyond[key] = mask_of(found, self.size)
        return self._beyond[key]
