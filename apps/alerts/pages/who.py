""" "Who would be told?": the question from the page of routes, and its answer as that page shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.alerts.pages.route_forms import WhoForm
from apps.alerts.pages.route_rows import grouping_words, time_words
from apps.alerts.routes.simulate import Hold, SimulatedChannel, Simulation, simulate
from apps.catalog.models import Target
from apps.core.forms import put_errors

OFFERED = 200
# So many targets of one name are offered to choose from.
MOST_NAMESAKES = 20


@dataclass(frozen=True)
class WhoRow:
    """A channel that would be told, how, and what would hold it now."""

    channel: SimulatedChannel
    grouping: str
    wait: str
    holds: list[Hold]


@dataclass(frozen=True)
class Who:
    """The answer. `namesakes`: several targets have the name, and one is to be chosen."""

    simulation: Simulation | None = None
    rows: list[WhoRow] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    namesakes: list[Target] = field(default_factory=list)
    severity: str = ""


def offered_targets(user: User) -> list[str]:
    """Names to choose from while somebody types. One query."""
    rows = Target.objects.visible_to(user).present().order_by("name").values_list("name", flat=True)
    return list(dict.fromkeys(rows[:OFFERED]))


def answer_who(user: User, form: WhoForm) -> Who | None:
    """None when the question is not clear; what is wrong with it is then in the form."""
    if not form.is_valid():
        return None
    severity = form.cleaned_data["severity"]
    found = _targets(user, form.cleaned_data["target"])
    if not found:
        form.add_error("target", _("There is no target of this name."))
        return None
    # Asked for by id, it is shown by name.
    form.data = {"severity": severity, "target": found[0].name}
    if len(found) > 1:
        return Who(namesakes=found, severity=severity)
    try:
        simulation = simulate(user, target=found[0].pk, severity=severity)
    except ValidationError as error:
        put_errors(form, error)
        return None
    rows = [_row(simulation, channel) for channel in simulation.channels]
    return Who(simulation, rows, [hold for hold in simulation.holds if hold.channel is None], severity=severity)


def _targets(user: User, text: str) -> list[Target]:
    rows = Target.objects.visible_to(user).present().select_related("environment", "namespace")
    try:
        return list(rows.filter(pk=UUID(text)))
    except ValueError:
        return list(rows.filter(name__iexact=text.strip()).order_by("kind", "pk")[:MOST_NAMESAKES])


def _row(simulation: Simulation, channel: SimulatedChannel) -> WhoRow:
    return WhoRow(
        channel=channel,
        grouping=grouping_words(channel.group_by),
        wait=time_words((channel.first_message_at - simulation.at).total_seconds()),
        holds=[hold for hold in simulation.holds if hold.channel and hold.channel.pk == channel.channel.pk],
    )
