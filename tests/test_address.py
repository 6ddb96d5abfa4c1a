"""Addresses as servers and proxies write them, and what is none."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jamguard.address import UNIX, UNKNOWN, _parse, contains, parse_address, peer_address
from jamguard.values import parse_network


@pytest.mark.parametrize(
    ("text", "canonical", "key"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", "192.0.2.1", id="IPv4"),
        pytest.param(" 192.0.2.1\t", "192.0.2.1", "192.0.2.1", id="blanks around it"),
        pytest.param("192.0.2.1:443", "192.0.2.1", "192.0.2.1", id="IPv4 and port (Azure, IIS)"),
        pytest.param("2001:db8::1", "2001:db8::1", "2001:db8::/64", id="IPv6"),
        pytest.param("2001:DB8:0:0::A", "2001:db8::a", "2001:db8::/64", id="IPv6 in another form"),
        pytest.param("[2001:db8::1]", "2001:db8::1", "2001:db8::/64", id="brackets"),
        pytest.param("[2001:db8::1]:443", "2001:db8::1", "2001:db8::/64", id="brackets and port"),
        pytest.param("fe80::1%eth0", "fe80::1", "fe80::/64", id="zone id"),
        pytest.param("[fe80::1%25eth0]:80", "fe80::1", "fe80::/64", id="zone id in brackets"),
        pytest.param("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1", id="IPv4-mapped"),
        pytest.param("[::ffff:c000:201]:80", "192.0.2.1", "192.0.2.1", id="IPv4-mapped in hex"),
        pytest.param("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", id="/64"),
    ],
)
def test_an_address_has_one_text_and_one_key(text: str, canonical: str, key: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert (address.text, address.key) == (canonical, key)
    assert address.ip == ipaddress.ip_address(canonical)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "192.0.2",
        "192.0.2.01",
        "192.0.2.256",
        "192.0.2.1.",
        "192.0.2.1:",
        "192.0.2.1:http",
        "192.0.2.1:443:443",
        "192.0.2.1:999999",
        "192.0.2.1%eth0",
        "192.0.2.1/32",
        "192.0.2.1, 192.0.2.2",
        "192.0.2.1192.0.2.2",
        '"192.0.2.1"',
        "[192.0.2.1",
        "[2001:db8::1]x",
        "[2001:db8::1]:",
        "[]",
        "2001:db8::1::",
        "fe80::1%",
        "3221225985",
        "0xc0000201",
        "192.0.2.1\n",
        "192.0.2.1\x00",
        "\x0b192.0.2.1",
        "\xa0192.0.2.1",
        "192.0.2.\xb2",
        "x' where 1 --",
        "1" * 10_000,
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_a_text_too_long_for_an_address_is_not_remembered() -> None:
    before = _parse.cache_info().currsize
    for number in range(100):
        assert parse_address(f"192.0.2.1{number:2000}") is None
    assert _parse.cache_info().currsize == before


@pytest.mark.parametrize("text", [None, "", "localhost", "<local>", "0.0.0.0", "::", "unix"])
def test_a_server_that_knows_no_address_speaks_of_a_unix_socket(text: str | None) -> None:
    assert peer_address(text) is UNIX


@pytest.mark.parametrize("text", ["junk", "192.0.2.1192.0.2.2", " ", "/run/site.sock"])
def test_a_peer_that_is_junk_is_unknown(text: str) -> None:
    assert peer_address(text) is UNKNOWN


@pytest.mark.parametrize(
    ("text", "loopback", "private"),
    [
        ("127.0.0.1", True, True),
        ("127.9.9.9", True, True),
        ("::1", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("10.1.2.3", False, True),
        ("172.31.0.1", False, True),
        ("172.32.0.1", False, False),
        ("192.168.1.1", False, True),
        ("169.254.1.1", False, True),
        ("fd00::1", False, True),
        ("fe80::1", False, True),
        ("192.0.2.1", False, False),
        ("2001:db8::1", False, False),
        ("100.64.0.1", False, False),
    ],
)
def test_private_is_what_no_strangers_packets_come_from(
    text: str, loopback: bool, private: bool
) -> None:
    address = peer_address(text)
    assert (address.loopback, address.private) == (loopback, private)


def test_without_an_address_there_is_no_loopback_and_no_network() -> None:
    everything = [parse_network("0.0.0.0/0"), parse_network("::/0")]
    for nobody in (UNIX, UNKNOWN):
        assert not nobody.loopback
        assert not contains(everything, nobody)
    assert not UNKNOWN.private


def test_a_network_contains_its_addresses_only_of_its_version() -> None:
    networks = [parse_network("192.0.2.0/24"), parse_network("2001:db8::/32")]
    for inside in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8:ffff::1"):
        assert contains(networks, peer_address(inside))
    for outside in ("198.51.100.1", "2001:db9::1", "::192.0.2.7"):
        assert not contains(networks, peer_address(outside))


@settings(deadline=None)
@given(st.text())
def test_whatever_is_read_comes_out_as_ipaddress_writes_it(text: str) -> None:
    address = parse_address(text)
    if address is not None:
        assert address.text == str(ipaddress.ip_address(address.text))
        assert address.text.isascii()


@settings(deadline=None)
@given(st.ip_addresses().filter(lambda ip: int(ip) & 0xFFFFFFFF))
def test_every_address_is_read_as_itself(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    address = parse_address(str(ip))
    assert address is not None
    assert address.ip == (getattr(ip, "ipv4_mapped", None) or ip)
