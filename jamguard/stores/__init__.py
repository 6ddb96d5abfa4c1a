"""Where hits are counted, and marks kept. A store knows nothing of guards.

Whoever shares a store (the workers of a machine, several machines) sees the same counts and
the same marks.
"""

from typing import Final, Literal, Protocol

import attrs

#: what a hit came to: how many are left in the window, negative where this one was over the
#: limit and not counted; and seconds, in that case until a hit may pass, else until the
#: window is over. A plain tuple: it is made at each request.
Count = tuple[int, float]

#: what a key is marked as: a banned network, a login that is locked, an address from which a
#: name has logged in, a session that has ended
Kind = Literal["banned", "locked", "known", "ended"]

#: how many marks of a kind are kept at most; those that are over the soonest go first
MOST_MARKS: Final[dict[Kind, int]] = {
    "banned": 2048,
    "locked": 8192,
    "known": 8192,
    "ended": 16384,
}


@attrs.frozen
class Mark:
    """What is remembered of a key."""

    key: str
    left: float  #: seconds for which it is in force; 0 when it is only remembered
    times: int  #: how often the key was marked, as its marker counts
    why: str = ""  #: in a word or two


class Marks(Protocol):
    """Remembers keys for a while. `now` is in seconds on the store's clock, see `Store`."""

    def put(
        self,
        kind: Kind,
        key: str,
        now: float,
        seconds: float,
        *,
        times: int = 1,
        keep: float = 0.0,
        why: str = "",
    ) -> None:
        """Mark `key` for `seconds`, in place of an older mark, and remember it `keep` longer."""
        ...

    def get(self, kind: Kind, key: str, now: float) -> Mark | None:
        """Return the mark of `key`; None when there is none, or none any more."""
        ...

    def remove(self, kind: Kind, key: str) -> bool:
        """Take a mark away; False when there was none."""
        ...

    def all(self, kind: Kind, now: float) -> list[Mark]:
        """Return the marks that are in force, the longest first."""
        ...


class Store(Protocol):
    """Counts hits on keys, and keeps marks."""

    @property
    def marks(self) -> Marks:
        """The marks that are kept beside the counters."""
        ...

    @property
    def away(self) -> bool:
        """Whether those who share this store are out of reach for the moment."""
        ...

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit on `key`, of which `limit` may pass in `period` seconds.

        It counts as `weight` hits; with 0 it is not counted, only looked at. `now` is in
        seconds on a clock that never steps back (`time.monotonic`).
        """
        ...

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        ...
