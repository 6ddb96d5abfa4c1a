"""Counting for all processes of one machine, in one memory-mapped file of fixed size.

A hit reads and writes one slot under a lock on one byte of the file, which the system drops
when its process dies. There are two tables, so that a flood on one leaves the other alone:

- *counters*, for large limits: a sliding window out of two whole ones, in three words;
- *logs*, for limits of up to `FEW`: the time of every hit, so it is exact in any window.

A key has eight places. A newcomer takes a free or an outlived one, else that of the key with
the fewest hits: to push a busy key out, one needs keys that are as busy themselves.

The clock is `time.monotonic`, which is one for the whole machine and never steps.
"""

import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from ..cache import Bounded
from . import MOST_MARKS, Count, Kind
from .locks import Threaded, unlock
from .mapped import HEADER_WORDS, LAYOUT, MappedFile
from .marks import SharedMarks
from .process import ProcessStore, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WAYS: Final = 8
COUNTER_WORDS: Final = 3  #: key, end of life, window | before | current
LOG_WORDS: Final = 16  #: key, end of life, times of hits in microseconds
FEW: Final = LOG_WORDS - 2

COUNT_BITS: Final = 20
COUNT_MASK: Final = (1 << COUNT_BITS) - 1
WINDOW_MASK: Final = (1 << 24) - 1
MICRO: Final = 1_000_000

#: where files are memory, on Linux
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the file's name and owner are checked
#: the longest key whose place is remembered; who sends long ones gains no memory by it
LONG_KEY: Final = 200


