"""The `email` kind: one letter by SMTP, to a list of people, through a server of the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.alerts.channels.answers import judge_failure, plain_text
from apps.alerts.channels.base import (
    CHANNEL_KINDS,
    SEND_TIMEOUT_SECONDS,
    ChannelKind,
    Client,
    Delivery,
    DeliveryReason,
    Message,
)
from apps.alerts.channels.letter import compose, message_id
from apps.alerts.wording import write
from apps.core.kindconfig import SECRET, Text, field
from apps.core.outbound.exchange import OutboundError
from apps.core.outbound.locations import BadLocation, literal_address, parse_host
from apps.core.outbound.mail import Mail, MailReceipt, MailReply, MailStage

MAX_RECIPIENTS = 50
MAX_ADDRESS_CHARACTERS = 254
# How long those who have the letter already keep the next one waiting for the one whose server said "later".
PATIENCE = timedelta(minutes=15)
_LOCAL_PART = re.compile(r"""[^\s\x00-\x20\x7f<>()\[\]\\,;:"@.]+(\.[^\s\x00-\x20\x7f<>()\[\]\\,;:"@.]+)*""")


class EmailConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server, how to speak to it, and whom to write to."""

    server: Annotated[
        str,
        field(
            _("Mail server"),
            _("The SMTP server that takes the mail, such as smtp.example.com."),
            min_length=1,
            max_length=253,
            destination=True,
            placeholder="smtp.example.com",
        ),
    ]
    port: Annotated[
        int, field(_("Port"), _("587 with STARTTLS, 465 with TLS, 25 within one's own network."), ge=1, le=65_535)
    ] = 587
    security: Annotated[
        Literal["starttls", "tls", "none"],
        field(
            _("Encryption"),
            _("The certificate is always verified."),
            choices={
                "starttls": _("STARTTLS: begins plain, then encrypted"),
                "tls": _("TLS from the first byte"),
                "none": _("None: for a server within one's own network"),
            },
        ),
    ] = "starttls"
    username: Annotated[
        str,
        field(_("User name"), _("Leave it empty if the server asks for none."), max_length=200, private=True),
    ] = ""
    password: Annotated[str, field(_("Password"), max_length=200), SECRET] = ""
    from_address: Annotated[
        str,
        field(
            pgettext_lazy("of a letter", "From"),
            _("The address the mail comes from. The server must be willing to send for it."),
            min_length=1,
            max_length=MAX_ADDRESS_CHARACTERS,
            placeholder="portal@example.com",
        ),
    ]
    to: Annotated[
        tuple[str, ...],
        field(
            pgettext_lazy("of a letter", "To"),
            _("The addresses it goes to, one a line, at most 50."),
            min_length=1,
            max_length=MAX_RECIPIENTS,
            private=True,
        ),
    ]

    def check(self) -> dict[str, list[Text]]:
        """What the types cannot say: a usable host, real addresses, and no password in the clear."""
        errors: dict[str, list[Text]] = {}
        try:
            parse_host(self.server)
        except BadLocation as error:
            errors["server"] = [error.sentence]
        if wire_address(self.from_address) is None:
            errors["from_address"] = [_ONE_ADDRESS]
        wrong = [number for number, address in enumerate(self.to, start=1) if wire_address(address) is None]
        if wrong:
            errors["to"] = [_("Line %(number)s: enter an address such as ops@example.com.") % {"number": wrong[0]}]
        if bool(self.username) != bool(self.password):
            errors["password"] = [_("Enter both a user name and a password, or neither.")]
        elif self.password and self.security == "none":
            errors["security"] = [_("A password is only sent over an encrypted connection: choose STARTTLS or TLS.")]
        elif not (self.username + self.password).isprintable():
            errors["password"] = [_("User name and password hold no line breaks or control characters.")]
        return errors


_ONE_ADDRESS = _("Enter an address such as portal@example.com, without a name beside it.")


