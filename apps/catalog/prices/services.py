"""Writing prices: each step is one transaction with its audit entry. An edit of a price that came with the portal makes
it one's own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog.fields import CONTROL
from apps.catalog.models import Price
from apps.catalog.prices.matching import ANY
from apps.core import cache, clock
from apps.core.money import dollars
from apps.probes.ai.dialect import AI_DIALECTS

EDITABLE = (
    "provider",
    "dialect",
    "model",
    "input_per_million",
    "output_per_million",
    "cached_per_million",
    "valid_from",
    "note",
)
# A hundred times what the dearest model costs: more was meant for another unit.
LARGEST_PRICE = Decimal(100_000)
_AMOUNTS = ("input_per_million", "output_per_million", "cached_per_million")


@transaction.atomic
def create_price(*, actor: User | None, **fields: Any) -> Price:
    """Make a price; without `valid_from` it holds from today (UTC) on. Raises ValidationError by field."""
    price = Price(**{"valid_from": clock.now().date(), **_given(fields)})
    _validate(price)
    price.save(force_insert=True)
    record_audit(actor=actor, action="create", subject=price)
    cache.bump("targets")
    return price


@transaction.atomic
def update_price(*, actor: User | None, price: Price, **fields: Any) -> Price:
    """Change a price. Looks that were settled keep what they cost. Raises ValidationError by field."""
    row = Price.objects.select_for_update(of=("self",)).select_related("provider__target").get(pk=price.pk)
    before = _values(row)
    for name, value in _given(fields).items():
        setattr(row, name, value)
    _validate(row)
    after = _values(row)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if changes:
        row.seeded = False
        row.save(update_fields=[*EDITABLE, "seeded", "updated_at"])
        record_audit(actor=actor, action="update", subject=row, changes=changes)
        cache.bump("targets")
    return row


@transaction.atomic
def delete_price(*, actor: User | None, price: Price) -> None:
    """Remove a price: the one before it, or a less specific one, holds again."""
    record_audit(actor=actor, action="delete", subject=price)
    price.delete()
    cache.bump("targets")


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if name in EDITABLE}
    for name in ("dialect", "model", "note"):
        if isinstance(given.get(name), str):
            given[name] = given[name].strip()
    return given


def _values(price: Price) -> dict[str, Any]:
    values = {name: getattr(price, name) for name in EDITABLE if name != "provider"}
    return values | {"provider": str(price.provider_id) if price.provider_id else None}


def _validate(price: Price) -> None:
    """Every error at once, by field; nothing was written before."""
    errors: dict[str, list[str]] = {}
    for name, sentence in (*_owner_errors(price), *_model_errors(price), *_amount_errors(price)):
        errors.setdefault(name, []).append(sentence)
    try:
        price.clean_fields(exclude=set(errors) | {"provider"})
    except ValidationError as error:
        errors.update(error.message_dict)
    if not errors:
        _refuse_second_on_a_day(price, errors)
    if errors:
        raise ValidationError(errors)


def _owner_errors(price: Price) -> list[tuple[str, str]]:
    """A price is a provider's or a dialect's."""
    if price.provider_id is not None and price.dialect:
        return [("dialect", _("Name a provider or a dialect, not both."))]
    if price.provider_id is None and not price.dialect:
        return [("dialect", _("Name the provider or the dialect whose price this is."))]
    if price.dialect and price.dialect not in AI_DIALECTS:
        known = ", ".join(AI_DIALECTS.names())
        sentence = _("There is no dialect called “%(name)s”. Known: %(known)s.")
        return [("dialect", sentence % {"name": price.dialect[:50], "known": known})]
    return []


def _model_errors(price: Price) -> list[tuple[str, str]]:
    if CONTROL.search(price.model):
        return [("model", _("The name holds a line break or a control character; leave it out."))]
    if ANY in price.model.removesuffix(ANY):
        return [("model", _("A “*” stands at the end only, for every model whose id begins so."))]
    return []


def _amount_errors(price: Price) -> list[tuple[str, str]]:
    """Zero is a price: what runs on one's own machine costs nothing."""
    found: list[tuple[str, str]] = []
    for name in _AMOUNTS:
        amount = getattr(price, name)
        if not isinstance(amount, Decimal | int | float):
            continue
        if amount < 0:
            found.append((name, _("A price cannot be negative. Enter 0 for what costs nothing.")))
        elif amount > LARGEST_PRICE:
            sentence = _("No model costs more than %(most)s a million tokens: enter what a million tokens cost.")
            found.append((name, sentence % {"most": dollars(LARGEST_PRICE)}))
    return found


def _refuse_second_on_a_day(price: Price, errors: dict[str, list[str]]) -> None:
    try:
        price.validate_constraints()
    except ValidationError as error:
        errors["valid_from"] = error.messages
