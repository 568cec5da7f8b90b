"""The way out for channels: the outbound door with the channels' address policy already inside."""

from __future__ import annotations

from django.conf import settings

from apps.core.addresses import AddressPolicy, channel_policy
from apps.core.outbound.door import run
from apps.core.outbound.exchange import Exchange, HttpRequest
from apps.core.outbound.mail import Mail, MailReceipt, send_mail
from apps.core.outbound.transfer import Transfer


class ChannelDoor:
    """What every kind of channel is given as its client."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    def fetch(self, request: HttpRequest, *, timeout_seconds: float) -> Exchange:
        """Send and wait, at most `timeout_seconds` in all. Raises OutboundError when no complete answer comes."""
        return run(Transfer(request, policy=self._policy, timeout_seconds=timeout_seconds))

    def send_mail(self, mail: Mail, *, timeout_seconds: float) -> MailReceipt:
        """Hand a letter to its server, at most `timeout_seconds` in all. Raises OutboundError when that cannot be."""
        return send_mail(mail, policy=self._policy, timeout_seconds=timeout_seconds)


def policy() -> AddressPolicy:
    """Public addresses, and what PORTAL_CHANNEL_ALLOW lists."""
    return channel_policy(settings.PORTAL_CHANNEL_ALLOW)


def open_door() -> ChannelDoor:
    return ChannelDoor(policy())
