"""Exclusive locks on single bytes of a file, which the system drops when a process dies.

POSIX `fcntl` locks belong to the process and Windows' to the handle: threads of one process
need a lock of their own beside them, which a fork must not leave held for ever. Nobody waits
for ever: a holder that is stopped, and not dead, is given up on.

Source: POSIX.1-2017 `fcntl` (F_SETLK), Windows `LockFile` through `msvcrt.locking`.
"""

import os
import sys
from threading import Lock
from time import monotonic, sleep
from typing import Final
from weakref import WeakSet

#: seconds to wait for a lock, which its holder has for a few microseconds
PATIENCE: Final = 0.25
#: seconds between two tries: the first ones only let somebody else run
FIRST_PAUSE: Final = 0.000_02
LONGEST_PAUSE: Final = 0.002
#: how often it is tried in any case
LEAST_TRIES: Final = 40

if sys.platform == "win32":  # pragma: no cover - not this platform
    import msvcrt

    #: locked bytes cannot be read there, so these lie far behind the end of any file
    FAR: Final = 1 << 30

    def _take(file: int, byte: int) -> None:
        os.lseek(file, FAR + byte, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def unlock(file: int, byte: int) -> None:
        """Give the lock on one byte back."""
        os.lseek(file, FAR + byte, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
else:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, lockf

    TAKE: Final = LOCK_EX | LOCK_NB

    def _take(file: int, byte: int) -> None:
        lockf(file, TAKE, 1, byte)

    def unlock(file: int, byte: int) -> None:
        """Give the lock on one byte back."""
        lockf(file, LOCK_UN, 1, byte)


def lock(file: int, byte: int, patience: float = PATIENCE) -> bool:
    """Take the lock on one byte; False when nobody let go of it for `patience` seconds."""
    try:
        _take(file, byte)
    except OSError:  # POSIX allows EAGAIN and EACCES, Windows has EACCES
        return _wait(file, byte, patience)
    return True


def _wait(file: int, byte: int, patience: float) -> bool:
    until = monotonic() + patience
    pause = FIRST_PAUSE
    tries = 0
    # where the whole machine stood still for a while, the holder was no slower than this one
    while monotonic() < until or tries < min(LEAST_TRIES, patience / LONGEST_PAUSE):
        sleep(pause)
        tries += 1
        try:
            _take(file, byte)
        except OSError:
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return True
    return False


class Threaded:
    """Has a lock between the threads of this process, `threads`.

    In the child of a fork it is made afresh: one that another thread held at that moment
    would be held for ever.
    """

    def __init__(self) -> None:
        self.threads = Lock()
        _threaded.add(self)


_threaded: Final[WeakSet[Threaded]] = WeakSet()


def _renew_locks() -> None:
    for holder in list(_threaded):
        holder.threads = Lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_renew_locks)
