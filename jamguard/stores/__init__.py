"""Where hits are counted. A store has one operation, `hit`, and knows nothing of guards."""

from typing import Protocol

#: what a hit came to: how many are left in the window, negative where this one was over the
#: limit and not counted; and seconds, in that case until a hit may pass, else until the
#: window is over. A plain tuple: it is made at each request.
Count = tuple[int, float]


class Store(Protocol):
    """Counts hits on keys."""

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit on `key`, of which `limit` may pass in `period` seconds.

        It counts as `weight` hits; with 0 it is not counted, only looked at. `now` is in
        seconds on a clock that never steps back (`time.monotonic`).
        """
        ...
