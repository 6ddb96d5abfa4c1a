"""Counting for all processes of one machine, in one memory-mapped file of fixed size.

A hit reads and writes one slot under a lock on one byte of the file, which the system drops
when its process dies. There are two tables, so that a flood on one leaves the other alone:

- *counters*, for large limits: a sliding window out of two whole ones, in three words;
- *logs*, for limits of up to `FEW`: the time of every hit, so it is exact in any window.

A key has eight places. A newcomer takes a free or an outlived one, else that of the key with
the fewest hits: to push a busy key out, one needs keys that are as busy themselves.

The clock is `time.monotonic`, which is one for the whole machine and never steps.
"""

import mmap
import os
import stat
import tempfile
from errno import ETIMEDOUT
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary, finalize

from ..cache import Bounded
from . import Count
from .locks import lock, unlock
from .process import ProcessMarks, ProcessStore, wait

if TYPE_CHECKING:
    from collections.abc import Callable

#: the layout; another one needs another number, and the file another name
LAYOUT: Final = 1
MAGIC: Final = b"jamguard"
#: magic, the machine's start, key of the hash, when it was made (seconds, monotonic)
HEADER: Final = Struct("8s16s16sd")
HEADER_BYTES: Final = 4096

WAYS: Final = 8
WORD: Final = 8  #: bytes
COUNTER_WORDS: Final = 3  #: key, end of life, window | before | current
LOG_WORDS: Final = 16  #: key, end of life, times of hits in microseconds
FEW: Final = LOG_WORDS - 2

COUNT_BITS: Final = 20
COUNT_MASK: Final = (1 << COUNT_BITS) - 1
WINDOW_MASK: Final = (1 << 24) - 1
MICRO: Final = 1_000_000

#: where files are memory, on Linux
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the file's name and owner are checked
#: where the machine says when it was started, in other words
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: seconds for which a process counts alone after it waited for a lock in vain
PAUSE: Final = 5.0


class SharedFileError(Exception):
    """The file cannot be used; the message says why, for the operator."""


class SharedStore:
    """Counts hits in the file at `path`, together with all processes that have it open.

    A process opens a file once: see `shared_store`. Raises `SharedFileError`.
    """

    def __init__(self, path: Path, *, counters: int = 65536, logs: int = 8192) -> None:
        self.path = path
        self._counter_buckets = counters // WAYS
        self._log_buckets = logs // WAYS
        self._logs_at = HEADER_BYTES // WORD + counters * COUNTER_WORDS
        self._size = self._logs_at * WORD + logs * LOG_WORDS * WORD
        self._file = _open(path)
        try:
            self._hash_key = self._prepare()
            self._map = mmap.mmap(self._file, self._size)
        except OSError as error:
            os.close(self._file)
            raise SharedFileError(f"{path}: {error.strerror}") from error
        self._words = memoryview(self._map).cast("Q")
        finalize(self, os.close, self._file)
        self._threads = Lock()
        #: key -> its hash, its bucket's first word, and where it was found last
        self._places: Bounded[tuple[str, int, bool], list[int]] = Bounded(4096)
        self._alone = ProcessStore()
        self._alone_until = 0.0
        self.marks = ProcessMarks()
        #: is told, in a few words, when the file cannot be used for a while
        self.lost: Callable[[str], None] | None = None

    def hit(self, key: str, limit: int, period: int, now: float, weight: int = 1) -> Count:
        """Count a hit of `weight` on `key`; see `Store`. A weight of 0 only looks."""
        few = limit <= FEW
        place = self._places.get((key, period, few)) or self._place(key, period, few=few)
        base = place[1]
        with self._threads:
            if now < self._alone_until or not self._lock(base, now):
                return self._alone.hit(key, limit, period, now, weight)
            try:
                slot = place[2]
                if self._words[slot] != place[0]:
                    slot = place[2] = self._slot(place[0], base, now, few=few)
                if few:
                    return self._log(slot, limit, period, now, weight)
                return self._count(slot, limit, period, now, weight)
            finally:
                unlock(self._file, base)

    def forget(self, key: str, limit: int, period: int) -> None:
        """Let the count of `key` begin anew."""
        few = limit <= FEW
        number, base, _ = self._place(key, period, few=few)
        with self._threads:
            self._alone.forget(key, limit, period)
            if not self._lock(base, monotonic()):
                return
            try:
                width = LOG_WORDS if few else COUNTER_WORDS
                for slot in range(base, base + WAYS * width, width):
                    if self._words[slot] == number:
                        self._words[slot] = 0
            finally:
                unlock(self._file, base)

    def renew_locks(self) -> None:
        """Forget the threads of the process that this one was forked from."""
        self._threads = Lock()
        self._alone = ProcessStore()

    def _lock(self, base: int, now: float) -> bool:
        if lock(self._file, base):
            return True
        self._alone_until = now + PAUSE
        if self.lost:
            self.lost("another process keeps a part of its file locked")
        return False

    def _place(self, key: str, period: int, *, few: bool) -> list[int]:
        name = f"{period}|{key}".encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=WORD, key=self._hash_key).digest()
        number = int.from_bytes(digest) or 1  # zero is a free slot
        if few:
            base = self._logs_at + number % self._log_buckets * WAYS * LOG_WORDS
        else:
            base = HEADER_BYTES // WORD + number % self._counter_buckets * WAYS * COUNTER_WORDS
        return self._places.put((key, period, few), [number, base, base])

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

    def _prepare(self) -> bytes:
        """Make the file what it should be, unless it is, and return the key of its hash."""
        if not lock(self._file, 0, patience=10.0):
            raise TimeoutError(ETIMEDOUT, "another process has kept it locked for 10 seconds")
        try:
            boot = blake2b(_boot_id(), digest_size=16).digest()
            with os.fdopen(self._file, "r+b", closefd=False) as file:
                file.seek(0)  # on Windows the lock has moved it
                header = file.read(HEADER.size)
                if len(header) == HEADER.size and os.fstat(self._file).st_size == self._size:
                    magic, booted, hash_key, made = HEADER.unpack(header)
                    if (magic, booted) == (MAGIC, boot) and made <= monotonic():
                        return bytes(hash_key)
                # all of it is written, so that a full disk is met now and not when it is used
                for at in range(0, self._size, HEADER_BYTES):
                    file.seek(at)
                    file.write(bytes(min(HEADER_BYTES, self._size - at)))
                file.flush()
                hash_key = os.urandom(16)
                # last, so that a file that was left half made is made again
                file.seek(0)
                file.write(HEADER.pack(MAGIC, boot, hash_key, monotonic()))
        finally:
            unlock(self._file, 0)
        return hash_key


