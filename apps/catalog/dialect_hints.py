"""What the form of a provider says of its fields for the dialect that is chosen: from the dialect, not by its name."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.catalog.provider_fields import default_address
from apps.probes.ai.dialect import AI_DIALECTS, Dialect


@dataclass(frozen=True)
class Hints:
    """`address` is the dialect's own, `example` what one may look like; `status_page` that of its vendor, if any."""

    address: str
    example: str
    address_help: str
    key_help: str
    needs_key: bool
    status_page: str
    status_components: tuple[str, ...]

    @property
    def data(self) -> dict[str, str]:
        """As attributes of the dialect's choice, for the script that lets the fields follow it."""
        return {
            "data-address": self.address,
            "data-example": self.example,
            "data-address-help": self.address_help,
            "data-key-help": self.key_help,
            "data-needs-key": "yes" if self.needs_key else "",
            "data-status-page": self.status_page,
            "data-status-components": "\n".join(self.status_components),
        }


def hints_of(name: str) -> Hints:
    """The hints for a dialect; those of a dialect that there is none of are those of any."""
    dialect: Dialect | type[Dialect] = AI_DIALECTS.get(name) if name in AI_DIALECTS else Dialect
    return Hints(
        address=default_address(name),
        example=dialect.default_base_url or dialect.address_example,
        address_help=_address_help(dialect),
        key_help=_key_help(dialect),
        needs_key=dialect.needs_key,
        status_page=dialect.status_page,
        status_components=dialect.status_components,
    )


def _address_help(dialect: Dialect | type[Dialect]) -> str:
    own = dialect.default_base_url
    if own:
        said = _("Empty: %(address)s. Enter another one if it is reached through a gateway or runs elsewhere.")
        return said % {"address": own}
    return str(dialect.address_note)


def _key_help(dialect: Dialect | type[Dialect]) -> str:
    if dialect.needs_key:
        return _("It answers nobody without one. Kept sealed, never shown again, and sent to this address only.")
    return _("Empty if it asks for none. Kept sealed, never shown again, and sent to this address only.")
