"""What watching some models costs a month, by model and rung, before anything is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.catalog.models import Provider, Region, TargetKind
from apps.catalog.prices.lookup import rates_of
from apps.catalog.selectors import Viewer
from apps.checks.ai.climbing import Rung, config_of, priced_config
from apps.checks.ai.model_sorts import ModelSort, sort_of
from apps.checks.models import Check
from apps.checks.spending.ladder import monthly_cost
from apps.checks.spending.selectors import BudgetState, list_budgets
from apps.core import clock, kindconfig
from apps.core.registry import UnknownEntry
from apps.probes.ai.usage import Rate
from apps.probes.reasons import Text

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Cell:
    """One rung of one model. `most` is US dollars a month, None where no price is known.

    `suits`: there is a question of this rung for such a model. `present`: it has that check already.
    """

    rung: int
    title: Text
    most: Decimal | None
    suits: bool = True
    present: bool = False
    is_paid: bool = False

    @property
    def adds(self) -> bool:
        return self.suits and not self.present

    @property
    def is_unpriced(self) -> bool:
        return self.adds and self.is_paid and self.most is None

    @property
    def is_free(self) -> bool:
        """Asking costs nothing: of any model, or of one whose price is known to be 0."""
        return not self.is_paid or self.most == 0


@dataclass(frozen=True)
class ModelLine:
    """One model: what it is for, its rate, and a cell for each rung that was chosen."""

    name: str
    sort: ModelSort
    rate: Rate | None
    cells: list[Cell]

    @property
    def total(self) -> Decimal:
        return _sum(self.cells)

    @property
    def adds(self) -> bool:
        return any(cell.adds for cell in self.cells)

    @property
    def is_unpriced(self) -> bool:
        return any(cell.is_unpriced for cell in self.cells)

    @property
    def is_free(self) -> bool:
        return _is_free(self.cells)


@dataclass(frozen=True)
class RungLine:
    """One rung for all models that were chosen, whether or not the rung was."""

    rung: Rung
    chosen: bool
    interval_seconds: int
    cells: list[Cell]

    @property
    def total(self) -> Decimal:
        return _sum(self.cells)

    @property
    def checks(self) -> int:
        return sum(cell.adds for cell in self.cells)

    @property
    def unpriced(self) -> int:
        return sum(cell.is_unpriced for cell in self.cells)

    @property
    def is_free(self) -> bool:
        return _is_free(self.cells)


@dataclass(frozen=True)
class LadderPrice:
    """The bill before the order. `present` is what the provider's paid checks cost already; all US dollars a month."""

    models: list[ModelLine]
    rungs: list[RungLine]
    present: Decimal
    regions: int
    budget: BudgetState | None
    budget_of_all: BudgetState | None

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.models), NOTHING)

    @property
    def unpriced(self) -> list[str]:
        return [line.name for line in self.models if line.is_unpriced]

    @property
    def with_present(self) -> Decimal:
        return self.total + self.present

    @property
    def cap(self) -> Decimal | None:
        return self.budget.monthly_cap if self.budget is not None else None

    @property
    def cap_of_all(self) -> Decimal | None:
        return self.budget_of_all.monthly_cap if self.budget_of_all is not None else None

    @property
    def is_paid(self) -> bool:
        """Whether anything that is chosen may cost money, as far as is known or not."""
        return bool(self.total) or bool(self.unpriced)

    @property
    def is_off(self) -> bool:
        """A cap of nothing lets no paid look out, and this asks for some."""
        caps = (self.cap, self.cap_of_all)
        return self.is_paid and any(cap == 0 for cap in caps)

    @property
    def is_above_cap(self) -> bool:
        return self.cap is not None and self.with_present > self.cap

    @property
    def is_above_cap_of_all(self) -> bool:
        return self.cap_of_all is not None and self.with_present > self.cap_of_all


def price_ladder(
    *,
    viewer: Viewer,
    provider: Provider,
    names: Sequence[str],
    rungs: Sequence[Rung],
    chosen: Collection[int],
    intervals: Mapping[int, int],
) -> LadderPrice:
    """What these models would cost at most on each of `rungs`, at the given seconds between looks. Fixed queries.

    It is what looks cost that use all they may, from every region in use.
    """
    regions = Region.objects.filter(enabled=True).count()
    checks = list(_paid_checks(provider))
    there = {(name.lower(), kind) for name, kind in _kinds_there(provider)}
    wanted = {*names, *(check.target.name for check in checks)}
    rates = rates_of([(provider, name) for name in wanted], clock.now().date())
    cells = {
        name: [_cell(provider, name, rung, intervals[rung.number], regions, rates, there) for rung in rungs]
        for name in names
    }
    models = [
        ModelLine(
            name,
            sort_of(name),
            rates.get((provider.pk, name)),
            [cell for cell in cells[name] if cell.rung in chosen],
        )
        for name in names
    ]
    lines = [
        RungLine(rung, rung.number in chosen, intervals[rung.number], [cells[name][position] for name in names])
        for position, rung in enumerate(rungs)
    ]
    budgets = {state.provider.pk if state.provider else None: state for state in list_budgets(viewer, [provider.pk])}
    present = sum((_cost_of(check, provider, regions, rates) for check in checks), NOTHING)
    return LadderPrice(models, lines, present, regions, budgets.get(provider.pk), budgets.get(None))


def _cell(
    provider: Provider,
    name: str,
    rung: Rung,
    interval_seconds: int,
    regions: int,
    rates: Mapping[tuple[UUID, str], Rate],
    there: Collection[tuple[str, str]],
) -> Cell:
    kind = rung.kind_for(sort_of(name))
    if kind is None:
        return Cell(rung.number, rung.title, NOTHING, suits=False)
    if (name.lower(), kind.name) in there:
        return Cell(rung.number, rung.title, NOTHING, present=True, is_paid=kind.is_paid)
    cost = monthly_cost(
        kind=kind.name,
        config=priced_config(config_of(kind, provider, name), provider, name),
        interval_seconds=interval_seconds,
        regions=regions,
        rate=rates.get((provider.pk, name)),
    )
    return Cell(rung.number, rung.title, cost.most, is_paid=kind.is_paid)


def _kinds_there(provider: Provider) -> list[tuple[str, str]]:
    rows = Check.objects.present().filter(target__namespace=provider.pk, target__kind=TargetKind.MODEL)
    return list(rows.values_list("target__name", "kind"))


def _paid_checks(provider: Provider) -> list[Check]:
    """Checks of its models that cost money and are looked at."""
    rows = Check.objects.present().filter(
        target__namespace=provider.pk, target__kind=TargetKind.MODEL, target__enabled=True, enabled=True
    )
    return list(rows.select_related("target"))


def _cost_of(check: Check, provider: Provider, regions: int, rates: Mapping[tuple[UUID, str], Rate]) -> Decimal:
    try:
        cost = monthly_cost(
            kind=check.kind,
            config=priced_config(check.config, provider, check.target.name),
            interval_seconds=check.interval_seconds,
            regions=regions,
            rate=rates.get((provider.pk, check.target.name)),
        )
    except (UnknownEntry, kindconfig.ConfigError):
        # A kind of a newer version, or a config nobody can read any more: it is not looked at either.
        return NOTHING
    return cost.most or NOTHING


def _is_free(cells: Collection[Cell]) -> bool:
    """Whether something is made there, and nothing of it costs anything."""
    made = [cell for cell in cells if cell.adds]
    return bool(made) and all(cell.is_free for cell in made)


def _sum(cells: Collection[Cell]) -> Decimal:
    return sum((cell.most for cell in cells if cell.adds and cell.most is not None), NOTHING)