def _open(path: Path) -> int:
    """Open or create the file, for this user alone; raise `SharedFileError` if it is not."""
    wanted = ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")  # not every system has each of them
    flags = os.O_RDWR | os.O_CREAT
    for name in wanted:
        flags |= getattr(os, name, 0)
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        raise SharedFileError(f"{path}: {error.strerror}") from error
    found = os.fstat(file)
    problem = ""
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        problem = "not a plain file with one name"
    elif hasattr(os, "geteuid") and found.st_uid != os.geteuid():
        problem = "belongs to another user"
    elif hasattr(os, "geteuid") and stat.S_IMODE(found.st_mode) & 0o077:
        problem = "is open to other users"
    if problem:
        os.close(file)
        raise SharedFileError(f"{path}: {problem}")
    return file


def _boot_id() -> bytes:
    try:
        return BOOT_ID.read_bytes()
    except OSError:
        return b""  # the time at which the file was made has to tell, see `_prepare`


def shared_path(project: Path, folder: str = "") -> Path:
    """Return where the processes that serve the project in this folder meet.

    In memory where there is such a folder, and by the same rule for whoever asks: a worker,
    or a command that an operator types.
    """
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    name = blake2b(os.fsencode(project.resolve()), digest_size=12).hexdigest()
    place = Path(folder or (MEMORY if os.access(MEMORY, os.W_OK) else tempfile.gettempdir()))
    return place.resolve() / f"jamguard-{LAYOUT}-{user}-{name}"


#: what this process has opened: once each, for closing a file drops all locks on it that the
#: process has
_opened: WeakValueDictionary[Path, SharedStore] = WeakValueDictionary()
_opening = Lock()


def shared_store(path: Path) -> SharedStore:
    """Return this process's store at `path`. Raises `SharedFileError`."""
    with _opening:
        store = _opened.get(path)
        if store is None:
            store = _opened[path] = SharedStore(path)
        return store


def _renew_locks() -> None:
    """Make the locks of threads that this child of a fork does not have."""
    global _opening  # noqa: PLW0603 - a lock that was held at the fork stays held for ever
    _opening = Lock()
    for store in list(_opened.values()):
        store.renew_locks()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