class SharedStore:
    """Counts hits in the file at `path`, together with all processes that have it open.

    A process opens a file once: see `shared_store`. Raises `SharedFileError`.
    """

    def __init__(
        self,
        path: Path,
        *,
        counters: int = 65536,
        logs: int = 8192,
        marks: "Mapping[Kind, int]" = MOST_MARKS,
    ) -> None:
        self.path = path
        self._counter_buckets = counters // WAYS
        self._log_buckets = logs // WAYS
        self._logs_at = HEADER_WORDS + counters * COUNTER_WORDS
        marks_at = self._logs_at + logs * LOG_WORDS
        self._file = MappedFile(path, marks_at + SharedMarks.words(marks))
        self._words = self._file.words
        #: key -> its hash, its bucket's first word, and where it was found last
        self._places: Bounded[tuple[str, int, bool], list[int]] = Bounded(4096)
        self._alone = ProcessStore()
        self.marks = SharedMarks(self._file, marks_at, marks)

    @property
    def remade(self) -> bool:
        """Whether a torn or foreign file was in its place."""
        return self._file.remade

    @property
    def lost(self) -> "Callable[[str], None] | None":
        """Is told, in a few words, when the file cannot be used for a while."""
        return self._file.lost

    @lost.setter
    def lost(self, tell: "Callable[[str], None] | None") -> None:
        self._file.lost = tell

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`. A weight of 0 only looks."""
        few = limit <= FEW
        place = self._places.get((key, period, few)) or self._place(key, period, few=few)
        base = place[1]
        file = self._file
        with file.threads:
            if now < file.alone_until or not file.hold(base, now):
                return self._alone.hit(key, limit, period, now, weight)
            try:
                slot = place[2]
                if self._words[slot] != place[0]:
                    slot = place[2] = self._slot(place[0], base, now, few=few)
                if few:
                    return self._log(slot, limit, period, now, weight)
                return self._count(slot, limit, period, now, weight)
            finally:
                unlock(file.number, base)

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        few = limit <= FEW
        number, base, _ = self._place(key, period, few=few)
        width = LOG_WORDS if few else COUNTER_WORDS
        self._alone.forget(key, limit, period)
        with self._file.held(base, monotonic()) as held:
            for slot in range(base, base + WAYS * width, width):
                if held and self._words[slot] == number:
                    self._words[slot] = 0

    def _place(self, key: str, period: int, *, few: bool) -> list[int]:
        number = self._file.hash(f"{period}|{key}")
        if few:
            base = self._logs_at + number % self._log_buckets * WAYS * LOG_WORDS
        else:
            base = HEADER_WORDS + number % self._counter_buckets * WAYS * COUNTER_WORDS
        place = [number, base, base]
        return self._places.put((key, period, few), place) if len(key) <= LONG_KEY else place

    def _slot(self, number: int, base: int, now: float, *, few: bool) -> int:
        """Return the slot of a key: its own, or one that is made its own."""
        words = self._words
        width = LOG_WORDS if few else COUNTER_WORDS
        slots = range(base, base + WAYS * width, width)
        for slot in slots:
            if words[slot] == number:
                return slot
        slot = min(slots, key=lambda slot: self._worth(slot, now, few=few))
        # a process may be killed between any two of these: a slot without a key is free
        words[slot] = 0
        for word in range(slot + 1, slot + width):
            words[word] = 0
        words[slot] = number
        return slot

    def _worth(self, slot: int, now: float, *, few: bool) -> tuple[int, int]:
        """Say how much is lost with a slot: hits, then the rest of its life."""
        words = self._words
        end = words[slot + 1]
        if words[slot] == 0 or end <= now:
            return 0, 0
        if few:
            return sum(time > 0 for time in words[slot + 2 : slot + LOG_WORDS]), end
        value = words[slot + 2]
        return (value & COUNT_MASK) + (value >> COUNT_BITS & COUNT_MASK), end

    def _count(self, slot: int, limit: int, period: int, now: float, weight: int) -> Count:
        words = self._words
        number, elapsed = divmod(now, period)
        window = int(number + 1) & WINDOW_MASK  # zero is no window, as long as it matters
        value = words[slot + 2]
        current, before, last = (
            value & COUNT_MASK,
            value >> COUNT_BITS & COUNT_MASK,
            value >> 2 * COUNT_BITS,
        )
        if last != window:
            # a clock of another process may be a moment behind, in the window before
            if (last - 1) & WINDOW_MASK == window and current + before:
                window, elapsed = last, 0.0
            else:
                before = current if (last + 1) & WINDOW_MASK == window else 0
                current = 0
                words[slot + 1] = int(now - elapsed) + 2 * period + 1
        room = limit - before * (1 - elapsed / period) - current
        if room < max(weight, 1):
            return -1, wait(limit, period, elapsed, before, current, max(weight, 1))
        if weight:
            current += weight
            words[slot + 2] = window << 2 * COUNT_BITS | before << COUNT_BITS | current
        return int(room - weight), period - elapsed

    def _log(self, slot: int, limit: int, period: int, now: float, weight: int) -> Count:
        words = self._words
        moment = int(now * MICRO) + 1  # zero is no time
        horizon = max(0, moment - period * MICRO)  # 0: the machine is younger than a period
        ahead = moment + MICRO  # another process may have looked at the clock a little later
        times = words[slot + 2 : slot + LOG_WORDS].tolist()
        alive = sorted(time for time in times if horizon < time <= ahead)
        left = limit - len(alive) - max(weight, 1)
        if left < 0:
            # the hit that has to grow old before `weight` more fit
            oldest = alive[min(-left, len(alive)) - 1] if alive else moment
            return -1, max(0.0, period - (moment - oldest) / MICRO)
        if weight:
            words[slot + 1] = int(now) + period + 1
            free = [at for at, time in enumerate(times) if not horizon < time <= ahead]
            for at in free[:weight]:
                words[slot + 2 + at] = moment
        else:
            left += 1
        first = alive[0] if alive else moment
        return left, period - (moment - first) / MICRO


def shared_path(project: Path, folder: str = "") -> Path:
    """Return where the processes that serve the project in this folder meet.

    In memory where there is such a folder, and by the same rule for whoever asks: a worker,
    or a command that an operator types.
    """
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    name = blake2b(os.fsencode(project.resolve()), digest_size=12).hexdigest()
    place = Path(folder or (MEMORY if os.access(MEMORY, os.W_OK) else tempfile.gettempdir()))
    return place.resolve() / f"jamguard-{LAYOUT}-{user}-{name}"


class _Opened(Threaded):
    """The stores that this process has opened, each file once: see `MappedFile`."""

    def __init__(self) -> None:
        super().__init__()
        self._stores: WeakValueDictionary[Path, SharedStore] = WeakValueDictionary()

    def get(self, path: Path) -> SharedStore:
        """Return the store at `path`, opened when it is not yet."""
        with self.threads:
            store = self._stores.get(path)
            if store is None:
                store = self._stores[path] = SharedStore(path)
            return store


_opened: Final = _Opened()


def shared_store(path: Path) -> SharedStore:
    """Return this process's store at `path`. Raises `SharedFileError`."""
    return _opened.get(path)
