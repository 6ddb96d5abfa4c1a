"""Exclusive locks on single bytes of a file, which the system drops when a process dies.

POSIX `fcntl` locks belong to the process and Windows' to the handle: threads of one process
need a lock of their own beside them. Nobody waits for ever: a holder that is stopped, and not
dead, is given up on.

Source: POSIX.1-2017 `fcntl` (F_SETLK), Windows `LockFile` through `msvcrt.locking`.
"""

import os
import sys
from time import monotonic, sleep
from typing import Final

#: seconds to wait for a lock, which its holder has for a few microseconds
PATIENCE: Final = 0.25
#: seconds between two tries: the first ones only let somebody else run
FIRST_PAUSE: Final = 0.000_02
LONGEST_PAUSE: Final = 0.002

if sys.platform == "win32":  # pragma: no cover - not this platform
    import msvcrt

    #: locked bytes cannot be read there, so these lie far behind the end of any file
    FAR: Final = 1 << 30

    def try_lock(file: int, byte: int) -> bool:
        """Take the lock on one byte if it is free."""
        os.lseek(file, FAR + byte, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(file: int, byte: int) -> None:
        """Give the lock on one byte back."""
        os.lseek(file, FAR + byte, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
else:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, lockf

    def try_lock(file: int, byte: int) -> bool:
        """Take the lock on one byte if it is free."""
        try:
            lockf(file, LOCK_EX | LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):  # POSIX allows EAGAIN and EACCES
            return False
        return True

    def unlock(file: int, byte: int) -> None:
        """Give the lock on one byte back."""
        lockf(file, LOCK_UN, 1, byte)


def lock(file: int, byte: int, patience: float = PATIENCE) -> bool:
    """Take the lock on one byte; False when nobody let go of it for `patience` seconds."""
    if try_lock(file, byte):
        return True
    until = monotonic() + patience
    pause = FIRST_PAUSE
    while monotonic() < until:
        sleep(pause)
        if try_lock(file, byte):
            return True
        pause = min(pause * 2, LONGEST_PAUSE)
    return False
