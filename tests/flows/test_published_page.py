"""The page about errors says what was seen with published servers, row by row: no more and no less than the stories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.published_faults import PING, STREAM, TRANSPORT, WELL, Fault, Seen
from tests.flows.published_refusals import OWNERS, Refusal
from tests.litellm.faults import BEHIND, GATEWAY, seen_in_front

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ai" / "errors.md"
_NOT_ASKED, _THE_SAME = "", "the same"


def said(seen: Seen | None) -> str:
    if seen is None:
        return _NOT_ASKED
    return "ok" if seen == WELL else f"`{seen.error_class}`, {seen.fault}"


def in_front(fault: Fault) -> str:
    """What it is behind LiteLLM, where it is put there."""
    if fault not in BEHIND:
        return _NOT_ASKED
    told = seen_in_front(fault)
    differs = [f"{kind}: {said(told[kind])}" for kind in told if told[kind] != fault.seen[kind]]
    return "; ".join(differs) or _THE_SAME


def told_to_do() -> Iterator[str]:
    for fault in TRANSPORT:
        cells = (fault.words, said(fault.seen.get(PING)), said(fault.seen.get(STREAM)), in_front(fault))
        yield f"| {' | '.join(cells)} |"


def repeated() -> Iterator[str]:
    classes = dict.fromkeys(row.seen for _dialects, rows in OWNERS.values() for row in rows)
    for seen in classes:
        cells = ["; ".join(words(row, rows) for row in rows if row.seen == seen) for _dialects, rows in OWNERS.values()]
        yield f"| {said(seen)} | {' | '.join(cells)} |"


def words(row: Refusal, rows: tuple[Refusal, ...]) -> str:
    """Its code, and where the provider has the same for something else its message."""
    is_told_apart = len({other.seen for other in rows if other.words == row.words}) == 1
    return row.words if is_told_apart else f"{row.words} “{row.message}”"


def of_its_own() -> Iterator[str]:
    for fault in GATEWAY:
        yield f"| {fault.words} | {said(fault.seen[PING])} |"


@pytest.mark.parametrize("rows", [told_to_do, repeated, of_its_own])
def test_every_row_that_was_seen_stands_on_the_page(rows: object) -> None:
    assert callable(rows)
    lines = PAGE.read_text().splitlines()
    assert [row for row in rows() if row not in lines] == []
