"""Whether one paid look may go out: the whole table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.checks.spending.deciding import Answer, Places, Purse, admit_one

YES, WAIT, NO = Answer.ADMITTED, Answer.PUT_OFF, Answer.SPENT


def purse(cap: str | None, spent: str = "0", reserved: str = "0") -> Purse:
    return Purse(None if cap is None else Decimal(cap), Decimal(spent), Decimal(reserved))


@pytest.mark.parametrize(
    ("own", "total", "amount", "priced", "free", "expected"),
    [
        (purse(None), purse(None), "1", True, 1, YES),
        (purse("5"), purse(None), "1", True, 1, YES),
        (purse("5", "4"), purse(None), "1", True, 1, YES),  # to the cent
        (purse("5", "4.5"), purse(None), "1", True, 1, NO),
        (purse("5", "5"), purse(None), "1", True, 1, NO),
        (purse("5", "6"), purse(None), "1", True, 1, NO),  # the cap was lowered below what was spent
        (purse("0"), purse(None), "1", True, 1, NO),
        (purse("5", "3", "1.5"), purse(None), "1", True, 1, WAIT),  # what is out may give some back
        (purse("5", "4.5", "0.5"), purse(None), "1", True, 1, NO),
        (purse(None), purse("5", "4.5"), "1", True, 1, NO),  # the other purse counts as much
        (purse("5", "3", "1.5"), purse("5", "5"), "1", True, 1, NO),
        (purse("50"), purse("5", "0", "5"), "1", True, 1, WAIT),
        (purse(None), purse(None), "1", True, 0, WAIT),
        (purse(None), purse(None), "1", True, -2, WAIT),  # somebody lowered the number of places
        (purse("5", "5"), purse(None), "1", True, 0, NO),  # waiting would not help
        (purse("0"), purse("0"), "0", True, 1, YES),  # a price of nothing needs no money
        (purse("5", "6"), purse("5", "6"), "0", True, 1, YES),
        (purse("0"), purse(None), "0", True, 0, WAIT),  # but a place
        (purse("5", "4.99"), purse(None), "0", False, 1, YES),  # no price known: counts as nothing
        (purse("5", "5"), purse(None), "0", False, 1, NO),  # and stops with the others
        (purse("0"), purse(None), "0", False, 1, NO),
        (purse(None), purse("0"), "0", False, 1, NO),
    ],
)
def test_a_look_needs_money_in_both_purses_and_a_place(
    own: Purse, total: Purse, amount: str, priced: bool, free: int, expected: Answer
) -> None:
    before = (own.reserved, total.reserved)
    places = Places(free)
    assert admit_one(Decimal(amount), is_priced=priced, purses=[own, total], places=places) is expected
    taken = Decimal(amount) if expected is YES else Decimal(0)
    assert (own.reserved - before[0], total.reserved - before[1]) == (taken, taken)
    assert places.free == free - (expected is YES)


def test_many_looks_share_what_there_is() -> None:
    own, total, places = purse("1"), purse("0.5"), Places(10)
    answers = [admit_one(Decimal("0.2"), is_priced=True, purses=[own, total], places=places) for _ in range(4)]
    assert answers == [YES, YES, WAIT, WAIT]
    assert (own.reserved, total.reserved, places.free) == (Decimal("0.4"), Decimal("0.4"), 8)
