"""Which addresses the portal may contact: decided on the address itself, after looking through every tunnel.

An address may wear another: IPv4-mapped, 6to4, Teredo, NAT64. Python's `is_global` lets several of those through, and
Azure's metadata address too, so the lists are ours. A policy answers with the rule that refuses, or None.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Refused whatever is configured, in this order: the first match names the rule.
_NEVER: tuple[tuple[str, tuple[IPNetwork, ...]], ...] = (
    (
        "metadata",
        _networks(
            "169.254.169.254/32",  # AWS, Google, Azure, OpenStack and most others
            "169.254.170.2/32",  # AWS container credentials
            "fd00:ec2::254/128",  # AWS over IPv6
            "168.63.129.16/32",  # Azure's host
            "192.0.0.192/32",  # Oracle Cloud
            "100.100.100.200/32",  # Alibaba Cloud
        ),
    ),
    ("unspecified", _networks("0.0.0.0/8", "::/128")),
    ("broadcast", _networks("255.255.255.255/32")),
    ("multicast", _networks("224.0.0.0/4", "ff00::/8")),
    ("link_local", _networks("169.254.0.0/16", "fe80::/10")),
)
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fec0::/10")
# Set aside by IANA: nobody's public server, so no channel may be pointed there.
_SPECIAL = _networks(
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
)
_NAMED: dict[str, tuple[IPNetwork, ...]] = {"loopback": _LOOPBACK, "private": _PRIVATE}

_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_TRANSLATED = ipaddress.IPv6Network("::ffff:0:0:0/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")

RULE_LABELS: dict[str, str | Promise] = {
    "metadata": _("a cloud's metadata service"),
    "unspecified": _("no real address"),
    "broadcast": _("broadcast"),
    "multicast": _("multicast"),
    "link_local": _("link-local"),
    "loopback": _("this machine itself"),
    "private": _("a private network"),
    "special": _("set aside by IANA"),
    "denied": _("denied by the settings"),
    "not_an_address": _("not an address"),
}


def carried(address: IPAddress) -> Iterator[IPAddress]:
    """`address` and every address it carries inside, however deep."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    packed = address.packed
    if address in _MAPPED or address in _TRANSLATED or address in _NAT64:
        yield ipaddress.IPv4Address(packed[12:])
    elif address in _SIX_TO_FOUR:
        yield ipaddress.IPv4Address(packed[2:6])
    elif address in _TEREDO:
        yield ipaddress.IPv4Address(packed[4:8])
        yield ipaddress.IPv4Address(bytes(byte ^ 0xFF for byte in packed[12:]))
    elif address in _NAT64_LOCAL:
        # RFC 6052 puts the address after the prefix, skipping byte 8, and ends in zeros; else it is at the end.
        yield ipaddress.IPv4Address(packed[12:] if any(packed[11:]) else packed[6:8] + packed[9:11])
    elif address in _COMPATIBLE and int(address) > 1:
        yield ipaddress.IPv4Address(packed[12:])


@dataclass(frozen=True)
class AddressPolicy:
    """What may be contacted. `allow_networks` wins over everything but the rules that always hold.

    `allow_private`: whether loopback, private and special ranges are allowed unless denied.
    """

    deny_networks: tuple[IPNetwork, ...] = ()
    allow_private: bool = True
    allow_networks: tuple[IPNetwork, ...] = ()
    _known: dict[str, str | None] = field(default_factory=dict, repr=False, compare=False)

    def refusal(self, address: str) -> str | None:
        """The rule (a key of RULE_LABELS) that refuses `address` or what it carries; None when it may be contacted."""
        if address not in self._known:
            if len(self._known) >= 4_096:
                self._known.clear()
            self._known[address] = self._judged(address)
        return self._known[address]

    def _judged(self, address: str) -> str | None:
        try:
            parsed = ipaddress.ip_address(address.strip("[]").partition("%")[0])
        except ValueError:
            return "not_an_address"
        layers = list(carried(parsed))
        for layer in layers:
            for never, networks in _NEVER:
                if _within(layer, networks):
                    return never
        if any(_within(layer, self.deny_networks) for layer in layers):
            return "denied"
        # The innermost address is the one that is reached; the wrapping itself lies in special ranges.
        reached = layers[1:] or layers
        if self.allow_private or all(_within(layer, self.allow_networks) for layer in reached):
            return None
        return next((rule for layer in reached if (rule := self._not_public(layer))), None)

    def _not_public(self, address: IPAddress) -> str | None:
        if _within(address, self.allow_networks):
            return None
        for rule, networks in (("loopback", _LOOPBACK), ("private", _PRIVATE), ("special", _SPECIAL)):
            if _within(address, networks):
                return rule
        return None


def _within(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def parse_networks(text: str) -> tuple[IPNetwork, ...]:
    """Networks from settings text: CIDRs, addresses, `loopback` or `private`, separated by commas or spaces.

    Raises ValueError with a sentence that names the part that is wrong.
    """
    found: list[IPNetwork] = []
    for part in re.split(r"[,\s]+", text.strip()):
        if part.lower() in _NAMED:
            found += _NAMED[part.lower()]
        elif part:
            try:
                found.append(ipaddress.ip_network(part, strict=False))
            except ValueError:
                raise ValueError(
                    f"{part!r} is not a network. Write CIDRs such as 10.0.0.0/8 or fd00::/8, single addresses, "
                    "loopback or private, separated by commas."
                ) from None
    return tuple(found)


def probe_policy(deny: str = "") -> AddressPolicy:
    """For probes: everything that is not always refused, unless `deny` (PORTAL_PROBE_DENY) lists it."""
    return AddressPolicy(deny_networks=parse_networks(deny))


def channel_policy(allow: str = "") -> AddressPolicy:
    """For channels: public addresses, and what `allow` (PORTAL_CHANNEL_ALLOW) lists."""
    return AddressPolicy(allow_private=False, allow_networks=parse_networks(allow))
