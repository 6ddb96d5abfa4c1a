"""Lock-outs that grow: who may not try for a while, for how long, and how it is forgotten.

A key is `network|name`: `192.0.2.1|ann` for a name from one network, `|ann` for a name from
everywhere, `192.0.2.1|` for a network. It is marked as `locked` in the store. What was counted
under it before is forgotten then, so to take the mark away is all that unlocking takes.
"""

from time import monotonic
from typing import Final

import attrs

from .jampy.logins import fold
from .stores import Mark, Store

#: seconds of the first lock-out, the second and so on; the last one for all that follow
LENGTHS: Final = (60, 300, 900, 3600)
#: seconds after a lock-out until it is forgiven, so that the next one is a first one
REMEMBERED: Final = 86400


@attrs.frozen
class Locked:
    """A lock-out that is in force."""

    name: str  #: as it is counted (`logins.fold`); empty where a whole network is locked
    network: str  #: an IPv4 address or an IPv6 network; empty for a name from everywhere
    left: float  #: seconds
    times: int  #: which one it is, since the last one that was forgiven


def key_of(name: str, network: str) -> str:
    """Return under which key a name, a network or both are locked."""
    return f"{network}|{name}"


def lock(store: Store, key: str, now: float, times: int) -> int:
    """Lock a key, for the `times`th time; return for how many seconds."""
    seconds = LENGTHS[min(times, len(LENGTHS)) - 1]
    store.marks.put("locked", key, now, seconds, times=times, keep=REMEMBERED)
    return seconds


def reopen(store: Store, mark: Mark, now: float) -> None:
    """Take back the lock-out that followed `mark`, which was over already."""
    store.marks.put("locked", mark.key, now, 0, times=mark.times, keep=REMEMBERED)


def locked(store: Store, now: float) -> list[Locked]:
    """Return the lock-outs that are in force, the longest first."""
    found: list[Locked] = []
    for mark in store.marks.all("locked", now):
        network, _, name = mark.key.partition("|")
        found.append(Locked(name, network, mark.left, mark.times))
    return found


def unlock(store: Store, name: str) -> bool:
    """Let a name in from everywhere, or a network; False where it was not locked."""
    keys = {key_of("", name)}
    if folded := fold(name):
        networks = {one.network for one in locked(store, monotonic())}
        keys |= {key_of(folded, network) for network in (*networks, "")}
    removed = [store.marks.remove("locked", key) for key in keys]
    return any(removed)
