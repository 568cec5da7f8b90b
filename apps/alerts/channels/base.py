"""What a channel is: one class that knows how to tell one kind of receiver, and how its refusals read.

Pure. A kind gets the message, its opened configuration and the outbound door as arguments, tries once and says what
came of it. It stores nothing, retries nothing and knows no clock: `alerts.delivery` holds the only retry loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec
from django.utils.translation import gettext_lazy as _

from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.core.outbound.mail import Mail, MailReceipt
from apps.core.registry import Registry

# How much of a receiver's answer is kept, for administrators to read.
ANSWER_LIMIT_CHARACTERS = 500
# No attempt takes longer, whatever the receiver does: the lease of a claim is counted on it.
SEND_TIMEOUT_SECONDS = 15.0


class MessageType(StrEnum):
    """What a message tells. Receivers switch on these words: never rename one."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_RESOLVED = "incident.resolved"
    ALERT_FIRING = "alert.firing"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_REMINDER = "alert.reminder"
    ALERT_STORM = "alert.storm"
    ALERT_DIGEST = "alert.digest"
    CHANNEL_TEST = "channel.test"

    @property
    def label(self) -> str:
        return str(_MESSAGE_LABELS[self])


_MESSAGE_LABELS: dict[MessageType, Any] = {
    MessageType.INCIDENT_OPENED: _("Incident opened"),
    MessageType.INCIDENT_UPDATED: _("Incident updated"),
    MessageType.INCIDENT_ACKNOWLEDGED: _("Incident acknowledged"),
    MessageType.INCIDENT_RESOLVED: _("Incident resolved"),
    MessageType.ALERT_FIRING: _("Alert firing"),
    MessageType.ALERT_RESOLVED: _("Alert resolved"),
    MessageType.ALERT_ACKNOWLEDGED: _("Alert acknowledged"),
    MessageType.ALERT_REMINDER: _("Reminder"),
    MessageType.ALERT_STORM: _("Many alerts at once"),
    MessageType.ALERT_DIGEST: _("Digest"),
    MessageType.CHANNEL_TEST: _("Test message"),
}
MESSAGE_TYPE_CHOICES: list[tuple[str, Any]] = [(kind.value, _MESSAGE_LABELS[kind]) for kind in MessageType]


class DeliveryReason(StrEnum):
    """Why an attempt, or the whole delivery, ended as it did. Codes are stored: never rename one."""

    DELIVERED = "delivered"
    # The receiver answered
    RECEIVER_GONE = "receiver_gone"
    RATE_LIMITED = "rate_limited"
    RECEIVER_ERROR = "receiver_error"
    RECEIVER_TIMEOUT = "receiver_timeout"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    UNEXPECTED_STATUS = "unexpected_status"
    DEFERRED = "deferred"
    PARTLY_DELIVERED = "partly_delivered"
    MISSING_EXTENSION = "missing_extension"
    # It never got so far
    TIMEOUT = "timeout"
    NAME_NOT_RESOLVED = "name_not_resolved"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    PROTOCOL_ERROR = "protocol_error"
    ADDRESS_DENIED = "address_denied"
    # Our own side
    INVALID_CONFIGURATION = "invalid_configuration"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a reason, not a secret
    UNKNOWN_KIND = "unknown_kind"
    INTERNAL_ERROR = "internal_error"
    INTERRUPTED = "interrupted"
    CHANNEL_DISABLED = "channel_disabled"
    CHANNEL_DELETED = "channel_deleted"
    SUPERSEDED = "superseded"
    LOOP = "loop"

    @property
    def label(self) -> str:
        """The reason as a short phrase in the active language."""
        return str(_REASON_LABELS[self])


