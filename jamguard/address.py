"""Client addresses, as servers and proxies really write them.

Servers disagree on what `REMOTE_ADDR` holds for a UNIX socket (`""`, `"localhost"`,
`"<local>"`, `"0.0.0.0"`), and proxies write ports, brackets, zone ids and IPv4-mapped
IPv6. Everything that cannot be an address is `UNKNOWN`: one shared place, never a key
that a stranger can choose.

Source: RFC 7239 section 6 (node identifiers), RFC 4291 section 2.5.5.2 (IPv4-mapped).
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

import attrs

from .cache import Bounded

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: what servers put into `REMOTE_ADDR` when the peer has no address
NO_ADDRESS: Final = frozenset({"", "localhost", "<local>", "0.0.0.0", "::", "unix"})  # noqa: S104


@attrs.frozen(eq=False)
class Address:
    """Where a request comes from."""

    text: str  #: canonical form, `""` when there is none
    key: str  #: what is counted: the IPv4 address or the IPv6 /64
    ip: IPAddress | None  #: None for a UNIX socket and for junk
    loopback: bool
    private: bool  #: loopback, private or link-local, or a UNIX socket: not a stranger's


#: a peer without an address: a UNIX socket, so a program on this machine
UNIX: Final = Address("", "unix", None, loopback=False, private=True)
#: not an address at all: nothing is known and nothing is granted
UNKNOWN: Final = Address("", "unknown", None, loopback=False, private=False)

#: loopback, RFC 1918, RFC 6598 (carrier-grade NAT, VPNs), RFC 4193, link-local. Narrower than
#: `is_private`, which also takes in the addresses of documentation.
PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)

_seen: Bounded[str, Address | None] = Bounded(4096)


def peer_address(text: str | None) -> Address:
    """Read `REMOTE_ADDR`: an `Address`, `UNIX` when the server has none, `UNKNOWN` for junk."""
    if text is None or text in NO_ADDRESS:
        return UNIX
    return parse_address(text) or UNKNOWN


def parse_address(text: str) -> Address | None:
    """Read one address out of a header, with or without brackets, port and zone id.

    None when it is not an address (`unknown`, `_hidden`, a name, junk).
    """
    try:
        return _seen[text]
    except KeyError:
        return _seen.put(text, _parse(text))


def _parse(text: str) -> Address | None:
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare, _, port = bare[1:].partition("]")
        if port and not _is_port(port):
            return None
    elif bare.count(":") == 1:
        bare, _, port = bare.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        ip = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_unspecified:
        return None
    key = str(ip)
    if ip.version == 6:  # noqa: PLR2004 - the IP version
        key = str(ipaddress.ip_network((ip, 64), strict=False))
    private = any(ip in network for network in PRIVATE)
    return Address(str(ip), key, ip, ip.is_loopback, private)


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6  # noqa: PLR2004 - ":65535"


def contains(networks: Iterable[IPNetwork], address: Address) -> bool:
    """Say whether `address` lies in one of `networks`; without an address it lies in none."""
    ip = address.ip
    return ip is not None and any(ip in network for network in networks)
