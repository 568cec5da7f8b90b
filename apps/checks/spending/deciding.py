"""Whether one paid look may go out now: is there money for it, and a place at its provider? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Answer(StrEnum):
    """`put_off`: there will be room as soon as others are done. `spent`: not before the month or the cap changes."""

    ADMITTED = "admitted"
    PUT_OFF = "put_off"
    SPENT = "spent"


@dataclass
class Purse:
    """The account of one budget in one month, in US dollars. No cap: as much as looks cost."""

    cap: Decimal | None
    spent: Decimal
    reserved: Decimal

    def answer(self, amount: Decimal, *, is_priced: bool) -> Answer:
        """Whether it has `amount`. What has no known price counts as nothing, but stops where money has run out."""
        if self.cap is None or (is_priced and not amount):
            return Answer.ADMITTED
        if not is_priced:
            return Answer.SPENT if self.spent >= self.cap else Answer.ADMITTED
        if self.spent + amount > self.cap:
            return Answer.SPENT
        # What is set aside for looks under way is the most they can cost; most cost less, and give the rest back.
        return Answer.PUT_OFF if self.spent + self.reserved + amount > self.cap else Answer.ADMITTED


@dataclass
class Places:
    """How many more paid looks may be under way at one provider."""

    free: int


def admit_one(amount: Decimal, *, is_priced: bool, purses: Sequence[Purse], places: Places) -> Answer:
    """The answer for one look; when it is admitted its money and its place are taken here."""
    answers = {purse.answer(amount, is_priced=is_priced) for purse in purses}
    if Answer.SPENT in answers:
        return Answer.SPENT
    if Answer.PUT_OFF in answers or places.free <= 0:
        return Answer.PUT_OFF
    for purse in purses:
        purse.reserved += amount
    places.free -= 1
    return Answer.ADMITTED
