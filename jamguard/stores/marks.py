"""Marks for all processes of one machine, in a part of their mapped file.

Each kind has a region of its own, so that a flood of one never pushes out another. A key has
`WAYS` places, of which the hashes lie side by side, the records elsewhere. Writers take turns
by a lock on the region. Readers take none: a record carries a checksum, and one that does not
match is read again under the lock. While a kind has no mark at all, one word tells.
"""

import sys
from collections.abc import Mapping
from struct import Struct
from time import monotonic
from typing import Final
from zlib import crc32

import attrs

from ..cache import Bounded
from . import MOST_MARKS, Kind, Mark
from .mapped import WORD, MappedFile
from .process import ProcessMarks

WAYS: Final = 32
#: checksum, times, when it is over, when it is forgotten, lengths of why and key, their text
RECORD: Final = Struct("<IIddBB102s")
RECORD_WORDS: Final = RECORD.size // WORD
TEXT_BYTES: Final = 102
WHY_BYTES: Final = 24
MORE: Final = "…".encode()  #: stands for what there was no room for
MOST_TIMES: Final = (1 << 32) - 1
SEED: Final = (1 << 32) - 1  #: what of a hash the checksum begins with
#: the longest key whose hash is remembered; who sends long ones gains no memory by it
LONG_KEY: Final = 200

#: checksum, times, when it is over, when it is forgotten, two lengths, the text
Content = tuple[int, int, float, float, int, int, bytes]
#: hash of a key, its bytes as they lie in the file, the word at which its bucket begins
Spot = tuple[int, bytes, int]
#: key, when the mark is over, when it is forgotten, how often, why
Record = tuple[str, float, float, int, str]


