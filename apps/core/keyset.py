"""Cursor pages over any queryset: "what follows this row", so that page 400 costs what page 1 costs, and rows that
arrive meanwhile move nothing."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import F, Q

Row = TypeVar("Row", bound=models.Model)

_LONGEST_CURSOR = 2_000


@dataclass(frozen=True)
class Column:
    """One column of the order: a field or an annotation that is never NULL. The last column must be unique."""

    name: str
    parse: Callable[[str], Any] = str
    descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in order, and the cursors of the pages beside this one ("" where there is none)."""

    rows: list[Row]
    next: str = ""
    previous: str = ""


def page_of(rows: models.QuerySet[Row], columns: Sequence[Column], cursor: str, limit: int) -> Page[Row]:
    """At most `limit` rows from `cursor` on ("" or one that cannot be read: from the first). One query."""
    position = _read(cursor, columns)
    backwards = position is not None and position.backwards
    if position is not None:
        rows = rows.filter(_beyond(columns, position))
    found = list(rows.order_by(*_order(columns, backwards))[: limit + 1])
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    has_next, has_previous = (bool(found), more) if backwards else (more, position is not None and bool(found))
    return Page(
        rows=found,
        next=_cursor(found[-1], columns, backwards=False) if has_next else "",
        previous=_cursor(found[0], columns, backwards=True) if has_previous else "",
    )


@dataclass(frozen=True)
class _Position:
    backwards: bool
    values: list[Any]


def _read(cursor: str, columns: Sequence[Column]) -> _Position | None:
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        return None
    try:
        backwards, texts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if len(texts) != len(columns):
            return None
        values = [column.parse(str(text)) for column, text in zip(columns, texts, strict=True)]
    except (binascii.Error, ValueError, TypeError, OverflowError):
        return None
    # PostgreSQL refuses a NUL in a text.
    return (
        None
        if any("\x00" in value for value in values if isinstance(value, str))
        else _Position(bool(backwards), values)
    )


def _cursor(row: models.Model, columns: Sequence[Column], *, backwards: bool) -> str:
    values = [getattr(row, column.name) for column in columns]
    texts = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps([backwards, texts]).encode()).decode()


def _order(columns: Sequence[Column], backwards: bool) -> list[Any]:
    return [F(column.name).desc() if column.descending != backwards else F(column.name).asc() for column in columns]


def _beyond(columns: Sequence[Column], position: _Position) -> Q:
    """Rows after the position: an earlier column decides, a later one only where all before it are equal."""
    branches: list[Q] = []
    equal = Q()
    for column, value in zip(columns, position.values, strict=True):
        sign = "lt" if column.descending != position.backwards else "gt"
        branches.append(equal & Q(**{f"{column.name}__{sign}": value}))
        equal &= Q(**{column.name: value})
    return reduce(or_, branches)