class EmailKind(ChannelKind[EmailConfig]):
    name = "email"
    label = _("E-mail")
    Config = EmailConfig

    def send(self, message: Message, config: EmailConfig, client: Client) -> Delivery:
        """Write the letter and hand it to the server once."""
        sender = wire_address(config.from_address)
        recipients = tuple(dict.fromkeys(filter(None, map(wire_address, config.to))))
        if sender is None or not recipients:
            return Delivery(ok=False, retryable=False, reason=DeliveryReason.INVALID_CONFIGURATION)
        mail = Mail(
            server=config.server,
            port=config.port,
            security=config.security,
            username=config.username,
            password=config.password,
            sender=sender,
            recipients=recipients,
            message_id=message_id(message.id, sender),
            content=compose(message, write(message), sender=sender, recipients=recipients),
        )
        try:
            receipt = client.send_mail(mail, timeout_seconds=SEND_TIMEOUT_SECONDS)
        except OutboundError as error:
            return judge_failure(error)
        return judge_receipt(receipt, message.sent_at - message.occurred_at)

    def destination(self, config: Mapping[str, Any]) -> str:
        """The domains it goes to: whose mailboxes, but not which."""
        to = config.get("to")
        domains = dict.fromkeys(str(address).rpartition("@")[2] for address in (to if isinstance(to, list) else []))
        shown = ", ".join(list(domains)[:3])
        return f"{shown}, …" if len(domains) > 3 else shown

    def addresses(self, config: Mapping[str, Any]) -> dict[str, str]:
        try:
            address = literal_address(parse_host(str(config.get("server", ""))))
        except BadLocation:
            return {}
        return {"server": address} if address else {}


def wire_address(address: str) -> str | None:
    """An address as the protocol writes it, its domain in ASCII; None when it is none."""
    local, at, domain = address.strip().rpartition("@")
    if not at or len(address) > MAX_ADDRESS_CHARACTERS or len(local) > 64:
        return None
    if not _LOCAL_PART.fullmatch(local) or not local.isprintable() or not domain.isprintable() or ":" in domain:
        return None
    if "=?" in local:
        # It would be decoded where it stands in a header, and could be anything then.
        return None
    try:
        host = parse_host(domain)
    except BadLocation:
        return None
    return None if literal_address(host) else f"{local}@{host}"


# --- What came of it --------------------------------------------------------------------------------------

# RFC 3463 where the server gives it, else the plain code.
_BY_ENHANCED: dict[str, DeliveryReason] = {
    "5.1.1": DeliveryReason.NOT_FOUND,
    "5.1.2": DeliveryReason.NOT_FOUND,
    "5.1.10": DeliveryReason.NOT_FOUND,
    "5.2.3": DeliveryReason.TOO_LARGE,
    "5.3.4": DeliveryReason.TOO_LARGE,
    "5.7.8": DeliveryReason.UNAUTHORIZED,
    "5.7.9": DeliveryReason.UNAUTHORIZED,
}
_BY_CODE: dict[int, DeliveryReason] = {
    530: DeliveryReason.UNAUTHORIZED,
    534: DeliveryReason.UNAUTHORIZED,
    535: DeliveryReason.UNAUTHORIZED,
    538: DeliveryReason.UNAUTHORIZED,
    552: DeliveryReason.TOO_LARGE,
}


def judge_receipt(receipt: MailReceipt, waited: timedelta) -> Delivery:
    """What a conversation came to. `waited`: since what the letter tells of happened."""
    if not receipt.accepted:
        return _judge_refusal(receipt.reply)
    if not receipt.refused:
        return Delivery(True, False, DeliveryReason.DELIVERED, status_code=receipt.reply.code, answer=_said(receipt))
    later = next((reply for reply in receipt.refused.values() if _is_later(reply)), None)
    if later is not None and waited < PATIENCE:
        return Delivery(False, True, DeliveryReason.DEFERRED, status_code=later.code, answer=_said(receipt), alive=True)
    return Delivery(True, False, DeliveryReason.PARTLY_DELIVERED, status_code=receipt.reply.code, answer=_said(receipt))


def _judge_refusal(reply: MailReply) -> Delivery:
    """4xx is for later, whatever it is; anything else stays as it is until somebody mends it."""
    code, answer = reply.code or None, plain_text(_sentence(reply))
    if _is_later(reply):
        alive = reply.stage in (MailStage.SENDER, MailStage.RECIPIENT)
        return Delivery(False, True, DeliveryReason.DEFERRED, status_code=code, answer=answer, alive=alive)
    if not reply.code:
        return Delivery(False, False, DeliveryReason.MISSING_EXTENSION, answer=answer)
    reason = _BY_ENHANCED.get(reply.enhanced) or _BY_CODE.get(reply.code)
    if reason is None and reply.stage is MailStage.LOGIN:
        reason = DeliveryReason.UNAUTHORIZED
    return Delivery(False, False, reason or DeliveryReason.REFUSED, status_code=code, answer=answer)


def _is_later(reply: MailReply) -> bool:
    return 400 <= reply.code < 500


def _said(receipt: MailReceipt) -> str:
    refusals = [f"{address}: {_sentence(reply)}" for address, reply in receipt.refused.items()]
    return plain_text("; ".join(refusals) or _sentence(receipt.reply))


def _sentence(reply: MailReply) -> str:
    return " ".join(part for part in (str(reply.code or ""), reply.enhanced, reply.text) if part)


CHANNEL_KINDS.add(EmailKind.name, EmailKind())
