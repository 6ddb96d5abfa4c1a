"""What `--fix` does: only what is safe, and can be undone.

What it replaces or moves goes to a new folder of its own beside the project, out of reach of
whoever could read the project through its server.
"""

import os
import secrets
import shutil
import sqlite3
import stat
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs

from .admin import PATIENCE

#: bytes of a new secret key
KEY_BYTES: Final = 32


class FixError(Exception):
    """Something could not be mended, and was left as it was. Its text says why."""


@attrs.frozen
class SetMode:
    """Take rights away from a file or a folder."""

    path: Path
    mode: int

    def apply(self) -> str:
        """Do it, and say what was done. Raises `FixError`."""
        # neither through a link, nor waiting for the other end of a pipe
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            file = os.open(self.path, flags)
            try:
                before = stat.S_IMODE(os.fstat(file).st_mode)
                os.fchmod(file, self.mode)
            finally:
                os.close(file)
        except OSError as error:
            raise FixError(f"the mode of {self.path} stays: {error.strerror}") from error
        return f"mode {self.mode:o} for {self.path}; it was {before:o}"


@attrs.frozen
class MoveAside:
    """Move a left-over out of the project."""

    path: Path

    def apply(self, folder: Path, aside: Path) -> str:
        """Do it, and say what was done. Raises `FixError`."""
        place = aside / self.path.relative_to(folder)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.path, place)
        except OSError as error:
            raise FixError(f"{self.path} stays where it is: {error.strerror}") from error
        return f"moved {self.path} to {place}"


@attrs.frozen
class SetParameter:
    """Change a column of `SYS_PARAMS`; `None` stands for a new key."""

    column: str
    value: int | None

    def new(self) -> int | str:
        """Return what is to stand there."""
        if self.value is not None:
            return self.value
        return b64encode(secrets.token_bytes(KEY_BYTES)).decode()


Fix = SetMode | MoveAside | SetParameter


def mend(folder: Path, fixes: Sequence[Fix], aside: Path) -> Iterator[str]:
    """Apply the fixes, and say of each what was done, or why it was not."""
    parameters = [fix for fix in fixes if isinstance(fix, SetParameter)]
    if any(not isinstance(fix, SetMode) for fix in fixes):
        aside.mkdir(mode=0o700)
    if parameters:
        try:
            yield from _change(folder / "admin.sqlite", parameters, aside / "admin.sqlite")
        except (sqlite3.Error, OSError) as error:
            yield (
                f"admin.sqlite stays as it is: {error}. Stop what writes to it, the site or the "
                "Application Builder, and try again"
            )
    for fix in fixes:
        try:
            if isinstance(fix, SetMode):
                yield fix.apply()
            elif isinstance(fix, MoveAside):
                yield fix.apply(folder, aside)
        except FixError as error:
            yield str(error)


def _change(database: Path, fixes: Sequence[SetParameter], backup: Path) -> Iterator[str]:
    """Change the database behind a backup of it, while nobody else can write to it."""
    uri = database.absolute().as_uri()
    with (
        closing(sqlite3.connect(f"{uri}?mode=rw", timeout=PATIENCE, uri=True)) as writer,
        closing(sqlite3.connect(f"{uri}?mode=ro", timeout=PATIENCE, uri=True)) as reader,
        writer,
    ):
        writer.execute("BEGIN IMMEDIATE")
        backup.touch(mode=0o600)
        with closing(sqlite3.connect(backup)) as copy:
            reader.backup(copy)
        for fix in fixes:
            writer.execute(f"UPDATE SYS_PARAMS SET {fix.column} = ?", [fix.new()])  # noqa: S608 - a name of ours
    yield f"admin.sqlite as it was: {backup}"
    for fix in fixes:
        what = "a new key: everybody logs in again" if fix.value is None else str(fix.value)
        yield f"{fix.column} is now {what}. Restart the server"
