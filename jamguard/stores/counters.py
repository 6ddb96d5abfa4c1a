"""Counters of large limits, for all processes of one machine, in a part of their mapped file.

A key's slot has a column for each process, which that process alone writes: the hits of this
window and of the one before. So far from the limit nobody has to wait: a process adds its
hit, then reads what all have. Only where the sum comes near the limit do they take turns, by
a lock on the slot's bucket. Whoever adds before reading is seen by all that read later, so
the limit is never passed.

A column is claimed by a lock that its process holds for life; what a dead process has counted
stays until its window is over. Processes without a column share the last one, under the lock.
"""

import os
from typing import Final

from ..cache import Bounded
from . import Count
from .locks import lock, unlock
from .mapped import MappedFile
from .process import wait

WAYS: Final = 8
#: the key, when all of it is over (microseconds), and the columns: window | before | current
WORDS: Final = 16
COLUMNS: Final = WORDS - 2
SHARED_COLUMN: Final = COLUMNS - 1

MICRO: Final = 1_000_000
BITS: Final = 20
MASK: Final = (1 << BITS) - 1
WINDOWS: Final = (1 << 24) - 1
#: hits below the limit from which on processes take turns: what all columns together may
#: gain while one of them is read, if each hit is light
NEAR: Final = 64
LIGHT: Final = NEAR // COLUMNS

#: the longest key whose place is remembered; who sends long ones gains no memory by it
LONG_KEY: Final = 200


class Counters:
    """Counts hits in `size` slots of a file, of eight in a bucket."""

    def __init__(self, file: MappedFile, first: int, size: int) -> None:
        """Count from the word `first` on."""
        self._file = file
        self._words = file.words
        self._first = first
        self._buckets = size // WAYS
        #: key -> its hash, its bucket's first word, where it was found last, and in which
        #: window it came near the limit
        self._places: Bounded[tuple[str, int], list[int]] = Bounded(4096)
        self._process = 0
        self._column = SHARED_COLUMN

    @staticmethod
    def words(size: int) -> int:
        """Return how much of a file `size` slots need."""
        return size * WORDS

    def hit(self, key: str, limit: int, period: int, now: float, weight: int) -> Count | None:
        """Count a hit; see `Store`. None when the file cannot be had."""
        place = self._places.get((key, period)) or self._place(key, period)
        words = self._words
        number, elapsed = divmod(now, period)
        window = int(number + 1) & WINDOWS  # zero is no window, as long as it matters
        with self._file.threads:
            if self._process != os.getpid():
                self._claim()  # not in a hook of the fork: uWSGI calls none
            slot = place[2]
            if (
                words[slot] == place[0]
                and place[3] != window
                and self._column != SHARED_COLUMN
                and weight <= LIGHT
            ):
                column = slot + 2 + self._column
                value = rolled(words[column], window)
                words[column] = value + weight
                before, current = _sums(words[slot + 2 : slot + WORDS].tolist(), window)
                room = limit - before * (1 - elapsed / period) - current
                if words[slot] != place[0]:  # it was somebody else's place already
                    value = 0
                elif room > NEAR:
                    if current == weight:
                        words[slot + 1] = int((now + 2 * period) * MICRO)
                    return int(room), period - elapsed
                else:
                    place[3] = window
                words[column] = value
            if now < self._file.alone_until or not self._file.hold(place[1], now):
                return None
            try:
                return self._in_turn(place, limit, period, now, weight)
            finally:
                unlock(self._file.number, place[1])

    def _in_turn(self, place: list[int], limit: int, period: int, now: float, weight: int) -> Count:
        """Count a hit while all others that come near the limit wait."""
        words = self._words
        number, elapsed = divmod(now, period)
        window = int(number + 1) & WINDOWS
        slot = place[2]
        if words[slot] != place[0]:
            slot = place[2] = self._slot(place[0], place[1], now)
        column = slot + 2 + self._column
        value = rolled(words[column], window)
        words[column] = value + min(weight, MASK - (value & MASK))  # more is over any limit
        before, current = _sums(words[slot + 2 : slot + WORDS].tolist(), window)
        least = max(weight, 1)
        room = limit - before * (1 - elapsed / period) - current
        if room < least - weight:
            words[column] = value
            return -1, wait(limit, period, elapsed, before, current - weight, least)
        words[slot + 1] = int((now + 2 * period) * MICRO)
        return int(room), period - elapsed

    def forget(self, key: str, period: int, now: float) -> None:
        """Let the count of `key` begin anew."""
        number, base, *_ = self._place(key, period)
        with self._file.held(base, now) as held:
            for slot in self._slots(base) if held else ():
                if self._words[slot] == number:
                    self._words[slot] = 0

    def _claim(self) -> None:
        """Look for a column that no process has."""
        self._process = os.getpid()
        for column in range(SHARED_COLUMN):
            # locks far behind the words: nobody counts there
            if lock(self._file.number, self._file.size + column, patience=0):
                self._column = column
                return
        self._column = SHARED_COLUMN

    def _place(self, key: str, period: int) -> list[int]:
        number = self._file.hash(f"{period}|{key}")
        base = self._first + number % self._buckets * WAYS * WORDS
        place = [number, base, base, -1]
        return self._places.put((key, period), place) if len(key) <= LONG_KEY else place

    @staticmethod
    def _slots(base: int) -> range:
        return range(base, base + WAYS * WORDS, WORDS)

    def _slot(self, number: int, base: int, now: float) -> int:
        """Return the slot of a key: its own, or one that is made its own."""
        words = self._words
        for slot in self._slots(base):
            if words[slot] == number:
                return slot
        slot = min(self._slots(base), key=lambda slot: self._worth(slot, now))
        # a process may be killed between any two of these: a slot without a key is free
        words[slot] = 0
        for word in range(slot + 1, slot + WORDS):
            words[word] = 0
        words[slot] = number
        return slot

    def _worth(self, slot: int, now: float) -> tuple[int, int]:
        """Say how much is lost with a slot: hits, then the rest of its life."""
        words = self._words
        end = words[slot + 1]
        if words[slot] == 0 or end <= now * MICRO:
            return 0, 0
        columns = words[slot + 2 : slot + WORDS].tolist()
        return sum((value & MASK) + (value >> BITS & MASK) for value in columns), end


def rolled(value: int, window: int) -> int:
    """Return a column as it stands at the beginning of a hit in `window`."""
    last = value >> 2 * BITS
    if last == window or last == (window + 1) & WINDOWS:  # a thread that looked at the clock later
        return value
    before = value & MASK if last == (window - 1) & WINDOWS else 0
    return window << 2 * BITS | before << BITS


def _sums(columns: list[int], window: int) -> tuple[int, int]:
    """Add up the hits of all processes in the window before, and in this one."""
    before = current = 0
    for value in filter(None, columns):
        last = value >> 2 * BITS
        if last == window:
            before += value >> BITS & MASK
            current += value & MASK
        elif last == (window - 1) & WINDOWS:
            before += value & MASK
        elif last == (window + 1) & WINDOWS:  # a process that looked at the clock later
            current += (value >> BITS & MASK) + (value & MASK)
    return before, current
