"""Users are looked up in a database that Jam.py writes to."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from jamguard.jampy import users as module
from jamguard.jampy.users import FRESH, Users

TABLE: Final = "CREATE TABLE SYS_USERS (ID INTEGER, F_ADMIN INTEGER, DELETED INTEGER)"
ROWS: Final = ((1, 1, 0), (2, None, None), (3, 0, 0), (4, 1, 1))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "a folder with 100% odd? #letters" / "admin.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO SYS_USERS VALUES (?, ?, ?)", ROWS)
        yield connection


def file_of(database: sqlite3.Connection) -> Path:
    (row,) = database.execute("PRAGMA database_list")
    return Path(row[2])


@pytest.mark.parametrize(
    ("user_id", "standing"),
    [
        (1, "administrator"),
        (2, "user"),
        (3, "user"),
        (4, "gone"),
        (5, "gone"),
        (-1, "gone"),
        (2**80, "unknown"),
    ],
)
def test_a_user_is_there_or_is_not(
    user_id: int, standing: str, database: sqlite3.Connection
) -> None:
    assert Users(file_of(database)).standing(user_id) == standing


def test_an_answer_holds_for_some_seconds(database: sqlite3.Connection, clock: list[float]) -> None:
    users = Users(file_of(database))
    assert users.standing(1) == "administrator"
    database.execute("UPDATE SYS_USERS SET DELETED = 1")
    assert users.standing(1) == "administrator"
    clock[0] += FRESH + 1
    assert users.standing(1) == "gone"


def test_nobody_is_gone_while_the_database_does_not_answer(
    database: sqlite3.Connection, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    users = Users(file_of(database))
    database.execute("BEGIN EXCLUSIVE")
    assert (users.standing(4), users.failure) == ("unknown", "database is locked")
    database.execute("COMMIT")
    assert users.standing(4) == "unknown"  # nobody waits for it again at once
    clock[0] += FRESH + 1
    assert users.standing(4) == "gone"


@pytest.mark.parametrize("content", [None, b"", b"no database" * 100])
def test_a_database_that_is_none_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "admin.sqlite"
    if content is not None:
        path.write_bytes(content)
    users = Users(path)
    assert users.standing(1) == "unknown"
    assert users.failure
    assert (path.read_bytes() if path.exists() else None) == content
