import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from support.audited import change, found

from jamguard.audit.admin import number, read_admin, text
from jamguard.audit.fixes import Fix, MoveAside, SetMode, SetParameter, mend


def fixes(project: Path, *numbers: str) -> list[Fix]:
    findings = found(project)
    return [one.fix for number in numbers for one in findings[number] if one.fix]


def done(project: Path, wanted: list[Fix], aside: Path) -> str:
    return "\n".join(mend(project, wanted, aside))


def test_the_database_is_changed_behind_a_backup(project: Path, tmp_path: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_DEBUGGING = 1, F_SECRET_KEY = 'short'")
    before = read_admin(project / "admin.sqlite")
    aside = tmp_path / "aside"
    said = done(project, fixes(project, "JC102", "JC103"), aside)
    assert f"admin.sqlite as it was: {aside / 'admin.sqlite'}" in said
    assert "F_DEBUGGING is now 0" in said
    assert "F_SECRET_KEY is now a new key" in said
    assert not {"JC102", "JC103"} & set(found(project))
    parameters = read_admin(project / "admin.sqlite").parameters
    key = text(parameters, "F_SECRET_KEY")
    assert len(key) == 44
    assert key not in said
    assert number(parameters, "F_DEBUGGING") == 0
    backup = aside / "admin.sqlite"
    assert read_admin(backup).tables == before.tables
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700


def test_nothing_is_changed_while_somebody_writes(project: Path, tmp_path: Path) -> None:
    change(project, "UPDATE SYS_PARAMS SET F_DEBUGGING = 1")
    wanted = fixes(project, "JC102")
    with closing(sqlite3.connect(project / "admin.sqlite")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        said = done(project, wanted, tmp_path / "aside")
    assert said.startswith("admin.sqlite stays as it is: database is locked. Stop what writes")
    assert "JC102" in found(project)
    assert not (tmp_path / "aside" / "admin.sqlite").exists()


def test_a_change_that_fails_leaves_all_as_it_was(project: Path, tmp_path: Path) -> None:
    wanted: list[Fix] = [SetParameter("F_TIMEOUT", 5), SetParameter("F_GONE", 1)]
    assert "no such column" in done(project, wanted, tmp_path / "aside")
    assert number(read_admin(project / "admin.sqlite").parameters, "F_TIMEOUT") == 86400


def test_what_was_left_over_is_moved_with_its_folders(project: Path, tmp_path: Path) -> None:
    left = project / "static" / "js" / "own.js~"
    left.parent.mkdir()
    left.write_text("old")
    said = done(project, fixes(project, "JC404"), tmp_path / "aside")
    moved = tmp_path / "aside" / "static" / "js" / "own.js~"
    assert said == f"moved {left} to {moved}"
    assert moved.read_text() == "old"
    assert not left.exists()


def test_modes_are_changed_and_told(project: Path, tmp_path: Path) -> None:
    (project / "server.py").chmod(0o777)
    wanted: list[Fix] = [SetMode(project / "server.py", 0o775), SetMode(project / "js", 0o750)]
    said = done(project, wanted, tmp_path / "aside")
    assert f"mode 775 for {project / 'server.py'}; it was 777" in said
    assert stat.S_IMODE((project / "js").stat().st_mode) == 0o750
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("kind", ["link", "gone"])
def test_what_has_become_something_else_is_left_alone(
    project: Path, tmp_path: Path, kind: str
) -> None:
    path = project / "server.py"
    path.unlink()
    if kind == "link":
        path.symlink_to("wsgi.py")
    wsgi = (project / "wsgi.py").stat().st_mode
    wanted: list[Fix] = [SetMode(path, 0o600), MoveAside(project / "gone.bak")]
    said = done(project, wanted, tmp_path / "aside").splitlines()
    assert said[0].startswith(f"the mode of {path} stays: ")
    assert said[1].startswith(f"{project / 'gone.bak'} stays where it is: No such file")
    assert (project / "wsgi.py").stat().st_mode == wsgi


def test_a_pipe_is_not_waited_for(project: Path, tmp_path: Path) -> None:
    os.mkfifo(project / "pipe", 0o666)
    assert "it was" in done(project, [SetMode(project / "pipe", 0o600)], tmp_path / "aside")
