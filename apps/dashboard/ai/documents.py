"""The charts of a model as the chart component reads them: percentiles with bands, what went wrong stacked, money.

Values that were not measured are None: a gap, never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.checks.ai.history import ModelHistory
from apps.checks.charts import Period

# More than these cannot be told apart by their colours; what is rarest is added up.
MOST_CLASSES = 7
Values = Sequence[float | None]
Document = dict[str, Any]


def first_token(history: ModelHistory) -> Document:
    """From the request to the first token; the median to the first token of the answer where that is another."""
    lines = _percentiles(history.first_token, ("p50", "p95", "p99"))
    answer = _rounded(history.first_answer.get("p50", []))
    if any(value is not None for value in answer) and answer != lines[0]["values"]:
        label = _("first answer token, p50")
        lines.append({"key": "answer", "label": label, "values": answer, "dash": "dashed"})
    return {"unit": "ms", "lines": lines, "bands": _UPPER_BANDS, "empty": _("No first token was seen in this period.")}


def duration(history: ModelHistory) -> Document:
    """From the request to the end of the answer."""
    lines = _percentiles(history.duration, ("p50", "p95", "p99"))
    return {"unit": "ms", "lines": lines, "bands": _UPPER_BANDS, "empty": _("No answer was seen in this period.")}


def speed(history: ModelHistory) -> Document:
    """Tokens a second between the first and the last one; the band shows where nine of ten looks lie."""
    lines = _percentiles(history.speed, ("p50", "p5", "p95"))
    for line in lines[1:]:
        line["style"] = "edge"
    bands = [{"label": "p5–p95", "low": "p5", "high": "p95"}]
    empty = _("No answer was streamed in this period, so there is no speed to draw.")
    return {"unit": pgettext("a unit", "tokens/s"), "lines": lines, "bands": bands, "empty": empty}


def errors(history: ModelHistory) -> Document:
    """How often each class was seen, one on the other; the most frequent at the bottom."""
    counts = {name: values for name, values in history.errors.items() if any(values)}
    ordered = sorted(counts, key=lambda name: (-sum(counts[name]), name))
    lines = [_bar(name, str(name.label), _seen(counts[name], history.looks)) for name in ordered[:MOST_CLASSES]]
    rest = [counts[name] for name in ordered[MOST_CLASSES:]]
    if rest:
        together = [sum(values) for values in zip(*rest, strict=True)]
        lines.append(_bar("others", _("Others"), _seen(together, history.looks)))
    looked = any(history.looks)
    empty = _("No look failed in this period.") if looked else ""
    return {"unit": "", "stacked": True, "lines": lines, "empty": empty}


def spend(days: Sequence[tuple[date, Decimal]], period: Period) -> Document:
    """US dollars by day (UTC). A day on which nothing was paid for is zero: that is known, and no gap."""
    paid = {day: float(cost) for day, cost in days}
    count = (period.end.date() - period.start.date()).days + 1
    every = [period.start.date() + timedelta(days=number) for number in range(count)]
    values = [paid.get(day, 0.0) for day in every] if any(paid.values()) else [None] * count
    return {
        "unit": "usd",
        "from": _midnight(every[0]).timestamp(),
        "to": (_midnight(every[-1]) + timedelta(days=1)).timestamp(),
        "times": [_midnight(day).timestamp() for day in every],
        "lines": [_bar("cost", _("Cost of a day"), values)],
        "empty": _("Nothing was paid for in this period."),
    }


DOCUMENTS: dict[str, Callable[[ModelHistory], Document]] = {
    "first-token": first_token,
    "speed": speed,
    "duration": duration,
    "errors": errors,
}

_UPPER_BANDS = [
    {"label": "p50–p95", "low": "p50", "high": "p95"},
    {"label": "p95–p99", "low": "p95", "high": "p99"},
]


def _percentiles(found: Mapping[str, Values], names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"key": name, "label": name, "values": _rounded(found.get(name, []))} for name in names]


def _rounded(values: Values) -> list[float | None]:
    return [None if value is None else round(value, 2) for value in values]


def _bar(key: str, label: str, values: Sequence[float | None]) -> dict[str, Any]:
    return {"key": key, "label": label, "values": list(values), "style": "bars"}


def _seen(values: Sequence[int], looks: Sequence[int]) -> list[float | None]:
    """Where nobody looked, nothing is known to have gone well."""
    return [value if looked else None for value, looked in zip(values, looks, strict=True)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
