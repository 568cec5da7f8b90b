"""Which claimed looks may go out: free ones always, paid ones with money and a place at the provider for them.

price what is asked ─ lock the accounts ─ decide in the order of moments ─ set aside ─ commit
     └── no place yet: due again in a few seconds        └── no money: unknown / budget_spent, next time on its grid
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import formats
from django.utils.translation import gettext as _

from apps.catalog.models import Target
from apps.checks import schedule
from apps.checks.schedule import Claim
from apps.checks.spending import asking, ledger, refusing
from apps.checks.spending.asking import Asked, Wanted, is_paid
from apps.checks.spending.deciding import Answer, Places, Purse, admit_one
from apps.checks.spending.ledger import Account, AccountKey, Entry, Key
from apps.checks.spending.standing import Standing, load_standings, stops_first
from apps.core import clock
from apps.core.ids import uuid7

# A look that was not heard of for its timeout twice, its way there and back, and the wait for its being recorded,
# is not heard of any more; until then it keeps its place at the provider.
_WAY_SECONDS = schedule.LEASE_MARGIN_SECONDS + schedule.AHEAD_SECONDS + 20


class NotAdmitted(ValidationError):
    """A paid look somebody asked for cannot go out now; the message says why and what to do."""


class BudgetSpent(NotAdmitted):
    """There is no money for it this month."""


def admit(region: UUID, claims: Sequence[Claim]) -> list[Claim]:
    """Those of `claims` that may go out now, their money set aside; the others are put off or told why not.

    Where nothing costs money nothing is asked. Else a fixed number of statements whatever the number of claims.
    """
    paid = {claim.check_id: claim for claim in claims if is_paid(claim.kind)}
    if not paid:
        return list(claims)
    payers = asking.payers_of_checks(list(paid))
    looks = [
        (Wanted((claim.check_id, region, claim.generation), claim.kind, claim.config, claim.timeout_seconds), payer)
        for claim in sorted(paid.values(), key=lambda claim: claim.due_at)
        if (payer := payers.get(claim.check_id)) is not None
    ]
    answers = _decide(looks)
    spent = [paid[key[0]] for key, answer in answers.items() if answer is Answer.SPENT]
    waiting = [paid[key[0]] for key, answer in answers.items() if answer is Answer.PUT_OFF]
    # After the accounts are free again: whoever records holds statuses while it waits for accounts.
    if waiting:
        refusing.put_off(region, waiting)
    if spent:
        refusing.refuse(region, spent, _month())
    held_back = {claim.check_id for claim in (*spent, *waiting)}
    return [claim for claim in claims if claim.check_id not in held_back]


def admit_now(
    *,
    target: Target,
    kind: str,
    config: Mapping[str, Any],
    timeout_seconds: float,
    key: Key | None = None,
) -> Key | None:
    """Set money aside for one look that somebody asked for; `config` as it is stored or entered.

    Returns the key to settle it under (`key`, else one of its own); None: it costs nothing. Raises NotAdmitted with a
    sentence for whoever asked.
    """
    if not is_paid(kind):
        return None
    payer = asking.payers_of_targets([target.pk]).get(target.pk)
    if payer is None:
        return None
    key = key or (uuid7(), uuid7(), generation_of_its_own())
    wanted = Wanted(key, kind, json.dumps(config, sort_keys=True, default=str), timeout_seconds)
    answer = _decide([(wanted, payer)])[key]
    if answer is Answer.SPENT:
        raise BudgetSpent(_spent_sentence(payer))
    if answer is Answer.PUT_OFF:
        raise NotAdmitted(
            _("As many paid looks as may be are under way at %(provider)s. Try again in a few seconds.")
            % {"provider": payer.provider_name}
        )
    return key


def generation_of_its_own() -> int:
    """For a look outside the schedule: no claim ever has a negative one."""
    return -1 - secrets.randbits(62)


@transaction.atomic
def _decide(looks: Sequence[tuple[Wanted, asking.Payer]]) -> dict[Key, Answer]:
    """An answer for each look, in order; of those admitted the money is set aside."""
    if not looks:
        return {}
    today = clock.now().date()
    month = ledger.month_of(today)
    asked = asking.price(looks, today)
    providers = sorted({one.payer.provider_id for one in asked})
    ledger.open_accounts(providers, month)
    accounts = ledger.lock_accounts(providers, [month])
    purses = _purses(accounts)
    under_way = ledger.count_under_way(providers)
    places = {
        one.payer.provider_id: Places(one.payer.paid_at_once - under_way.get(one.payer.provider_id, 0)) for one in asked
    }
    answers: dict[Key, Answer] = {}
    aside: dict[Entry, float] = {}
    for one in asked:
        provider = one.payer.provider_id
        answer = admit_one(
            one.amount,
            is_priced=one.is_priced,
            purses=[purses[provider, month], purses[None, month]],
            places=places[provider],
        )
        answers[one.wanted.key] = answer
        if answer is Answer.ADMITTED:
            aside[_entry(one, month)] = 2 * one.wanted.timeout_seconds + _WAY_SECONDS
    if aside:
        ledger.set_aside(aside, accounts)
    return answers


def _purses(accounts: Mapping[AccountKey, Account]) -> dict[AccountKey, Purse]:
    return {key: Purse(account.cap, account.spent, account.reserved) for key, account in accounts.items()}


def _entry(one: Asked, month: date) -> Entry:
    return Entry(one.wanted.key, one.payer.target_id, one.payer.provider_id, month, one.amount)


def _month() -> date:
    return ledger.month_of(clock.now().date())


def _spent_sentence(payer: asking.Payer) -> str:
    standings = load_standings(_month())
    names = {
        "month": formats.date_format(_month(), "YEAR_MONTH_FORMAT"),
        "provider": payer.provider_name,
    }
    if stops_first(standings.get(payer.provider_id, Standing()), standings[None]):
        return (
            _(
                "The budget of %(provider)s for %(month)s has no money left for this paid look. Raise its cap in the"
                " settings under Budgets, or wait for the next month."
            )
            % names
        )
    return (
        _(
            "The budget of all providers together for %(month)s has no money left for a paid look at %(provider)s."
            " Raise the total cap in the settings under Budgets, or wait for the next month."
        )
        % names
    )
