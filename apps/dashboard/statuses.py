"""How each status looks: a word, a shape and a colour token. A page takes all three from here or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.catalog.status import Status

# The order of segments, legends and filters.
ORDER = (Status.OPERATIONAL, Status.DEGRADED, Status.OUTAGE, Status.UNKNOWN, Status.MAINTENANCE)
# A sliver of a large bar must stay visible and clickable.
_SMALLEST_SHARE = 1.5


@dataclass(frozen=True)
class StatusLook:
    """What a template needs to draw a status. `token` names the colour; `shape` is the template that draws it."""

    value: str
    word: str
    token: str
    shape: str


_TOKENS = {
    Status.OPERATIONAL: "ok",
    Status.DEGRADED: "warn",
    Status.OUTAGE: "bad",
    Status.UNKNOWN: "mute",
    Status.MAINTENANCE: "info",
}


def look_of(status: Any) -> StatusLook:
    """The look of a status, its value, or anything with a `status`. What is not known looks unknown."""
    value = getattr(status, "status", status)
    try:
        known = Status(value)
    except ValueError:
        known = Status.UNKNOWN
    return StatusLook(known.value, known.label, _TOKENS[known], f"components/shapes/{known.value}.html")


@dataclass(frozen=True)
class Share:
    """One segment of a proportional bar. `x` and `width` are per cent of the bar; `exact` is the true share."""

    look: StatusLook
    count: int
    x: float
    width: float
    exact: float


def shares_of(counts: Mapping[str, int]) -> list[Share]:
    """The five segments of a status bar from `{"operational": 12, …}`, in order; together they fill 100 per cent."""
    numbers = {status: max(0, int(counts.get(status.value, 0))) for status in ORDER}
    total = sum(numbers.values())
    drawn = {status: _drawn_share(number, total) for status, number in numbers.items()}
    scale = 100 / sum(drawn.values()) if total else 0.0
    shares, x = [], 0.0
    for status in ORDER:
        width = drawn[status] * scale
        exact = 100 * numbers[status] / total if total else 0.0
        shares.append(Share(look_of(status), numbers[status], round(x, 3), round(width, 3), round(exact, 3)))
        x += width
    return shares


def _drawn_share(number: int, total: int) -> float:
    return max(_SMALLEST_SHARE, 100 * number / total) if number else 0.0
