"""The way out for channels: the outbound door with the channels' address policy already inside."""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec
import structlog
from django.conf import settings
from django.core.cache import cache

from apps.core.addresses import AddressPolicy, channel_policy
from apps.core.instance import instance_id
from apps.core.outages import VALKEY_ERRORS
from apps.core.outbound.door import run
from apps.core.outbound.exchange import INSTANCE_HEADER, Exchange, HttpRequest
from apps.core.outbound.mail import Mail, MailReceipt, MailReply, MailStage, send_mail
from apps.core.outbound.transfer import Transfer

logger = structlog.get_logger(__name__)

# As long as a letter that some have and others lack may be tried, and a while more.
_HANDED_SECONDS = 86_400


class ChannelDoor:
    """What every kind of channel is given as its client."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    def fetch(self, request: HttpRequest, *, timeout_seconds: float) -> Exchange:
        """Send and wait, at most `timeout_seconds` in all. Raises OutboundError when no complete answer comes.

        The request carries our mark, so that what leads back here is known at our own edge.
        """
        marked = msgspec.structs.replace(request, headers={**request.headers, INSTANCE_HEADER: instance_id()})
        return run(Transfer(marked, policy=self._policy, timeout_seconds=timeout_seconds))

    def send_mail(self, mail: Mail, *, timeout_seconds: float) -> MailReceipt:
        """Hand a letter to its server, at most `timeout_seconds` in all. Raises OutboundError when that cannot be.

        Whoever was given this very letter at an earlier attempt is not given it again while others wait for theirs.
        """
        handed = _handed(mail)
        waiting = tuple(name for name in mail.recipients if name not in handed)
        if not waiting:
            return MailReceipt(reply=MailReply(MailStage.CONTENT, 250, ""), accepted=mail.recipients)
        receipt = send_mail(
            msgspec.structs.replace(mail, recipients=waiting),
            policy=self._policy,
            timeout_seconds=timeout_seconds,
            hello=_own_name(),
        )
        everybody = (*(name for name in mail.recipients if name in handed), *receipt.accepted)
        _remember(mail, everybody if receipt.refused else ())
        return MailReceipt(reply=receipt.reply, accepted=everybody, refused=receipt.refused)


# --- Who has a letter already -----------------------------------------------------------------------------
# In Valkey: losing it costs a second copy, never a letter.


def _handed(mail: Mail) -> tuple[str, ...]:
    try:
        found = cache.get(_key(mail), ())
    except VALKEY_ERRORS:
        return ()
    return tuple(str(name) for name in found)


def _remember(mail: Mail, everybody: tuple[str, ...]) -> None:
    """Nobody: all is settled, and sending it once more by hand reaches all."""
    try:
        if everybody:
            cache.set(_key(mail), everybody, _HANDED_SECONDS)
        else:
            cache.delete(_key(mail))
    except VALKEY_ERRORS as error:
        logger.warning("letter_not_remembered", error=type(error).__name__)


def _key(mail: Mail) -> str:
    return f"alerts:letter:{blake2b(mail.message_id.encode(), digest_size=16).hexdigest()}"


def _own_name() -> str:
    """What we call ourselves to a mail server: the name people know the portal by, if it is one."""
    host = urlsplit(settings.PORTAL_WEB_URL).hostname or ""
    return host if "." in host and host.isascii() and host.replace(".", "").replace("-", "").isalnum() else ""


def policy() -> AddressPolicy:
    """Public addresses, and what PORTAL_CHANNEL_ALLOW lists."""
    return channel_policy(settings.PORTAL_CHANNEL_ALLOW)


def open_door() -> ChannelDoor:
    return ChannelDoor(policy())
