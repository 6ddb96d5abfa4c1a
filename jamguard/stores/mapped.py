"""A file that the processes of one machine have in memory together, and locks on parts of it.

It belongs to one user, has one size and is never in the way: links are not followed, a file
of somebody else is refused, one that is torn or foreign is made afresh. Its locks are
dropped by the system when their process dies.
"""

import mmap
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from errno import ETIMEDOUT
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from time import monotonic
from typing import TYPE_CHECKING, Final
from weakref import finalize

from .locks import Threaded, lock, unlock

if TYPE_CHECKING:
    from collections.abc import Callable

#: the layout of the file; another one needs another number, and the file another name
LAYOUT: Final = 5
MAGIC: Final = b"jamguard"
#: magic, the machine's start, key of the hash, when it was made (seconds, monotonic)
HEADER: Final = Struct("8s16s16sd")
WORD: Final = 8  #: bytes
BLOCK: Final = 4096  #: bytes
HEADER_WORDS: Final = BLOCK // WORD

#: where the machine says when it was started, in other words
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: seconds for which a process does without the file after it waited for a lock in vain
PAUSE: Final = 5.0


class SharedFileError(Exception):
    """The file cannot be used; the message says why, for the operator."""


class MappedFile(Threaded):
    """The file at `path` as a row of words of 8 bytes, the first of them a header.

    To be opened once in a process: closing a file drops all locks on it that the process
    has. Raises `SharedFileError`.
    """

    def __init__(self, path: Path, words: int) -> None:
        super().__init__()
        self.size = words * WORD  #: bytes
        #: whether a torn or foreign file was in its place
        self.remade = False
        self.number = _open(path)
        try:
            self._hash_key = self._prepare()
            self.map = mmap.mmap(self.number, self.size)
        except OSError as error:
            os.close(self.number)
            raise SharedFileError(f"{path}: {error.strerror}") from error
        finalize(self, os.close, self.number)
        self.words = memoryview(self.map).cast("Q")
        #: the same words, where they are seconds
        self.seconds = memoryview(self.map).cast("d")
        self.alone_until = 0.0
        #: is told, in a few words, when the file cannot be used for a while
        self.lost: Callable[[str], None] | None = None

    def hash(self, name: str) -> int:
        """Return a number for a name that nobody else can work out, never 0."""
        text = name.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=WORD, key=self._hash_key).digest()) or 1

    @contextmanager
    def held(self, byte: int, now: float) -> Generator[bool]:
        """Keep all others from `byte` meanwhile; gives False when they do not let go of it."""
        with self.threads:
            if now < self.alone_until or not self.hold(byte, now):
                yield False
                return
            try:
                yield True
            finally:
                unlock(self.number, byte)

    def hold(self, byte: int, now: float) -> bool:
        """Take the lock on `byte`; to be called with `threads` held, like its `unlock`."""
        if lock(self.number, byte):
            return True
        self.alone_until = now + PAUSE
        if self.lost:
            self.lost("another process keeps a part of its file locked")
        return False

    def _prepare(self) -> bytes:
        """Make the file what it should be, unless it is, and return the key of its hash."""
        if not lock(self.number, 0, patience=10.0):
            raise TimeoutError(ETIMEDOUT, "another process has kept it locked for 10 seconds")
        try:
            boot = blake2b(_boot_id(), digest_size=16).digest()
            with os.fdopen(self.number, "r+b", closefd=False) as file:
                file.seek(0)  # on Windows the lock has moved it
                header = file.read(HEADER.size)
                if len(header) == HEADER.size and os.fstat(self.number).st_size >= self.size:
                    magic, booted, hash_key, made = HEADER.unpack(header)
                    if (magic, booted) == (MAGIC, boot) and made <= monotonic():
                        return bytes(hash_key)
                earlier = header.startswith(MAGIC) and not header.startswith(MAGIC + boot)
                self.remade = bool(header) and not earlier
                # all of it is written, so that a full disk is met now and not when it is used
                for at in range(0, self.size, BLOCK):
                    file.seek(at)
                    file.write(bytes(min(BLOCK, self.size - at)))
                file.flush()
                hash_key = os.urandom(16)
                # last, so that a file that was left half made is made again
                file.seek(0)
                file.write(HEADER.pack(MAGIC, boot, hash_key, monotonic()))
        finally:
            unlock(self.number, 0)
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
