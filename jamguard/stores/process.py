"""Counting in this process: a sliding-window counter in bounded memory.

Two whole windows are kept for a key, and the older one counts in proportion to how much
of it the sliding window still covers. So never more than the limit passes in the first
window, and no burst of twice the limit at a boundary.

`limits` has a store of this kind; it keeps every key it ever saw and starts a thread to
sweep them, at a third of a millisecond a hit with 100,000 clients.
"""

from . import MOST_MARKS, Count, Kind, Mark
from .locks import Threaded


class ProcessStore(Threaded):
    """Counts in a dictionary that cannot grow beyond twice `size` keys.

    Keys live in two generations; when the younger is full, the elder is forgotten. A flood
    of distinct keys can therefore flush counters, and each worker process counts alone.
    """

    def __init__(self, size: int = 16384) -> None:
        super().__init__()
        self._size = size
        self._young: dict[str, list[int]] = {}
        self._old: dict[str, list[int]] = {}
        self.marks = ProcessMarks()
        self.away = False

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`."""
        window, elapsed = divmod(now, period)
        with self.threads:
            counter = self._young.get(key) or self._adopt(key)
            # counter: number of the window, hits in the one before it, hits in it
            if counter[0] == window + 1:  # a thread that looked at the clock later
                window, elapsed = window + 1, 0.0
            if counter[0] != window:
                counter[1] = counter[2] if counter[0] == window - 1 else 0
                counter[0], counter[2] = int(window), 0
            room = limit - counter[1] * (1 - elapsed / period) - counter[2]
            if room >= max(weight, 1):
                counter[2] += weight
                return int(room - weight), period - elapsed
            before, current = counter[1], counter[2]
        return -1, wait(limit, period, elapsed, before, current, max(weight, 1))

    def forget(self, key: str, limit: int, period: int) -> None:  # noqa: ARG002 - see `Store`
        """Let the count of `key` begin anew."""
        with self.threads:
            self._young.pop(key, None)
            self._old.pop(key, None)

    def clear(self) -> None:
        """Forget all counts and marks."""
        with self.threads:
            self._young.clear()
            self._old.clear()
        self.marks.clear()

    def _adopt(self, key: str) -> list[int]:
        counter = self._old.pop(key, None) or [0, 0, 0]
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = counter
        return counter


class ProcessMarks(Threaded):
    """Marks in dictionaries that cannot grow beyond `MOST_MARKS`; see `Marks`."""

    def __init__(self) -> None:
        super().__init__()
        #: key -> when the mark is over, when it is forgotten, how often, why
        self._kept: dict[Kind, dict[str, tuple[float, float, int, str]]] = {
            kind: {} for kind in MOST_MARKS
        }

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
        """Mark `key`; see `Marks`."""
        kept = self._kept[kind]
        with self.threads:
            if key not in kept and len(kept) >= MOST_MARKS[kind]:
                del kept[min(kept, key=lambda key: kept[key][:2])]
            kept[key] = (now + seconds, now + seconds + keep, times, why)

    def get(self, kind: Kind, key: str, now: float) -> Mark | None:
        """Return the mark of `key`; see `Marks`."""
        found = self._kept[kind].get(key)
        if found is None or found[1] <= now:
            return None
        return Mark(key, max(0.0, found[0] - now), found[2], found[3])

    def remove(self, kind: Kind, key: str) -> bool:
        """Take a mark away; see `Marks`."""
        with self.threads:
            return self._kept[kind].pop(key, None) is not None

    def all(self, kind: Kind, now: float) -> list[Mark]:
        """Return the marks in force; see `Marks`."""
        with self.threads:
            kept = list(self._kept[kind].items())
        marks = [
            Mark(key, end - now, times, why) for key, (end, _, times, why) in kept if end > now
        ]
        return sorted(marks, key=lambda mark: -mark.left)

    def clear(self) -> None:
        """Forget all marks."""
        with self.threads:
            for kept in self._kept.values():
                kept.clear()


def wait(
    limit: int, period: int, elapsed: float, before: int, current: int, weight: int = 1
) -> float:
    """Return the seconds until a hit of `weight` fits under the limit again.

    `before` and `current` are the hits in the two windows, of which the current one began
    `elapsed` seconds ago.
    """
    if weight > limit:  # it never does; after that time nothing is counted any more
        return 2 * period - elapsed
    room = limit - weight - current
    if room >= 0:
        # the older window has to slide out until its share is at most `room`
        return max(0.0, period * (1 - room / before) - elapsed)
    # this window has to become the older one first
    return period - elapsed + period * (1 - (limit - weight) / current)
