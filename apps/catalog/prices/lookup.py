"""What models cost on a day, for any number of them in one query."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q

from apps.catalog.models import Price, Provider
from apps.catalog.prices.matching import PriceLine, find_rate
from apps.core.registry import UnknownEntry
from apps.probes.ai.dialect import AI_DIALECTS
from apps.probes.ai.usage import Rate

# Speaks the words of another, at any address.
_COMPATIBLE = "openai_compatible"


@dataclass(frozen=True)
class Priced:
    """One model of one provider, as far as prices are concerned."""

    provider_id: UUID
    dialect: str
    base_url: str
    model: str


def rates_of(pairs: Collection[tuple[Provider, str]], on: date) -> dict[tuple[UUID, str], Rate]:
    """The rate of each (provider, model id) on a day, by (provider id, model id). Absent: no price known. One query."""
    return rates_for({Priced(provider.pk, provider.dialect, provider.base_url, model) for provider, model in pairs}, on)


def rates_for(wanted: Collection[Priced], on: date) -> dict[tuple[UUID, str], Rate]:
    """The same for those who hold no provider, but what matters of it. One query; none when nothing is asked."""
    if not wanted:
        return {}
    dialects = {one: dialects_of(one.dialect, one.base_url) for one in wanted}
    spoken = {dialect for names in dialects.values() for dialect in names}
    lines = _lines({one.provider_id for one in wanted}, spoken, on)
    found: dict[tuple[UUID, str], Rate] = {}
    for one in wanted:
        rate = find_rate(lines, one.provider_id, dialects[one], one.model, on)
        if rate is not None:
            found[one.provider_id, one.model] = rate
    return found


def _lines(providers: Iterable[UUID], dialects: Iterable[str], on: date) -> list[PriceLine]:
    rows = Price.objects.filter(
        Q(provider__in=list(providers)) | Q(provider__isnull=True, dialect__in=list(dialects)), valid_from__lte=on
    )
    return [
        PriceLine(
            row.provider_id,
            row.dialect,
            row.model,
            row.valid_from,
            Rate(
                input_per_million=row.input_per_million,
                output_per_million=row.output_per_million,
                cached_per_million=row.cached_per_million,
            ),
        )
        for row in rows
    ]


def dialects_of(dialect: str, base_url: str) -> tuple[str, ...]:
    """Whose price lists count for a provider: its own dialect's.

    One that was entered as compatible, yet leads to the very server of a vendor whose dialect we know, pays what that
    vendor asks: it must not pass for free.
    """
    if dialect != _COMPATIBLE or not base_url:
        return (dialect,)
    try:
        host = (urlsplit(base_url).hostname or "").lower()
    except ValueError:
        return (dialect,)
    vendor = _vendors().get(host)
    return (dialect, vendor) if vendor else (dialect,)


@lru_cache(maxsize=1)
def _vendors() -> dict[str, str]:
    """The dialect by its vendor's own host. What needs no key is nobody's in particular: at the same address of one's
    own machine there may as well be a gateway that spends real money."""
    found: dict[str, str] = {}
    for name in AI_DIALECTS.names():
        try:
            dialect = AI_DIALECTS.get(name)
            host = urlsplit(dialect.default_base_url).hostname if dialect.needs_key else ""
        except (UnknownEntry, ValueError):
            continue
        if host and name != _COMPATIBLE:
            found.setdefault(host.lower(), name)
    return found
