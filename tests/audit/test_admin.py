import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.audited import change, places
from support.projects import empty_project

from jamguard.audit.admin import AdminError, name_of, number, read_admin, text


def test_what_jampy_stores_is_read_and_left_as_it_was(project: Path) -> None:
    path = project / "admin.sqlite"
    change(project, "UPDATE SYS_USERS SET DELETED = 1 WHERE F_LOGIN = 'clerk'")
    before = path.read_bytes()
    admin = read_admin(path)
    assert number(admin.parameters, "F_SAFE_MODE") == 1
    assert [user["F_LOGIN"] for user in admin.users] == ["admin"]
    assert "def ping(" in admin.task_code
    assert {name_of(row) for row in admin.items.values()} >= {"demo", "customers", "custlist"}
    assert path.read_bytes() == before
    assert not list(project.glob("admin.sqlite-*"))


def test_an_older_file_without_columns_and_tables_is_read(project: Path) -> None:
    change(project, "ALTER TABLE SYS_PARAMS DROP COLUMN F_UPLOAD_FILE_EXT")
    change(project, "ALTER TABLE SYS_USERS DROP COLUMN DELETED")
    change(project, "DROP TABLE SYS_PRIVILEGES")
    admin = read_admin(project / "admin.sqlite")
    assert admin.parameters["F_UPLOAD_FILE_EXT"] is None
    assert len(admin.users) == 2
    assert admin.tables["SYS_PRIVILEGES"] == []
    assert places(project, "JC100") == []


def test_odd_values_are_read_as_jampy_reads_them(project: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_TIMEOUT = 'soon', F_SAFE_MODE = '1'")
    change(project, "UPDATE SYS_USERS SET F_LOGIN = CAST(X'ff41' AS TEXT) WHERE ID = 2")
    change(project, "UPDATE SYS_ITEMS SET F_ITEM_NAME = NULL WHERE ID = 6")
    admin = read_admin(project / "admin.sqlite")
    assert number(admin.parameters, "F_TIMEOUT", 7) == 7
    assert number(admin.parameters, "F_SAFE_MODE") == 1
    assert text(admin.users[1], "F_LOGIN") == "\N{REPLACEMENT CHARACTER}A"
    assert name_of(admin.items[6]) == "item 6"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"", "no row in SYS_PARAMS"),
        (b"this is no database" * 100, "file is not a database"),
    ],
    ids=["absent", "empty", "something else"],
)
def test_what_cannot_be_read_is_a_finding(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / "admin.sqlite").write_bytes(content)
    (found,) = places(tmp_path, "JC100")
    assert found[0] == "admin.sqlite"
    assert why in found[1]


def test_a_damaged_database_is_a_finding(project: Path) -> None:
    path = project / "admin.sqlite"
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 20_000)
    ((_, why),) = places(project, "JC100")
    assert "malformed" in why


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_something_else_in_its_place_is_a_finding(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "admin.sqlite")
    assert places(tmp_path, "JC100") == [("admin.sqlite", "it is no file")]


def test_a_name_that_is_damaged_is_a_finding(project: Path) -> None:
    path = project / "admin.sqlite"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE", b"CREATE \xffABLE"))
    ((_, why),) = places(project, "JC100")
    assert why


def test_a_write_ahead_log_is_read_and_left_alone(project: Path) -> None:
    path = project / "admin.sqlite"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = wal")
    before = sorted(project.iterdir())
    assert places(project, "JC101") == []
    assert sorted(project.iterdir()) == before
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("UPDATE SYS_PARAMS SET F_SAFE_MODE = 0")
        writer.commit()
        assert len(places(project, "JC101")) == 1
    assert sorted(project.iterdir()) == before


def test_a_locked_database_is_a_finding(project: Path) -> None:
    with closing(sqlite3.connect(project / "admin.sqlite")) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        ((_, why),) = places(project, "JC100")
    assert why == "database is locked"
    assert places(project, "JC100") == []


def test_the_database_of_a_new_project_is_read(tmp_path: Path) -> None:
    folder = empty_project(tmp_path / "new")
    assert read_admin(folder / "admin.sqlite").task_code == ""
    shutil.rmtree(folder)
    with pytest.raises(AdminError):
        read_admin(folder / "admin.sqlite")
