"""Histograms of logarithmic buckets: how numbers spread, kept in a few integers that can be added up. Pure.

A number x lies in bucket floor(ln x / ln BASE). A percentile read from a histogram is the geometric middle of the
bucket it falls into, so it is wrong by at most sqrt(BASE) - 1: one per cent. Percentiles of hours cannot be averaged;
the histograms of hours can be added, and the percentile of the sum is that of all their looks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

# Buckets by number: how many numbers lie in each.
Histogram = dict[int, int]

ERROR = 0.01
BASE = (1 + ERROR) ** 2
LOG_BASE = math.log(BASE)
# Smaller numbers count as this one: a microsecond, or a token in a quarter of an hour.
SMALLEST = 0.001


def bucket_of(value: float) -> int:
    """The number of the bucket that holds `value`."""
    return math.floor(math.log(max(value, SMALLEST)) / LOG_BASE)


def middle_of(bucket: int) -> float:
    """The number that stands for all in a bucket."""
    return math.exp((bucket + 0.5) * LOG_BASE)


def histogram_of(values: Iterable[float]) -> Histogram:
    histogram: Histogram = {}
    for value in values:
        bucket = bucket_of(value)
        histogram[bucket] = histogram.get(bucket, 0) + 1
    return histogram


def add(total: Histogram, other: Mapping[int, int]) -> None:
    """Add the counts of `other` to `total`."""
    for bucket, count in other.items():
        total[bucket] = total.get(bucket, 0) + count


def total_of(histogram: Mapping[int, int]) -> int:
    """How many numbers it holds."""
    return sum(histogram.values())


def percentiles(histogram: Mapping[int, int], fractions: Sequence[float]) -> list[float | None]:
    """The numbers below which each of `fractions` (0 to 1, in order) of all lie; None for an empty histogram.

    By nearest rank: always a number that was there, give or take the width of its bucket.
    """
    total = total_of(histogram)
    if not total:
        return [None] * len(fractions)
    ranks = [max(math.ceil(fraction * total), 1) for fraction in fractions]
    found: list[float | None] = []
    seen = 0
    for bucket in sorted(histogram):
        seen += histogram[bucket]
        while len(found) < len(ranks) and ranks[len(found)] <= seen:
            found.append(middle_of(bucket))
    return found


def median(histogram: Mapping[int, int]) -> float | None:
    return percentiles(histogram, (0.5,))[0]
