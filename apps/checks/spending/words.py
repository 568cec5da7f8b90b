"""What is said of a budget, in the active language."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.checks.spending.selectors import BudgetState
from apps.core.money import dollars

WORDS: dict[str, Any] = {
    "none": gettext_lazy("No cap"),
    "ok": gettext_lazy("Within the cap"),
    "warned": gettext_lazy("Nearly spent"),
    "spent": gettext_lazy("Spent: paid looks stopped"),
}
_OFF = gettext_lazy("Paid looks are off")


def word_of(budget: BudgetState) -> Any:
    """How far a budget has come, in a few words. A cap of nothing is a switch, and was not reached by spending."""
    return _OFF if budget.monthly_cap == 0 else WORDS[budget.state]


def warnings_of(budget: BudgetState) -> list[str]:
    """What whoever saved the cap should know."""
    found: list[str] = []
    if budget.monthly_cap == 0:
        found.append(_("Paid looks are off: the cap is 0. Looks at a price of 0 and free rungs go on."))
    elif budget.state == "spent":
        values = {"spent": dollars(budget.spent), "cap": dollars(budget.monthly_cap)}
        found.append(
            _(
                "%(spent)s is spent already, and the cap is %(cap)s: paid looks stop at once, until the month or the"
                " cap changes. Free rungs go on."
            )
            % values
        )
    if budget.monthly_cap is not None and budget.unpriced_models:
        found.append(_unpriced(budget.unpriced_models))
    return found


def _unpriced(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    sentence = ngettext(
        "No price is known of %(number)s model, so its looks count as 0: %(names)s.",
        "No price is known of %(number)s models, so their looks count as 0: %(names)s.",
        len(names),
    )
    return sentence % {"number": len(names), "names": shown}
