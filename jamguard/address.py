"""Client addresses, as servers and proxies really write them.

Servers disagree on what `REMOTE_ADDR` holds for a UNIX socket (`""`, `"localhost"`,
`"<local>"`, `"0.0.0.0"`), and proxies write ports, brackets, zone ids and IPv4-mapped
IPv6. Everything that cannot be an address is `UNKNOWN`: one shared place, never a key
that a stranger can choose.

Source: RFC 7239 section 6 (node identifiers), RFC 4291 section 2.5.5.2 (IPv4-mapped).
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import attrs

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: what servers put into `REMOTE_ADDR` when the peer has no address
NO_ADDRESS: Final = frozenset({"", "localhost", "<local>", "0.0.0.0", "::", "unix"})  # noqa: S104


#: the networks that no stranger's packets come from: loopback, RFC 1918, link-local, RFC 4193
#: (`is_private` of `ipaddress` has more, such as the networks for documentation)
PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "::1/128",
            "fe80::/10",
            "fc00::/7",
        ),
    )
)
#: `[2001:db8::1]`, `[2001:db8::1]:443`, `192.0.2.1:443`: what has a port or brackets
DRESSED: Final = re.compile(r"(?:\[([^]]+)\]|([0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
#: no longer text is an address, not even with a zone id and a port
LONGEST: Final = 80


@attrs.frozen(eq=False)
class Address:
    """Where a request comes from."""

    text: str  #: canonical form, `""` when there is none
    key: str  #: what is counted: the IPv4 address or the IPv6 /64
    ip: IPAddress | None  #: None for a UNIX socket and for junk
    loopback: bool
    private: bool  #: in one of `PRIVATE`, or a UNIX socket: not a stranger's


#: a peer without an address: a UNIX socket, so a program on this machine
UNIX: Final = Address("", "unix", None, loopback=False, private=True)
#: not an address at all: nothing is known and nothing is granted
UNKNOWN: Final = Address("", "unknown", None, loopback=False, private=False)


def peer_address(text: str | None) -> Address:
    """Read `REMOTE_ADDR`: an `Address`, `UNIX` when the server has none, `UNKNOWN` for junk."""
    if text is None or text in NO_ADDRESS:
        return UNIX
    return parse_address(text) or UNKNOWN


def parse_address(text: str) -> Address | None:
    """Read one address, with or without brackets, port and zone id.

    None when it is not an address (`unknown`, `_hidden`, a name, junk).
    """
    return _parse(text) if len(text) <= LONGEST else None


@lru_cache(4096)
def _parse(text: str) -> Address | None:
    bare = text.strip(" \t")
    if match := DRESSED.fullmatch(bare):
        bare = match[1] or match[2]
    try:
        ip = ipaddress.ip_address(bare)
    except ValueError:
        return None
    key = str(ip)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Address(int(ip))  # which has no zone id
        key = str(ip if ip.version == 4 else ipaddress.ip_network((ip, 64), strict=False))  # noqa: PLR2004
    if ip.is_unspecified:
        return None
    private = any(ip in network for network in PRIVATE)
    return Address(str(ip), key, ip, ip.is_loopback, private)


def contains(networks: Iterable[IPNetwork], address: Address) -> bool:
    """Say whether `address` lies in one of `networks`; without an address it lies in none."""
    ip = address.ip
    return ip is not None and any(ip in network for network in networks)
