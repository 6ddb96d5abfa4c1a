"""Bans that grow: by which networks clients are banned, for how long, and what led to it.

A network is marked as `banned` in the store, under its text: `192.0.2.1`, `2001:db8::/64`, or
as a whole `192.0.2.0/24`, `2001:db8::/48`. Other networks are not looked for, so a request
asks the store twice, however many are banned.
"""

import ipaddress
from typing import Final

from .address import Address, IPAddress, parse_address
from .stores import Mark, Store
from .values import SPANS, Rate

#: a ban grows up to this, and is remembered for as long when it is over
LONGEST: Final = SPANS["day"]
#: doublings after which any ban has come to that
DOUBLINGS: Final = 20
#: bits of the wider network around a client
WIDE: Final = {4: 24, 6: 48}
#: bits that an operator may write to mean a client
OWN: Final = {4: ("", "/32"), 6: ("", "/128", "/64")}


def count(store: Store, network: str, after: Rate, now: float) -> bool:
    """Count a probe; say whether it was one too many. Then the count begins anew."""
    left, _ = store.hit(_counter(network), after.limit, after.period, now)
    if left > 0:
        return False
    store.forget(_counter(network), after.limit, after.period)
    return True


def begin(store: Store, network: str, now: float, seconds: int, why: str, *, grow: bool) -> Mark:
    """Ban a network for so long, or where it may `grow` for twice as long as the last time."""
    before = store.marks.get("banned", network, now)
    times = before.times + 1 if before else 1
    if grow:
        seconds = min(seconds << min(times - 1, DOUBLINGS), max(seconds, LONGEST))
    store.marks.put("banned", network, now, seconds, times=times, keep=LONGEST, why=why)
    return Mark(network, seconds, times, why)


def lift(store: Store, network: str, after: Rate) -> bool:
    """End a ban, and forget what led to it; False when there was none."""
    store.forget(_counter(network), after.limit, after.period)
    return store.marks.remove("banned", network)


def networks_of(client: Address) -> tuple[str, ...]:
    """Return the networks by which a client is looked up."""
    return (client.key, _around(client.ip)) if client.ip else (client.key,)


def around(network: str) -> str:
    """Return the wider network around one, or itself."""
    return _around(ipaddress.ip_network(network).network_address)


def _around(ip: IPAddress) -> str:
    return str(ipaddress.ip_network((ip, WIDE[ip.version]), strict=False))


def _counter(network: str) -> str:
    return f"ban|{network}"


def read_network(text: str) -> str:
    """Return what an operator has written as a network by which clients are looked up.

    Raises `ValueError` when it is none.
    """
    bare, slash, bits = text.strip().partition("/")
    address = parse_address(bare)
    if address is not None and address.ip is not None:
        version = address.ip.version
        if slash + bits in OWN[version]:
            return address.key
        if bits == str(WIDE[version]):
            return _around(address.ip)
    raise ValueError(
        f'{text!r} cannot be banned: write an address or a /24, such as "192.0.2.7" or '
        '"192.0.2.0/24", of IPv6 a /64 or a /48, such as "2001:db8::/64"'
    )
