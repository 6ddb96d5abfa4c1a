import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.audited import found, harden, places

from jamguard.audit.fixes import MoveAside, SetMode


@pytest.fixture
def open_project(demo_project: Path) -> Iterator[Path]:
    """A project that other users of the machine can get to, as they cannot to those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    shutil.copytree(demo_project, folder / "project")
    for path in (folder / "project").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o640)
    yield folder / "project"
    shutil.rmtree(folder)


def test_what_others_may_write_is_found(open_project: Path) -> None:
    assert "JC401" not in found(open_project)
    (open_project / "server.py").chmod(0o777)
    (open_project / "langs.sqlite").chmod(0o666)
    (open_project / "js").chmod(0o777)
    (open_project / "reports").chmod(0o1777)
    (open_project / "link.py").symlink_to("server.py")
    findings = found(open_project)["JC401"]
    assert [(str(one.where), one.detail) for one in findings] == [
        ("js", "mode 777"),
        ("langs.sqlite", "mode 666"),
        ("server.py", "mode 777"),
    ]
    assert [one.fix for one in findings] == [
        SetMode(open_project / "js", 0o775),
        SetMode(open_project / "langs.sqlite", 0o664),
        SetMode(open_project / "server.py", 0o775),
    ]


def test_rights_that_the_server_may_need_are_not_mended(open_project: Path) -> None:
    # the server may be one of the others: it writes to all but the code
    (open_project / "admin.sqlite").chmod(0o666)
    (open_project / "server.py").chmod(0o777)
    (open_project / "demo.sqlite").chmod(0o644)
    findings = found(open_project)
    assert [one.fix is None for one in findings["JC401"]] == [True, False]
    assert [one.fix for one in findings["JC402"]] == [None]
    (open_project / "admin.sqlite").unlink()
    (open_project / "js").chmod(0o777)
    assert [one.fix is None for one in found(open_project)["JC401"]] == [True, False]


def test_secrets_that_others_may_read_are_found(open_project: Path) -> None:
    assert "JC402" not in found(open_project)
    names = (".env", "admin.sqlite", "admin_copy.sqlite", "demo.sqlite", "tls.key")
    for name in (*names, "index.html", "langs.sqlite", "js/tls.key"):
        (open_project / name).touch()
        (open_project / name).chmod(0o644)
    findings = found(open_project)["JC402"]
    assert [one.where.file for one in findings] == list(names)
    assert findings[0].fix == SetMode(open_project / ".env", 0o640)


def test_nobody_gets_past_a_closed_folder(open_project: Path) -> None:
    (open_project / "server.py").chmod(0o777)
    (open_project / "admin.sqlite").chmod(0o644)
    assert {"JC401", "JC402"} <= set(found(open_project))
    open_project.chmod(0o750)
    assert not {"JC401", "JC402"} & set(found(open_project))


def test_a_database_of_root_is_found(project: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    (project / "admin.sqlite").chmod(0o640)
    assert "JC408" in found(project)
    (project / "admin.sqlite").chmod(0o660)
    assert "JC408" not in found(project)
    (project / "admin.sqlite").chmod(0o640)
    os.chown(project / "admin.sqlite", 65534, 65534)
    assert "JC408" not in found(project)


def test_copies_and_archives_are_found(project: Path) -> None:
    names = (
        "admin.old.sqlite",
        "demo_2025.sqlite",
        "index.html.bak",
        "shop.zip",
        "wsgi.py~",
        "demo.sql.gz",
    )
    for name in (*names, "readme.txt", "other.sqlite", "demo.sqlite-journal"):
        (project / name).touch()
    findings = found(harden(project))["JC403"]
    assert [one.where.file for one in findings] == sorted(names)
    # an archive may be there for the application: only what nothing uses is moved
    assert [one.fix for one in findings if one.fix] == [
        MoveAside(project / "index.html.bak"),
        MoveAside(project / "wsgi.py~"),
    ]


def test_what_lies_in_static_is_found(project: Path) -> None:
    static = project / "static"
    names = (".env", "backup.zip", "builder/p.zip", "builder/p.png", "copy.sqlite", "js/own.js")
    for name in (*names, "js/own.js.bak", "manual.zip", "files/anything.bak", "reports/old.zip"):
        (static / name).parent.mkdir(exist_ok=True)
        (static / name).touch()
    assert [where for where, _ in places(project, "JC404")] == [
        "static/.env",
        "static/backup.zip",
        "static/builder/p.zip",
        "static/copy.sqlite",
        "static/js/own.js.bak",
    ]
    assert [one.fix for one in found(project)["JC404"] if one.fix] == [
        MoveAside(static / "js" / "own.js.bak")
    ]
    # the guard hands out none of the others
    assert [where for where, _ in places(harden(project), "JC404")] == ["static/backup.zip"]


def test_exports_are_found_where_everybody_gets_them(project: Path) -> None:
    export = project / "static" / "internal" / "demo.zip"
    export.parent.mkdir()
    export.touch()
    (finding,) = found(project)["JC405"]
    assert (finding.where.file, finding.fix) == ("static/internal/demo.zip", MoveAside(export))
    assert "JC405" not in found(harden(project))


def test_what_waits_for_the_next_start_is_found(project: Path) -> None:
    (project / "_admin.sqlite").touch()
    (project / "migration").mkdir()
    (project / "migration" / "new.zip").touch()
    assert places(project, "JC406") == [("_admin.sqlite", "")]
    assert places(project, "JC407") == [("migration/new.zip", "")]


def test_installed_packages_are_not_the_projects(open_project: Path) -> None:
    for name in ("env/lib/t.py", "node_modules/t.js"):
        (open_project / name).parent.mkdir(parents=True)
        (open_project / name).touch()
        (open_project / name).chmod(0o666)
    (open_project / "env" / "pyvenv.cfg").touch()
    assert "JC401" not in found(open_project)


def test_a_folder_that_is_no_project_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jamguard.audit.files.MOST", 10)
    (tmp_path / "static").mkdir()
    for number in range(20):
        (tmp_path / "static" / f"{number:02}.sqlite").touch()
    assert len(places(tmp_path, "JC404")) == 10
