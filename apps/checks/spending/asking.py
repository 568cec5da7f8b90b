"""What a paid look asks for: whose money, and how much at most at the price of today."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import structlog

from apps.catalog.prices.lookup import Priced, rates_for
from apps.checks.spending.ladder import ENDPOINT, most_usage
from apps.checks.spending.ledger import Key
from apps.core import kindconfig, statements
from apps.core.kindconfig import ConfigError
from apps.core.secrets import SecretUnreadable, is_sealed, unseal
from apps.probes.ai.usage import Usage, cost_of
from apps.probes.base import PROBE_KINDS

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Wanted:
    """One look before it goes out. `config` is its JSON, as it is stored."""

    key: Key
    kind: str
    config: str
    timeout_seconds: float


@dataclass(frozen=True)
class Payer:
    """Whose look it is: a target with its provider, and as which model that one knows it (empty: the provider)."""

    target_id: UUID
    provider_id: UUID
    provider_name: str
    priced: Priced
    paid_at_once: int


@dataclass(frozen=True)
class Asked:
    """A look and what it may cost at most, in US dollars. Without a known price it counts as nothing."""

    wanted: Wanted
    payer: Payer
    amount: Decimal
    is_priced: bool


def is_paid(kind: str) -> bool:
    """Whether looks of a kind cost money; one that there is none of any more does not."""
    return kind in PROBE_KINDS and PROBE_KINDS.get(kind).is_paid


_COLUMNS = """
    t.id, p.target_id, o.name, p.dialect, p.base_url, CASE WHEN m.target_id IS NULL THEN '' ELSE t.name END,
    p.paid_at_once
    FROM catalog_target t
    LEFT JOIN catalog_aimodel m ON m.target_id = t.id
    JOIN catalog_provider p ON p.target_id = coalesce(m.provider_id, t.id)
    JOIN catalog_target o ON o.id = p.target_id
"""
# Constant text, put together from constant text.
_OF_CHECKS = f"SELECT c.id, {_COLUMNS} JOIN checks_check c ON c.target_id = t.id WHERE c.id = ANY(%s)"
_OF_TARGETS = f"SELECT t.id, {_COLUMNS} WHERE t.id = ANY(%s)"


def payers_of_checks(check_ids: Collection[UUID]) -> dict[UUID, Payer]:
    """Who pays for each check; absent: nobody's provider is asked. One statement."""
    return {row[0]: _payer(row[1:]) for row in statements.run(_OF_CHECKS, [list(check_ids)])}


def payers_of_targets(target_ids: Collection[UUID]) -> dict[UUID, Payer]:
    """The same by target. One statement."""
    return {row[0]: _payer(row[1:]) for row in statements.run(_OF_TARGETS, [list(target_ids)])}


def _payer(row: tuple[object, ...]) -> Payer:
    target, provider, name, dialect, base_url, model, at_once = row
    return Payer(target, provider, name, Priced(provider, dialect, base_url, model), at_once)  # type: ignore[arg-type]


def price(pairs: Iterable[tuple[Wanted, Payer]], on: date) -> list[Asked]:
    """What each may cost at most at the prices of a day, in order. One query."""
    looks = list(pairs)
    rates = rates_for({payer.priced for _wanted, payer in looks}, on)
    found: list[Asked] = []
    for wanted, payer in looks:
        rate = rates.get((payer.provider_id, payer.priced.model))
        usage = _most_usage(wanted.kind, wanted.config, payer.priced)
        amount = cost_of(usage, rate) if rate is not None and usage is not None else Decimal(0)
        found.append(Asked(wanted, payer, amount, is_priced=rate is not None and usage is not None))
    return found


@lru_cache(maxsize=4_096)
def _most_usage(kind: str, config: str, asked: Priced) -> Usage | None:
    """None for a config that its kind does not read any more: dispatch says what is wrong with it."""
    try:
        # What is sealed is longer than what is sent, and may be longer than what may be entered.
        entered = kindconfig.unseal(PROBE_KINDS.get(kind).Config, json.loads(config), _opened)
        model = entered.get("model") or asked.model
        endpoint = {"dialect": asked.dialect, "base_url": asked.base_url, "model": model}
        return most_usage(kind, {**entered, ENDPOINT: endpoint})
    except (ConfigError, SecretUnreadable) as error:
        logger.warning("paid_look_without_a_measure", kind=kind, error=str(error))
        return None


def _opened(text: str) -> str:
    """A secret as it is sent; one that was entered just now is not sealed yet."""
    return unseal(text) if is_sealed(text) else text
