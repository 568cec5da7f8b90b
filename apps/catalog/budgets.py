"""Caps: the most that paid looks may cost in a month, of one provider or of all together."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.accounts.services import record_audit
from apps.catalog import signals
from apps.catalog.models import Budget, Provider
from apps.core import cache
from apps.core.news import announce

# What the column holds: twelve digits, four of them cents of cents.
LARGEST_CAP = Decimal("99999999.9999")
_PLACES = Decimal("0.0001")


@transaction.atomic
def set_cap(*, actor: User | None, provider: Provider | None, monthly_cap: Decimal | None) -> Budget:
    """The most that paid looks may cost a calendar month (UTC), in US dollars; None: as much as they cost.

    Of one provider, or of all together (no provider). A cap below what was spent already holds at once: no paid look
    goes out until the month or the cap changes. Raises ValidationError on `monthly_cap`.
    """
    cap = check_cap(monthly_cap)
    budget, made = Budget.objects.select_for_update(of=("self",)).get_or_create(
        provider=provider, defaults={"monthly_cap": cap}
    )
    before = None if made else budget.monthly_cap
    if before == cap:
        return budget
    budget.monthly_cap = cap
    budget.save(update_fields=["monthly_cap", "updated_at"])
    record_audit(actor=actor, action="update", subject=budget, changes={"monthly_cap": [_text(before), _text(cap)]})
    _tell(actor, provider)
    return budget


def check_cap(cap: Any) -> Decimal | None:
    """The cap as it is stored. Raises ValidationError on `monthly_cap`. Zero is a cap: nothing paid at all."""
    if cap is None:
        return None
    try:
        amount = Decimal(str(cap))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValidationError({"monthly_cap": [_("Enter an amount in US dollars, such as 25 or 7.50.")]})
    if amount < 0:
        raise ValidationError(
            {"monthly_cap": [_("A cap cannot be negative. Enter 0 to stop everything that is paid for.")]}
        )
    if amount > LARGEST_CAP:
        raise ValidationError({"monthly_cap": [_("Enter at most %(most)s.") % {"most": f"{LARGEST_CAP:,}"}]})
    if amount != amount.quantize(_PLACES):
        raise ValidationError({"monthly_cap": [_("Enter at most four digits after the point.")]})
    return amount.quantize(_PLACES)


def _text(cap: Decimal | None) -> str | None:
    return None if cap is None else f"{cap.normalize():f}"


def _tell(actor: User | None, provider: Provider | None) -> None:
    cache.bump("targets")
    if provider is None:
        signals.total_cap_changed.send(sender=Budget, actor=actor)
        announce("target.changed", [], None)
        return
    signals.provider_changed.send(sender=Provider, provider=provider, fields=frozenset({"monthly_cap"}), actor=actor)
    announce("target.changed", [provider.pk], provider.target.environment_id)
