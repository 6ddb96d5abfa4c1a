"""The project's files: who may read and write them, and what was left lying about."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from ..jampy.files import may_be_served
from .admin import DATABASE, number, text
from .disk import is_environment, is_file, listed, status
from .findings import Finding, Place
from .fixes import MoveAside, SetMode
from .target import Target

POSIX: Final = os.name == "posix"
OTHERS_READ, OTHERS_WRITE, OTHERS = stat.S_IROTH, stat.S_IWOTH, stat.S_IRWXO
#: the kind of a database that is a file
SQLITE: Final = 1
#: files that are looked at, so that a folder which is no project ends
MOST: Final = 20_000
#: folders whose files are the business of others
SKIPPED: Final = frozenset({"node_modules", "__pycache__", "site-packages"})
#: folders below `static` that are made to be filled
FILLED: Final = frozenset({"files", "reports", "internal"})

#: what editors and administrators leave behind, and nothing else is called
LEFT_OVER: Final = re.compile(
    r".*(?:~|\.(?:bak\d*|backup|bkp|old\d*|orig|sav|sw[nop]|save))", re.IGNORECASE
)
ARCHIVE: Final = re.compile(
    r".*\.(?:7z|rar|tar|tgz|zip|(?:tar|sql|sqlite|db)\.(?:gz|bz2|xz|zst)|sql|dump)", re.IGNORECASE
)
#: what SQLite keeps beside a database while it is in use
JOURNAL: Final = re.compile(r"-(?:journal|wal|shm)$")
#: of an archive that everybody can fetch: others are there to be fetched
COPY: Final = re.compile(r"backup|dump|sqlite|\bdb\b|copy|\bold\b|\.sql", re.IGNORECASE)
#: what holds passwords or keys
SECRET: Final = re.compile(r"\.env(?:\..*)?|.*\.(?:pem|key|p12|pfx)|id_[a-z0-9]+", re.IGNORECASE)


def check(target: Target) -> Iterator[Finding]:
    """Look at the files of the project."""
    files = Files(target)
    if POSIX:  # pragma: no branch - Windows has rights of another kind
        yield from files.rights()
        yield from files.owner()
    yield from files.left_overs()
    yield from files.public()
    yield from files.waiting()


class Files:
    """The files below a project's folder, links left out."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._folder = target.folder

    def rights(self) -> Iterator[Finding]:
        """Find what other users of this machine may read or write, and should not."""
        if not _may_be_entered(self._folder):
            return
        for path, mode in self._modes():
            place = Place.of(path, self._folder)
            if mode & OTHERS_WRITE and not mode & stat.S_ISVTX:
                fix = SetMode(path, mode & ~OTHERS_WRITE)
                can_be = self._others_do_not_serve or path.suffix == ".py"
                yield Finding("JC401", place, f"mode {mode:o}", fix if can_be else None)
            elif mode & OTHERS_READ and self._is_secret(path):
                fix = SetMode(path, mode & ~OTHERS)
                can_be = self._others_do_not_serve
                yield Finding("JC402", place, f"mode {mode:o}", fix if can_be else None)

    def owner(self) -> Iterator[Finding]:
        """Find a database that only root may write to, so that the server has to be root."""
        found = status(self._folder / DATABASE)
        if found and found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Finding("JC408", Place(DATABASE))

    def left_overs(self) -> Iterator[Finding]:
        """Find copies and archives beside the project's own files."""
        for path in listed(self._folder):
            place, name = Place.of(path, self._folder), path.name
            if name == "_admin.sqlite":
                yield Finding("JC406", place)
            elif LEFT_OVER.fullmatch(name):
                yield Finding("JC403", place, fix=MoveAside(path))
            elif ARCHIVE.fullmatch(name) or self._is_database_copy(path):
                yield Finding("JC403", place)

    def public(self) -> Iterator[Finding]:
        """Find what lies in `static`, where everybody may fetch it, and should not."""
        static = self._folder / "static"
        for path in _below(static, FILLED):
            url = f"/{path.relative_to(self._folder).as_posix()}"
            if self._target.guarded("path") and not may_be_served(url):
                continue
            if not may_be_served(url) or (ARCHIVE.fullmatch(path.name) and COPY.search(path.name)):
                fix = MoveAside(path) if LEFT_OVER.fullmatch(path.name) else None
                yield Finding("JC404", Place.of(path, self._folder), fix=fix)
        if not self._target.guarded("path"):
            for path in _below(static / "internal", frozenset()):
                yield Finding("JC405", Place.of(path, self._folder), fix=MoveAside(path))

    def waiting(self) -> Iterator[Finding]:
        """Find what Jam.py imports when it is started next."""
        for path in listed(self._folder / "migration"):
            yield Finding("JC407", Place.of(path, self._folder))

    @cached_property
    def _others_do_not_serve(self) -> bool:
        """Whether the server is the owner or of the group: it has to write to the database."""
        found = status(self._folder / DATABASE)
        return found is not None and not found.st_mode & OTHERS_WRITE

    def _modes(self) -> Iterator[tuple[Path, int]]:
        for path in (self._folder, *_below(self._folder, SKIPPED, folders=True)):
            with suppress(OSError):  # gone in between
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                    yield path, stat.S_IMODE(mode)

    def _is_secret(self, path: Path) -> bool:
        if path.parent != self._folder:
            return False
        own = path.name == DATABASE or path.name in self._databases
        return own or self._is_database_copy(path) or bool(SECRET.fullmatch(path.name))

    @cached_property
    def _databases(self) -> set[str]:
        """The names of the files that are the project's own databases."""
        rows = self._target.admin.tables["SYS_TASKS"] if self._target.admin else ()
        return {
            Path(text(row, "F_ALIAS")).name for row in rows if number(row, "F_DB_TYPE") == SQLITE
        }

    def _is_database_copy(self, path: Path) -> bool:
        """Say whether a file is called like one of the databases, and is none of them."""
        own = {DATABASE, *self._databases}
        name = path.name.lower()
        if path.name in own or JOURNAL.search(name) or not is_file(path):
            return False
        return ".sqlite" in name and any(Path(one).stem.lower() in name for one in own)


def _below(folder: Path, skipped: frozenset[str], *, folders: bool = False) -> Iterator[Path]:
    """Yield the files below a folder, and the folders too if asked for."""
    count = 0
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name not in skipped)
        inner[:] = [name for name in inner if not is_environment(Path(place, name))]
        for name in sorted([*names, *(inner if folders else ())]):
            count += 1
            if count > MOST:
                return
            yield Path(place, name)


def _may_be_entered(folder: Path) -> bool:
    """Say whether other users can get to what is in a folder."""
    found = [status(one) for one in (folder, *folder.parents)]
    return all(one is not None and one.st_mode & stat.S_IXOTH for one in found)