_REASON_LABELS: dict[DeliveryReason, Any] = {
    DeliveryReason.DELIVERED: _("Delivered"),
    DeliveryReason.RECEIVER_GONE: _("The receiver said it is gone for good"),
    DeliveryReason.RATE_LIMITED: _("The receiver asked us to slow down"),
    DeliveryReason.RECEIVER_ERROR: _("The receiver had an error of its own"),
    DeliveryReason.RECEIVER_TIMEOUT: _("The receiver gave up waiting"),
    DeliveryReason.REFUSED: _("The receiver refused the message"),
    DeliveryReason.UNAUTHORIZED: _("The receiver did not accept our credentials"),
    DeliveryReason.NOT_FOUND: _("There is no receiver at this address"),
    DeliveryReason.TOO_LARGE: _("The message was too large for the receiver"),
    DeliveryReason.REDIRECTED: _("The receiver redirected us, which is not followed"),
    DeliveryReason.UNEXPECTED_STATUS: _("The receiver answered with an unexpected status"),
    DeliveryReason.DEFERRED: _("The mail server asked us to come back later"),
    DeliveryReason.PARTLY_DELIVERED: _("Delivered to some of the recipients, refused for others"),
    DeliveryReason.MISSING_EXTENSION: _("The mail server lacks what the letter needs"),
    DeliveryReason.TIMEOUT: _("No answer in time"),
    DeliveryReason.NAME_NOT_RESOLVED: _("The host name could not be resolved"),
    DeliveryReason.CONNECTION_FAILED: _("No connection"),
    DeliveryReason.TLS_FAILED: _("The encrypted connection failed"),
    DeliveryReason.PROTOCOL_ERROR: _("The answer was not understood"),
    DeliveryReason.ADDRESS_DENIED: _("The address policy forbids this address"),
    DeliveryReason.INVALID_CONFIGURATION: _("The channel's configuration is not valid"),
    DeliveryReason.SECRET_UNREADABLE: _("The channel's secret cannot be read with the present key"),
    DeliveryReason.UNKNOWN_KIND: _("No such kind of channel is installed"),
    DeliveryReason.INTERNAL_ERROR: _("The portal had an error of its own"),
    DeliveryReason.INTERRUPTED: _("The sending process stopped before it heard the answer"),
    DeliveryReason.CHANNEL_DISABLED: _("The channel was switched off"),
    DeliveryReason.CHANNEL_DELETED: _("The channel was deleted"),
    DeliveryReason.SUPERSEDED: _("A newer message says it all"),
    DeliveryReason.LOOP: _("It leads back to this portal"),
}


REASON_CHOICES: list[tuple[str, Any]] = [(reason.value, label) for reason, label in _REASON_LABELS.items()]


def reason_label(code: str) -> str:
    """A stored reason in the active language; an unknown code (from a newer version) is shown as it is."""
    try:
        return DeliveryReason(code).label
    except ValueError:
        return code


@dataclass(frozen=True)
class Message:
    """One thing to tell.

    `id` is the same on every attempt and after a replay; `sent_at` is this attempt's moment (UTC). For a machine `data`
    holds `incident`, `target`, `change` and `sequence` (or `alert` and `sequence`) as JSON values; for people what
    `alerts.messages.people_payload` documents. The rest is for people: their language and time zone, the user's own
    words by part, and links by what they do ("view", "acknowledge", "silence").
    """

    id: str
    type: str
    occurred_at: datetime
    sent_at: datetime
    data: Mapping[str, Any]
    language: str = "en"
    time_zone: str = "UTC"
    wording: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What one attempt came to. `answer` is at most ANSWER_LIMIT_CHARACTERS of what the receiver said."""

    ok: bool
    retryable: bool
    reason: DeliveryReason
    status_code: int | None = None
    # How long the receiver wants to be left alone: by this message and all others, or by the others once it arrived.
    retry_after_seconds: float | None = None
    # The receiver asked never to be called again, or it is ourselves: the channel is switched off.
    disable: bool = False
    # To be tried again, though the endpoint itself is well: its breaker stays closed.
    alive: bool = False
    answer: str = ""


class Client(Protocol):
    """The outbound door as a kind is given it: the address policy of channels is already inside."""

    def fetch(self, request: HttpRequest, *, timeout_seconds: float) -> Exchange:
        """Send and wait, at most `timeout_seconds` in all. Raises OutboundError when no complete answer comes."""

    def send_mail(self, mail: Mail, *, timeout_seconds: float) -> MailReceipt:
        """Hand a letter to its server, at most `timeout_seconds` in all. Raises OutboundError when that cannot be."""


ConfigType = TypeVar("ConfigType", bound=msgspec.Struct)


class ChannelKind(ABC, Generic[ConfigType]):
    """One kind of channel. Registered by its file with `CHANNEL_KINDS.add(Kind.name, Kind())`."""

    name: ClassVar[str]
    label: ClassVar[Any]
    # A frozen msgspec.Struct: the API's validation, the JSON Schema and the form all come from it.
    Config: type[ConfigType]

    def is_machine(self, config: Mapping[str, Any]) -> bool:
        """Whether it wants every event by itself, at once and in order, instead of what is worth a person's while."""
        return False

    @abstractmethod
    def send(self, message: Message, config: ConfigType, client: Client) -> Delivery:
        """Try once. Never raises for what a receiver or the network does; `config` is an opened `Config`."""

    def prepare(self, config: dict[str, Any]) -> dict[str, Any]:
        """Fill in what the portal makes itself when a channel is created (a signing secret). Default: nothing."""
        return config

    def destination(self, config: Mapping[str, Any]) -> str:
        """Where it goes, short and without anything a stranger could use: for lists, and for readers."""
        return ""

    def urls(self, config: Mapping[str, Any]) -> dict[str, str]:
        """URLs the user chose, by field: none of them may lead to the portal itself."""
        return {}

    def addresses(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Addresses written out in a configuration, by field: the address policy is asked for them when it is saved.
        (Names are looked up, and every address checked, at each attempt.)"""
        return {}


CHANNEL_KINDS: Registry[ChannelKind[Any]] = Registry("channel kind", package="apps.alerts.channels")
