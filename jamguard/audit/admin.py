"""What a project's `admin.sqlite` says, read without Jam.py and without a change to the file.

Versions of Jam.py differ in their columns, and old files lack some: what is not there is
None, as Jam.py reads it. Deleted rows are left out, as Jam.py leaves them out.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from errno import EINVAL
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs

from .disk import exists, is_file

#: its name in the project's folder
DATABASE: Final = "admin.sqlite"
#: seconds to wait for a database that somebody writes to
PATIENCE: Final = 1.0

COLUMNS: Final = {
    "SYS_PARAMS": (
        *("F_SAFE_MODE", "F_DEBUGGING", "F_TIMEOUT", "F_IGNORE_CHANGE_IP", "F_MAINTENANCE"),
        *("F_MAX_CONTENT_LENGTH", "F_UPLOAD_FILE_EXT", "F_SECRET_KEY", "F_DELETE_REPORTS_AFTER"),
        "F_JAM_VERSION",
    ),
    "SYS_USERS": ("ID", "F_LOGIN", "F_PASSWORD", "F_ADMIN", "F_ROLE"),
    "SYS_ROLES": ("ID", "F_NAME"),
    "SYS_PRIVILEGES": (
        *("OWNER_REC_ID", "ITEM_ID"),
        *("F_CAN_VIEW", "F_CAN_CREATE", "F_CAN_EDIT", "F_CAN_DELETE"),
    ),
    "SYS_TASKS": ("F_DB_TYPE", "F_ALIAS", "F_LOGIN", "F_PASSWORD", "F_HOST"),
    "SYS_ITEMS": (
        *("ID", "TYPE_ID", "F_ITEM_NAME", "F_TABLE_NAME", "F_SERVER_MODULE"),
        *("F_INFO", "F_MASTER_FIELD"),
    ),
    "SYS_FIELDS": (
        *("ID", "OWNER_REC_ID", "F_FIELD_NAME", "F_DATA_TYPE", "F_FILE_ACCEPT"),
        "F_DO_NOT_SANITIZE",
    ),
}
#: the kind of an item that is the project itself
TASK: Final = 5

Row = Mapping[str, Any]


class AdminError(Exception):
    """The database cannot be read. Its text says why."""


@attrs.frozen
class Admin:
    """The rows of the tables that are audited; there is always one of `SYS_PARAMS`."""

    path: Path
    tables: Mapping[str, Sequence[Row]]

    @property
    def parameters(self) -> Row:
        """Return Jam.py's settings."""
        return self.tables["SYS_PARAMS"][0]

    @property
    def users(self) -> Sequence[Row]:
        """Return those who may log in."""
        return self.tables["SYS_USERS"]

    @property
    def items(self) -> Mapping[object, Row]:
        """Return the project's items by their ids."""
        return {row["ID"]: row for row in self.tables["SYS_ITEMS"]}

    @property
    def task_code(self) -> str:
        """Return the server module of the project itself."""
        modules = [text(r, "F_SERVER_MODULE") for r in self.items.values() if r["TYPE_ID"] == TASK]
        return "\n".join(modules)


def number(row: Row, name: str, default: int = 0) -> int:
    """Return a number as Jam.py reads it: its default where there is none."""
    try:
        return int(row[name])
    except (TypeError, ValueError, OverflowError):
        return default


def text(row: Row, name: str) -> str:
    """Return a text, `""` where there is none."""
    return str(row[name] or "")


def name_of(item: Row) -> str:
    """Return what an item is called in the project's code."""
    return text(item, "F_ITEM_NAME") or f"item {item['ID']}"


def read_admin(path: Path) -> Admin:
    """Read the database, all of it at one moment. Raises `AdminError`."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro{_unlogged(path)}"
    except OSError as error:
        raise AdminError(error.strerror or str(error)) from error
    try:
        with closing(sqlite3.connect(uri, timeout=PATIENCE, uri=True)) as connection:
            connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            tables = {name: _rows(connection, name) for name in COLUMNS}
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter in a damaged name
        raise AdminError(str(error)) from error
    if not tables["SYS_PARAMS"]:
        raise AdminError("it has no row in SYS_PARAMS, so it is not Jam.py's")
    return Admin(path, tables)


def _unlogged(path: Path) -> str:
    """Return what keeps SQLite from making files beside a database.

    One with a write-ahead log gets the log's two files from whoever reads it, and the site may
    have no right to them. Without a log nobody has the database open, so it does not change.
    """
    if exists(path) and not is_file(path):
        raise OSError(EINVAL, "it is no file")  # a pipe would be waited for
    with path.open("rb") as file:
        logged = file.read(20)[18:] == b"\2\2"
    return "&immutable=1" if logged and not exists(path.with_name(f"{path.name}-wal")) else ""


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    """Return the rows of a table, which may not be there, with the columns that there are."""
    there = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    wanted = [name for name in COLUMNS[table] if name in there]
    if not wanted:
        return []
    alive = " WHERE COALESCE(DELETED, 0) <> 1" if "DELETED" in there else ""
    query = f"SELECT {', '.join(wanted)} FROM {table}{alive}"  # noqa: S608 - names from above
    missing = dict.fromkeys(COLUMNS[table])
    return [{**missing, **dict(row)} for row in connection.execute(query)]
