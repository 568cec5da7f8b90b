"""What a provider has beside what every target has: what may stand in each field, and writing what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog import signals
from apps.catalog.budgets import check_cap, set_cap
from apps.catalog.fields import CONTROL, check_api_key, check_base_url, check_page_url, server_of
from apps.catalog.models import Provider
from apps.catalog.refusals import forget_refusal
from apps.core.registry import UnknownEntry
from apps.core.secrets import seal
from apps.probes.ai.dialect import AI_DIALECTS

FIELDS = (
    "dialect",
    "base_url",
    "api_key",
    "verify_tls",
    "paid_at_once",
    "status_page_url",
    "status_components",
    "monthly_cap",
)
MAX_COMPONENTS = 50
_LONGEST_COMPONENT = 200
# What a list that was refused says nothing of any more.
_HOW_IT_IS_ASKED = frozenset({"dialect", "base_url", "api_key", "verify_tls"})
# Those that are columns and hold what was given.
_COLUMNS = ("dialect", "base_url", "verify_tls", "paid_at_once", "status_page_url", "status_components")


def rules_of(values: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    """A rule for each field that is given; each raises ValidationError."""
    rules: dict[str, Callable[[Any], object]] = {
        "dialect": _check_dialect,
        "base_url": check_base_url,
        "api_key": check_api_key,
        "paid_at_once": _check_paid_at_once,
        "status_page_url": check_page_url,
        "status_components": _check_components,
        "monthly_cap": check_cap,
    }
    return {name: _bound(rule, values[name]) for name, rule in rules.items() if name in values}


def _bound(rule: Callable[[Any], object], value: Any) -> Callable[[], object]:
    return lambda: rule(value)


def _check_dialect(name: str) -> None:
    try:
        AI_DIALECTS.get(name)
    except UnknownEntry:
        known = ", ".join(AI_DIALECTS.names())
        raise ValidationError(
            _("There is no dialect called “%(name)s”. Known: %(known)s.") % {"name": name, "known": known}
        ) from None


def _check_paid_at_once(number: Any) -> None:
    Provider.paid_at_once.field.clean(number, None)


def _check_components(names: Iterable[str]) -> None:
    found = list(names)
    if len(found) > MAX_COMPONENTS:
        raise ValidationError(_("At most %(limit)s components.") % {"limit": MAX_COMPONENTS})
    if any(not name.strip() or len(name) > _LONGEST_COMPONENT or CONTROL.search(name) for name in found):
        raise ValidationError(_("Give each component's name as the status page shows it, at most 200 characters."))


# --- Where it is asked ----------------------------------------------------------------------------------------


def default_address(dialect: str) -> str:
    """Where the API of a dialect is when nobody says; empty when somebody has to."""
    return AI_DIALECTS.get(dialect).default_base_url if dialect in AI_DIALECTS else ""


def resolve_address(values: Mapping[str, Any], provider: Provider | None = None) -> dict[str, Any]:
    """The values with the base URL they come to: no URL means the dialect's own, and that follows the dialect."""
    if "base_url" not in values and "dialect" not in values:
        return dict(values)
    stored = provider.base_url if provider is not None else ""
    dialect = values.get("dialect", provider.dialect if provider is not None else "")
    url = values.get("base_url")
    if url is None:
        own = default_address(provider.dialect) if provider is not None else ""
        url = "" if stored in ("", own) else stored
    return {**values, "base_url": url.strip() or default_address(dialect)}


def check_key_stays(provider: Provider, values: Mapping[str, Any]) -> None:
    """A stored key goes to the server it was given for and to no other: a new address takes the key again."""
    if not provider.sealed_api_key or "api_key" in values or "base_url" not in values:
        return
    if server_of(values["base_url"]) != server_of(provider.base_url):
        raise ValidationError(_("The address leads to another server: enter the key for it, or leave it empty."))


# --- Writing --------------------------------------------------------------------------------------------------


def cap_of(provider: Provider) -> Decimal | None:
    """The provider's monthly cap; None when it has none. Reads `provider.budget`."""
    try:
        return provider.budget.monthly_cap
    except ObjectDoesNotExist:
        return None


def write(
    *, actor: User | None, provider: Provider, values: Mapping[str, Any], is_new: bool = False
) -> dict[str, list[Any]]:
    """Store what differs, and tell who lies above. Returns [before, after] by field, as an audit keeps them.

    Runs in the caller's transaction. Of a new provider every field is news.
    """
    given = {name: values[name] for name in _COLUMNS if name in values}
    if "status_components" in given:
        given["status_components"] = list(dict.fromkeys(name.strip() for name in given["status_components"]))
    changes = {name: [getattr(provider, name), value] for name, value in given.items()}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    for name, (_before, after) in changes.items():
        setattr(provider, name, after)
    columns = list(changes)
    if "api_key" in values and (values["api_key"] or provider.sealed_api_key):
        provider.sealed_api_key = seal(values["api_key"])
        columns.append("sealed_api_key")
        changes["api_key"] = ["••••••", "••••••"]
    if _HOW_IT_IS_ASKED & changes.keys():
        columns += forget_refusal(provider)
    if columns:
        provider.save(update_fields=columns)
    # A cap is audited and told where it is set.
    if "monthly_cap" in values and not (is_new and values["monthly_cap"] is None):
        set_cap(actor=actor, provider=provider, monthly_cap=values["monthly_cap"])
    if changes or is_new:
        tell(provider, FIELDS if is_new else changes, actor)
    return changes


def tell(provider: Provider, fields: Iterable[str], actor: User | None) -> None:
    """Say what is new or changed of a provider, in the transaction that changed it."""
    signals.provider_changed.send(sender=Provider, provider=provider, fields=frozenset(fields), actor=actor)
