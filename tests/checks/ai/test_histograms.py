"""Histograms: percentiles within one per cent, of one hour or of many added up."""

from __future__ import annotations

import math
import random

import pytest

from apps.checks.ai import histograms
from apps.checks.ai.histograms import Histogram, bucket_of, histogram_of, median, middle_of, percentiles


def test_every_number_is_within_one_per_cent_of_what_stands_for_it() -> None:
    generator = random.Random(7)
    for _ in range(2_000):
        value = 10 ** generator.uniform(-2.9, 7)
        assert abs(middle_of(bucket_of(value)) - value) <= histograms.ERROR * value * 1.0001


@pytest.mark.parametrize("value", [0.0, -5.0, 1e-12])
def test_what_is_too_small_counts_as_the_smallest(value: float) -> None:
    assert bucket_of(value) == bucket_of(histograms.SMALLEST)


def test_percentiles_are_those_of_the_numbers_within_their_error() -> None:
    generator = random.Random(11)
    values = sorted(generator.lognormvariate(6, 1) for _ in range(5_000))
    found = percentiles(histogram_of(values), (0.05, 0.5, 0.75, 0.95, 0.99))
    for fraction, value in zip((0.05, 0.5, 0.75, 0.95, 0.99), found, strict=True):
        exact = values[math.ceil(fraction * len(values)) - 1]
        assert value == pytest.approx(exact, rel=histograms.ERROR * 1.01)


def test_the_percentile_of_added_hours_is_that_of_all_their_looks() -> None:
    generator = random.Random(13)
    hours = [[generator.uniform(100, 100 + 900 * hour) for _ in range(40)] for hour in range(1, 25)]
    total: Histogram = {}
    for hour in hours:
        histograms.add(total, histogram_of(hour))
    assert total == histogram_of([value for hour in hours for value in hour])


def test_one_number_is_every_percentile_of_itself() -> None:
    assert percentiles({bucket_of(250.0): 1}, (0.05, 0.5, 0.99)) == [pytest.approx(250, rel=0.011)] * 3


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentiles({}, (0.5, 0.99)) == [None, None]
    assert median({}) is None
