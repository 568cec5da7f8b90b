"""Which price holds for a model: the most specific, then the latest that has begun. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.probes.ai.usage import Rate

# At the end of a price's model: every model whose id begins with what stands before it.
ANY = "*"
# Some lists of models name the collection too; prices name the model.
_COLLECTION = "models/"


@dataclass(frozen=True)
class PriceLine:
    """One row of the price table. No provider: of all that speak `dialect`."""

    provider: UUID | None
    dialect: str
    model: str
    valid_from: date
    rate: Rate


def plain_name(model: str) -> str:
    """A model's id as prices are compared with it."""
    return model.strip().removeprefix(_COLLECTION).casefold()


def fits(pattern: str, model: str) -> bool:
    """Whether a price of `pattern` is one of `model`: a whole id, or a beginning followed by `*`."""
    wanted, name = plain_name(pattern), plain_name(model)
    return name.startswith(wanted.removesuffix(ANY)) if wanted.endswith(ANY) else name == wanted


def find_rate(lines: Iterable[PriceLine], provider: UUID, dialects: Iterable[str], model: str, on: date) -> Rate | None:
    """The rate of one model on a day; None where no price is known.

    A provider's own price comes before one of a dialect, a whole id before a beginning, a longer beginning before a
    shorter, and of equals the one that began last.
    """
    spoken = frozenset(dialects)
    holding = [
        line
        for line in lines
        if line.valid_from <= on
        and (line.provider == provider or (line.provider is None and line.dialect in spoken))
        and fits(line.model, model)
    ]
    best = max(holding, key=_rank, default=None)
    return best.rate if best is not None else None


def _rank(line: PriceLine) -> tuple[bool, bool, int, date]:
    return line.provider is not None, not line.model.endswith(ANY), len(plain_name(line.model)), line.valid_from
