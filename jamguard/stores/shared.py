"""Counting for all processes of one machine, in one memory-mapped file of fixed size.

There are three tables, so that a flood on one leaves the others alone:

- *counters*, for large limits: a sliding window out of two whole ones, see `counters`;
- *long counters*, the same for periods of an `HOUR` and more, such as a day's failed logins;
- *logs*, for limits of up to `FEW`: the time of every hit, so it is exact in any window.

A key has eight places. A newcomer takes a free or an outlived one, else that of the key with
the fewest hits: to push a busy key out, one needs keys that are as busy themselves.

The clock is `time.monotonic`, which is one for the whole machine and never steps.
"""

import os
import tempfile
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from ..cache import Bounded
from . import MOST_MARKS, Count, Kind
from .counters import LONG_KEY, WAYS, Counters
from .locks import Threaded, unlock
from .mapped import HEADER_WORDS, LAYOUT, MappedFile, SharedFileError
from .marks import SharedMarks
from .process import ProcessStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOG_WORDS: Final = 16  #: key, end of life, times of hits in microseconds
FEW: Final = LOG_WORDS - 2

MICRO: Final = 1_000_000
HOUR: Final = 3600

#: where files are memory, on Linux
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the file's name and owner are checked


class SharedStore:
    """Counts hits in the file at `path`, together with all processes that have it open.

    A process opens a file once: see `shared_store`. Raises `SharedFileError`.
    """

    def __init__(
        self,
        path: Path,
        *,
        counters: int = 32768,
        long_counters: int = 8192,
        logs: int = 8192,
        marks: "Mapping[Kind, int]" = MOST_MARKS,
    ) -> None:
        self.path = path
        self._log_buckets = logs // WAYS
        long_at = HEADER_WORDS + Counters.words(counters)
        self._logs_at = long_at + Counters.words(long_counters)
        marks_at = self._logs_at + logs * LOG_WORDS
        self._file = MappedFile(path, marks_at + SharedMarks.words(marks))
        self._words = self._file.words
        self._counters = Counters(self._file, HEADER_WORDS, counters)
        self._long_counters = Counters(self._file, long_at, long_counters)
        #: key -> its hash, its bucket's first word, and where it was found last
        self._places: Bounded[tuple[str, int], list[int]] = Bounded(4096)
        self._alone = ProcessStore()
        self.marks = SharedMarks(self._file, marks_at, marks)
        self.away = False

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
        count = self._of(period).hit if limit > FEW else self._log
        return count(key, limit, period, now, weight) or self._alone.hit(
            key, limit, period, now, weight
        )

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        now = monotonic()
        self._alone.forget(key, limit, period)
        if limit > FEW:
            self._of(period).forget(key, period, now)
            return
        number, base, _ = self._place(key, period)
        with self._file.held(base, now) as held:
            for slot in range(base, base + WAYS * LOG_WORDS, LOG_WORDS):
                if held and self._words[slot] == number:
                    self._words[slot] = 0

    def _of(self, period: int) -> Counters:
        return self._counters if period < HOUR else self._long_counters

    def _log(self, key: str, limit: int, period: int, now: float, weight: int) -> Count | None:
        """Count a hit by its time; None when the file cannot be had."""
        place = self._places.get((key, period)) or self._place(key, period)
        file = self._file
        with file.threads:
            if now < file.alone_until or not file.hold(place[1], now):
                return None
            try:
                slot = place[2]
                if self._words[slot] != place[0]:
                    slot = place[2] = self._slot(place[0], place[1], now)
                return self._note(slot, limit, period, now, weight)
            finally:
                unlock(file.number, place[1])

    def _place(self, key: str, period: int) -> list[int]:
        number = self._file.hash(f"{period}|{key}")
        base = self._logs_at + number % self._log_buckets * WAYS * LOG_WORDS
        place = [number, base, base]
        return self._places.put((key, period), place) if len(key) <= LONG_KEY else place

    def _slot(self, number: int, base: int, now: float) -> int:
        """Return the slot of a key: its own, or one that is made its own."""
        words = self._words
        slots = range(base, base + WAYS * LOG_WORDS, LOG_WORDS)
        for slot in slots:
            if words[slot] == number:
                return slot
        slot = min(slots, key=lambda slot: self._worth(slot, now))
        # a process may be killed between any two of these: a slot without a key is free
        words[slot] = 0
        for word in range(slot + 1, slot + LOG_WORDS):
            words[word] = 0
        words[slot] = number
        return slot

    def _worth(self, slot: int, now: float) -> tuple[int, int]:
        """Say how much is lost with a slot: hits, then the rest of its life."""
        words = self._words
        end = words[slot + 1]
        if words[slot] == 0 or end <= now:
            return 0, 0
        return sum(time > 0 for time in words[slot + 2 : slot + LOG_WORDS]), end

    def _note(self, slot: int, limit: int, period: int, now: float, weight: int) -> Count:
        words = self._words
        moment = int(now * MICRO) + 1  # zero is no time
        horizon = max(0, moment - period * MICRO)  # 0: the machine is younger than a period
        ahead = moment + MICRO  # another process may have looked at the clock a little later
        times = words[slot + 2 : slot + LOG_WORDS].tolist()
        alive = [time for time in times if horizon < time <= ahead]
        left = limit - len(alive) - max(weight, 1)
        if left < 0:
            # the hit that has to grow old before `weight` more fit
            oldest = sorted(alive)[min(-left, len(alive)) - 1] if alive else moment
            return -1, max(0.0, period - (moment - oldest) / MICRO)
        if weight:
            words[slot + 1] = int(now) + period + 1
            free = (at for at, time in enumerate(times) if not horizon < time <= ahead)
            for at in islice(free, weight):
                words[slot + 2 + at] = moment
        else:
            left += 1
        first = min(alive, default=moment)
        return left, period - (moment - first) / MICRO


def shared_path(project: Path, folder: str = "") -> Path:
    """Return where the processes that serve the project in this folder meet.

    In memory where there is such a folder, and by the same rule for whoever asks: a worker,
    or a command that an operator types. Raises `SharedFileError` for a folder that is the
    project's own, from which files are served.
    """
    if folder and Path(folder).resolve().is_relative_to(project.resolve()):
        raise SharedFileError(f"{folder} is in the project's folder, and files there are served")
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
