"""Lock-outs that grow: who may not try for a while, for how long, and how it is forgotten.

A key is `place|network|name`, where the place is the application or its builder, which have
users of their own: `application|192.0.2.1|ann` for a name from one network, `builder||ann` for
a name from everywhere, `application|192.0.2.1|` for a network. It is marked as `locked` in the
store. What was counted under it before is forgotten then, so to take the mark away is all that
unlocking takes.
"""

from ipaddress import IPv6Address, ip_network
from time import monotonic
from typing import Final, Literal, get_args

import attrs

from .address import Address
from .jampy.logins import fold
from .request import Request
from .stores import Mark, Store

#: what somebody logs in to
Place = Literal["application", "builder"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)

#: seconds of the first lock-out, the second and so on; the last one for all that follow
LENGTHS: Final = (60, 300, 900, 3600)
#: seconds after a lock-out until it is forgiven, so that the next one is a first one
REMEMBERED: Final = 86400
#: seconds in which all have noticed a lock-out, or the one try after it
MOMENT: Final = 10
#: bits of the IPv6 network that a customer of a provider may have as a whole
SITE_BITS: Final = 48


@attrs.frozen
class Rule:
    """Failures that are counted together, and whom they lock."""

    #: `crowd`: an address that stands for many people; it is counted and never locked
    kind: Literal["name-here", "name", "network", "crowd"]
    place: Place
    name: str
    network: str
    limit: int  #: failures
    period: int  #: in so many seconds

    @property
    def key(self) -> str:
        """Where it is counted, and marked."""
        return key_of(self.place, self.name, self.network)

    def mark(self, store: Store, now: float) -> Mark | None:
        """Return the lock-out, in force or only remembered."""
        return store.marks.get("locked", self.key, now)

    def enter(self, store: Store, now: float, mark: Mark | None) -> bool:
        """Say whether one more attempt may be made, of all that are made at this moment.

        After a lock-out there is one. Before the first one, those of one name from one network
        are counted when they begin, so that not one more gets through; others when they fail.
        """
        if mark:
            return self.alone(store, now)
        if self.kind != "name-here":
            return True
        if self.left(store, now) < 0:
            return False
        if self.mark(store, now):  # locked since then: the count has begun anew, and stays so
            self.forget(store)
            return False
        return True

    def alone(self, store: Store, now: float) -> bool:
        """Say, to one of all who ask at this moment, that nobody else has asked."""
        return store.hit(f"alone|{self.key}", 1, MOMENT, now)[0] >= 0

    def left(self, store: Store, now: float, weight: int = 1) -> int:
        """Count a failure, or with no weight only look; return how many more may follow."""
        return store.hit(f"failed|{self.key}", self.limit, self.period, now, weight)[0]

    def forget(self, store: Store) -> None:
        """Let the count begin anew."""
        store.forget(f"failed|{self.key}", self.limit, self.period)

    def lock(self, store: Store, now: float, times: int = 1) -> None:
        """Lock, for the `times`th time."""
        seconds = length(times)
        store.marks.put("locked", self.key, now, seconds, times=times, keep=REMEMBERED)
        self.forget(store)

    def reopen(self, store: Store, now: float, times: int) -> None:
        """Take back a lock-out; so many before it are still remembered."""
        store.forget(f"alone|{self.key}", 1, MOMENT)
        store.marks.put("locked", self.key, now, 0, times=times, keep=REMEMBERED)

    def forgive(self, store: Store) -> None:
        """Forget all failures and lock-outs."""
        store.marks.remove("locked", self.key)
        store.forget(f"alone|{self.key}", 1, MOMENT)
        self.forget(store)


@attrs.frozen
class Locked:
    """A lock-out that is in force."""

    place: str  #: what they cannot log in to
    name: str  #: as it is counted (`logins.fold`); empty where a whole network is locked
    network: str  #: an IPv4 address or an IPv6 network; empty for a name from everywhere
    left: float  #: seconds
    times: int  #: which one it is, since the last one that was forgiven


def locked(store: Store, now: float) -> list[Locked]:
    """Return the lock-outs that are in force, the longest first."""
    found: list[Locked] = []
    for mark in store.marks.all("locked", now):
        place, network, name = mark.key.split("|", 2)
        found.append(Locked(place, name, network, mark.left, mark.times))
    return found


def unlock(store: Store, name: str) -> bool:
    """Let a name in from everywhere, or a network; False where it was not locked."""
    networks = {one.network for one in locked(store, monotonic())} | {""}
    keys: set[str] = set()
    for place in PLACES:
        keys.add(key_of(place, "", name))
        if folded := fold(name):
            keys |= {key_of(place, folded, network) for network in networks}
    removed = [store.marks.remove("locked", key) for key in keys]
    return any(removed)


def key_of(place: str, name: str, network: str) -> str:
    """Return under which key a name, a network or both are counted and marked."""
    return f"{place}|{network}|{name}"


def length(times: int) -> int:
    """Return the seconds of the `times`th lock-out."""
    return LENGTHS[min(times, len(LENGTHS)) - 1]


def stands_for_many(request: Request) -> bool:
    """Say whether all kinds of people may come from this request's address.

    Behind a proxy that is not declared they do, and from a loopback address they may: there
    are proxies that leave no trace.
    """
    client = request.client
    return request.undeclared or client.loopback or client.ip is None


def around(client: Address) -> str:
    """Return the network around an IPv6 /64 that may be one customer's; empty for IPv4."""
    if not isinstance(client.ip, IPv6Address):
        return ""
    return str(ip_network((client.ip, SITE_BITS), strict=False))