@attrs.frozen
class _Region:
    """The places of a kind, as numbers of words."""

    head: int  #: when the last mark is forgotten; the byte of this number is the lock
    hashes: int
    places: int

    @property
    def records(self) -> int:
        return self.hashes + self.places

    def spot(self, number: int) -> Spot:
        bucket = self.hashes + number % (self.places // WAYS) * WAYS
        return number, number.to_bytes(WORD, sys.byteorder), bucket

    def record(self, place: int) -> int:
        """Return the byte at which the record of the hash in word `place` begins."""
        return (self.records + (place - self.hashes) * RECORD_WORDS) * WORD


class SharedMarks:
    """Marks that all processes see which have the same file; see `Marks`."""

    def __init__(
        self, file: MappedFile, first: int, sizes: Mapping[Kind, int] = MOST_MARKS
    ) -> None:
        """Keep them from the word `first` on, at most `sizes` of a kind."""
        self._file = file
        self._regions: dict[Kind, _Region] = {}
        for kind, most in sizes.items():
            self._regions[kind] = _Region(first, first + 1, most)
            first += self.words({kind: most})
        self._spots: Bounded[tuple[Kind, str], Spot] = Bounded(4096)
        #: what was marked while the file could not be had
        self._alone = ProcessMarks()
        self._was_alone = False

    @staticmethod
    def words(sizes: Mapping[Kind, int]) -> int:
        """Return how much of a file is needed."""
        return sum(1 + most * (1 + RECORD_WORDS) for most in sizes.values())

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
        region, spot = self._regions[kind], self._spot(kind, key)
        number = spot[0]
        end = now + seconds
        forgotten = end + keep
        content = _pack(number, (key, end, forgotten, times, why))
        words, moments = self._file.words, self._file.seconds
        with self._file.held(region.head, now) as held:
            if held:
                moments[region.head] = max(moments[region.head], forgotten)
                place = self._find(spot)
                if place is None:
                    place = self._place(region, spot)
                    words[place] = 0  # nobody's, until its record is written
                at = region.record(place)
                self._file.map[at : at + RECORD.size] = content
                words[place] = number
        if not held:
            self._alone.put(kind, key, now, seconds, times=times, keep=keep, why=why)
            self._was_alone = True
        elif self._was_alone:
            self._alone.remove(kind, key)

    def get(self, kind: Kind, key: str, now: float) -> Mark | None:
        """Return the mark of `key`; see `Marks`."""
        if self._was_alone and (mark := self._alone.get(kind, key, now)):
            return mark
        region = self._regions[kind]
        if self._file.seconds[region.head] <= now:
            return None
        record = self._read(region, self._spot(kind, key))
        if record is None or record[2] <= now:
            return None
        _, end, _, times, why = record
        return Mark(key, max(0.0, end - now), times, why)

    def remove(self, kind: Kind, key: str) -> bool:
        """Take a mark away; see `Marks`."""
        region, spot = self._regions[kind], self._spot(kind, key)
        found = self._alone.remove(kind, key)
        with self._file.held(region.head, monotonic()) as held:
            place = self._find(spot)
            if held and place is not None:
                self._file.words[place] = 0
                found = True
        return found

    def all(self, kind: Kind, now: float) -> list[Mark]:
        """Return the marks in force; see `Marks`."""
        region = self._regions[kind]
        marks = self._alone.all(kind, now)
        alone = {mark.key for mark in marks}
        for number in self._file.words[region.hashes : region.records].tolist():
            if number and (record := self._read(region, region.spot(number))):
                key, end, _, times, why = record
                if end > now and key not in alone:
                    marks.append(Mark(key, end - now, times, why))
        return sorted(marks, key=lambda mark: -mark.left)

    def _spot(self, kind: Kind, key: str) -> Spot:
        spot = self._spots.get((kind, key))
        if spot is None:
            spot = self._regions[kind].spot(self._file.hash(f"{kind}|{key}"))
            if len(key) <= LONG_KEY:
                self._spots.put((kind, key), spot)
        return spot

    def _find(self, spot: Spot) -> int | None:
        """Return the word that has the hash."""
        _, hash_, bucket = spot
        find, end = self._file.map.find, (bucket + WAYS) * WORD
        at = find(hash_, bucket * WORD, end)
        while at % WORD and at > 0:  # an end of one hash and the beginning of the next
            at = find(hash_, at + 1, end)
        return at // WORD if at > 0 else None

    def _place(self, region: _Region, spot: Spot) -> int:
        """Return the place for a newcomer: a free one, or that of what is over the soonest."""
        bucket = spot[2]
        best, soonest = bucket, None
        for place in range(bucket, bucket + WAYS):
            content = self._content(region, place, self._file.words[place])
            if content is None:
                return place
            ends = content[2:4]
            if soonest is None or ends < soonest:
                best, soonest = place, ends
        return best

    def _read(self, region: _Region, spot: Spot) -> Record | None:
        place = self._find(spot)
        if place is None:
            return None
        record = self._unpack(region, place, spot[0])
        if record is None:
            # written at this very moment, or left half written by a process that was killed
            with self._file.held(region.head, monotonic()):
                place = self._find(spot)
                if place is not None:
                    record = self._unpack(region, place, spot[0])
        return record

    def _unpack(self, region: _Region, place: int, number: int) -> Record | None:
        content = self._content(region, place, number)
        if content is None:
            return None
        _, times, end, forgotten, why, key, text = content
        return (
            text[why : why + key].decode("utf-8", "surrogatepass"),
            end,
            forgotten,
            times,
            text[:why].decode("utf-8", "surrogatepass"),
        )

    def _content(self, region: _Region, place: int, number: int) -> Content | None:
        """Return what is at `place` if it is that of `number`, and whole."""
        at = region.record(place)
        content = self._file.map[at : at + RECORD.size]
        if not number or int.from_bytes(content[:4], "little") != crc32(content[4:], number & SEED):
            return None
        return RECORD.unpack(content)


def _pack(number: int, record: Record) -> bytes:
    key, end, forgotten, times, why = record
    reason = _cut(why, WHY_BYTES)
    name = _cut(key, TEXT_BYTES - len(reason))
    sizes = (len(reason), len(name), reason + name)
    content = RECORD.pack(0, min(times, MOST_TIMES), end, forgotten, *sizes)[4:]
    return crc32(content, number & SEED).to_bytes(4, "little") + content


def _cut(text: str, room: int) -> bytes:
    """Return as much of a text as there is room for, in whole letters."""
    content = text[: room + 1].encode("utf-8", "surrogatepass")
    if len(content) <= room:
        return content
    # what is no letter any more is left out
    start = content[: room - len(MORE)].decode("utf-8", "ignore")
    return start.encode() + MORE
