"""Who said it first: the table of what is matched, and the sentence that follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.checks.vendors.comparing import Comparison, Trouble, Verdict, compare, merged, span

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


def trouble(began: float, ended: float | None = None) -> Trouble:
    """From `began` minutes ago until `ended` minutes ago; None: still."""
    return Trouble(NOW - timedelta(minutes=began), None if ended is None else NOW - timedelta(minutes=ended))


def compared(ours: list[Trouble], vendors: list[Trouble], readable: bool = True) -> Comparison | None:
    return compare(ours, vendors, readable=readable, now=NOW)


@pytest.mark.parametrize(
    ("ours", "vendors", "verdict", "sentence"),
    [
        # Both, in either order and at once
        ([trouble(30)], [trouble(16)], Verdict.WE_FIRST, "We saw it 14 min before the vendor said so."),
        ([trouble(16)], [trouble(30)], Verdict.VENDOR_FIRST, "We saw it 14 min after the vendor said so."),
        ([trouble(30)], [trouble(29.5)], Verdict.TOGETHER, "We saw it in the same minute as the vendor said so."),
        # Over already, and the vendor wrote of it afterwards, within the hour
        ([trouble(90, 60)], [trouble(20)], Verdict.WE_FIRST, "We saw it 1 h 10 min before the vendor said so."),
        ([trouble(30)], [trouble(80, 60)], Verdict.VENDOR_FIRST, "We saw it 50 min after the vendor said so."),
        # Nobody said anything
        ([trouble(14)], [], Verdict.NOT_SAID, "We have seen it for 14 min; the vendor has not said so."),
        ([trouble(60, 48)], [], Verdict.NEVER_SAID, "We saw a problem for 12 min; the vendor has not said so."),
        # Another trouble, too long ago to be the same
        (
            [trouble(14)],
            [trouble(600, 500)],
            Verdict.NOT_SAID,
            "We have seen it for 14 min; the vendor has not said so.",
        ),
        # We saw nothing
        (
            [],
            [trouble(40)],
            Verdict.NOT_SEEN,
            "The vendor has reported a problem for 40 min; we have not seen it.",
        ),
        ([trouble(900, 880)], [trouble(40)], Verdict.NOT_SEEN, None),
        # What the vendor has been saying for days is not about what began now, and hides nothing it says of that
        ([trouble(30)], [trouble(9_000), trouble(16)], Verdict.WE_FIRST, "We saw it 14 min before the vendor said so."),
        (
            [trouble(30)],
            [trouble(9_000)],
            Verdict.NOT_SAID,
            "We have seen it for 30 min; the vendor has not said so.",
        ),
        # Nor does a model of ours that has been failing for days stand for what began now
        ([trouble(9_000), trouble(30)], [trouble(16)], Verdict.WE_FIRST, "We saw it 14 min before the vendor said so."),
        # Of two the one that began nearest
        ([trouble(90)], [trouble(200), trouble(76)], Verdict.WE_FIRST, "We saw it 14 min before the vendor said so."),
        # Several models at once are one trouble, which began with the first
        ([trouble(20), trouble(30, 10), trouble(25)], [trouble(16)], Verdict.WE_FIRST, None),
    ],
)
def test_the_table(ours: list[Trouble], vendors: list[Trouble], verdict: Verdict, sentence: str | None) -> None:
    found = compared(ours, vendors)
    assert found is not None and found.verdict is verdict
    if sentence is not None:
        assert found.sentence == sentence


@pytest.mark.parametrize(
    ("ours", "vendors"),
    [
        ([], []),
        ([trouble(3_000, 2_000)], []),
        ([], [trouble(3_000, 2_000)]),
        # What the vendor reported and ended, and we never saw, is its history and not ours.
        ([], [trouble(100, 50)]),
    ],
)
def test_nothing_is_said_of_what_is_long_over(ours: list[Trouble], vendors: list[Trouble]) -> None:
    assert compared(ours, vendors) is None


def test_a_page_that_cannot_be_read_leaves_open_whether_the_vendor_said_so() -> None:
    found = compared([trouble(14)], [], readable=False)
    assert found is not None and found.verdict is Verdict.NOT_READABLE
    assert "cannot be read" in found.sentence
    # What it said before it became unreadable was said.
    said = compared([trouble(30)], [trouble(16, 5)], readable=False)
    assert said is not None and said.verdict is Verdict.WE_FIRST


def test_both_moments_are_told() -> None:
    found = compared([trouble(30)], [trouble(16)])
    assert found is not None
    assert (found.seen_at, found.said_at) == (trouble(30).start, trouble(16).start)
    assert found.seconds == 14 * 60


def test_overlapping_troubles_are_one_and_apart_ones_are_not() -> None:
    assert merged([trouble(10, 5), trouble(30, 20), trouble(25, 15)]) == [trouble(30, 15), trouble(10, 5)]
    assert merged([trouble(30), trouble(20, 10)]) == [trouble(30)]
    assert merged([trouble(300), trouble(30), trouble(20, 10)]) == [trouble(300), trouble(30)]
    # One after the other, each soon after the one before.
    assert merged([trouble(150), trouble(100), trouble(50)]) == [trouble(150)]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (845, "14 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (93_600, "1 d 2 h"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span(seconds) == words
