"""Where hits are counted. A store has one operation, `hit`, and knows nothing of guards."""

from typing import NamedTuple, Protocol


class Count(NamedTuple):
    """What a hit came to."""

    #: hits left in the window; negative: this one was over the limit and was not counted
    left: int
    #: seconds: over the limit, until a hit may pass; else until the window is over
    wait: float


class Store(Protocol):
    """Counts hits on keys."""

    def hit(self, key: str, limit: int, period: int, now: float) -> Count:
        """Count one hit on `key`, of which `limit` may pass in `period` seconds.

        `now` is in seconds on a clock that never steps back.
        """
        ...
