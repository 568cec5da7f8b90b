"""The address policy as tables: what each policy says to each kind of address, wrapped or not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.addresses import RULE_LABELS, AddressPolicy, channel_policy, parse_networks, probe_policy

ALWAYS_REFUSED = [
    ("169.254.169.254", "metadata"),
    ("169.254.170.2", "metadata"),
    ("fd00:ec2::254", "metadata"),
    ("168.63.129.16", "metadata"),
    ("192.0.0.192", "metadata"),
    ("100.100.100.200", "metadata"),
    ("169.254.1.1", "link_local"),
    ("fe80::1", "link_local"),
    ("fe80::1%eth0", "link_local"),
    ("[fe80::1]", "link_local"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.250", "multicast"),
    ("ff02::1", "multicast"),
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("::", "unspecified"),
    ("255.255.255.255", "broadcast"),
    ("not an address", "not_an_address"),
    ("", "not_an_address"),
    # The same, wearing something
    ("::ffff:169.254.169.254", "metadata"),
    ("::ffff:0:169.254.169.254", "metadata"),
    ("::169.254.169.254", "metadata"),
    ("64:ff9b::a9fe:a9fe", "metadata"),
    ("64:ff9b:1::a9fe:a9fe", "metadata"),
    ("64:ff9b:1:a9fe:a9:fe00::", "metadata"),
    ("2002:a9fe:a9fe::", "metadata"),
    ("2002:a9fe:a9fe::1234", "metadata"),
    ("2001:0:a9fe:a9fe::", "metadata"),
    ("2001:0:4136:e378:8000:63bf:5601:5601", "metadata"),
    ("::ffff:224.0.0.1", "multicast"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("64:ff9b::e000:1", "multicast"),
]

PRIVATE = [
    ("127.0.0.1", "loopback"),
    ("127.255.0.1", "loopback"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "loopback"),
    ("64:ff9b::7f00:1", "loopback"),
    ("2002:7f00:1::", "loopback"),
    ("10.1.2.3", "private"),
    ("172.31.255.255", "private"),
    ("192.168.0.1", "private"),
    ("100.64.0.1", "private"),
    ("fd12::1", "private"),
    ("fec0::1", "private"),
    ("2002:c0a8:1::", "private"),
    ("192.0.2.1", "special"),
    ("198.18.0.1", "special"),
    ("240.0.0.1", "special"),
    ("2001:db8::1", "special"),
]

PUBLIC = [
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::",
]


@pytest.mark.parametrize(("address", "rule"), ALWAYS_REFUSED)
@pytest.mark.parametrize("policy", [probe_policy(), channel_policy("0.0.0.0/0, ::/0"), channel_policy()])
def test_some_addresses_are_refused_whatever_is_allowed(address: str, rule: str, policy: AddressPolicy) -> None:
    assert policy.refusal(address) == rule


@pytest.mark.parametrize(("address", "rule"), PRIVATE)
def test_private_addresses_are_for_probes_and_not_for_channels(address: str, rule: str) -> None:
    assert probe_policy().refusal(address) is None
    assert channel_policy().refusal(address) == rule


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_everybody(address: str) -> None:
    assert probe_policy().refusal(address) is None
    assert channel_policy().refusal(address) is None


@pytest.mark.parametrize(
    ("allow", "address", "rule"),
    [
        ("127.0.0.1/32", "127.0.0.1", None),
        ("127.0.0.1", "127.0.0.1", None),
        ("127.0.0.1/32", "127.0.0.2", "loopback"),
        ("127.0.0.0/8", "::ffff:127.0.0.1", None),
        ("10.0.0.0/8 fd00::/8", "fd00::7", None),
        ("loopback,private", "192.168.3.4", None),
        ("private", "127.0.0.1", "loopback"),
        ("10.0.0.0/8", "8.8.8.8", None),
    ],
)
def test_a_channel_reaches_the_private_ranges_its_setting_lists(allow: str, address: str, rule: str | None) -> None:
    assert channel_policy(allow).refusal(address) == rule


@pytest.mark.parametrize(
    ("deny", "address", "rule"),
    [
        ("10.0.0.0/8", "10.9.8.7", "denied"),
        ("10.0.0.0/8", "::ffff:10.9.8.7", "denied"),
        ("10.0.0.0/8", "2002:a09:807::", "denied"),
        ("10.0.0.0/8", "11.0.0.1", None),
        ("loopback", "::1", "denied"),
        ("private,loopback", "172.16.0.1", "denied"),
        ("8.8.8.8", "8.8.8.8", "denied"),
        ("2606:4700::/32", "2606:4700::1", "denied"),
    ],
)
def test_a_probe_keeps_away_from_what_its_setting_lists(deny: str, address: str, rule: str | None) -> None:
    assert probe_policy(deny).refusal(address) == rule


@pytest.mark.parametrize("text", ["10.0.0.0/33", "lan", "10.0.0.0/8;fd00::/8", "http://10.0.0.1"])
def test_a_setting_that_is_no_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a network"):
        parse_networks(text)


def test_an_empty_setting_lists_nothing() -> None:
    assert parse_networks(" , ") == ()


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_never_makes_it_reachable(address: ipaddress.IPv4Address) -> None:
    policy = channel_policy()
    number = int(address)
    wrapped = [
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ]
    if policy.refusal(str(address)):
        assert all(policy.refusal(str(wrapping)) for wrapping in wrapped)


@given(st.one_of(st.ip_addresses().map(str), st.text(max_size=40)))
def test_every_answer_is_a_rule_people_can_read(text: str) -> None:
    for policy in (probe_policy(), channel_policy()):
        rule = policy.refusal(text)
        assert rule is None or rule in RULE_LABELS
