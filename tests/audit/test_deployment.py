import os
import sys
import time
from datetime import date
from pathlib import Path

import attrs
import pytest
from support.audited import change, found, harden, places

from jamguard.audit import Target, deployment, look_at
from jamguard.audit.deployment import END_OF_LIFE
from jamguard.cli.hardening import harden_file


def numbers(target: Target) -> set[str]:
    return {one.id for one in deployment.check(target)}


def of_version(project: Path, **installed: str) -> Target:
    names = {"v7": "jam.py-v7", "v5": "jam.py-v5", "old": "jam.py"}
    versions = {names[name]: version for name, version in installed.items()}
    return attrs.evolve(look_at(project), installed=versions)


def test_a_project_without_jamguard_is_found(project: Path) -> None:
    assert places(project, "JC501") == [("wsgi.py:4", "")]
    assert places(project, "JC503") == [("server.py:45", "")]
    assert places(project, "JC505") == [("wsgi.py:4", "")]
    ((where, detail),) = places(project, "JC506")
    assert (where, detail) == ("wsgi.py:4", "among them admin.sqlite, server.py, wsgi.py")
    assert not {"JC501", "JC502", "JC503", "JC505", "JC506"} & set(found(harden(project)))


def test_a_bare_server_py_beside_a_hardened_wsgi_py_is_found(project: Path) -> None:
    before = (project / "server.py").read_text()
    harden(project)
    (project / "server.py").write_text(before)
    findings = found(project)
    assert "JC501" not in findings
    assert "JC505" not in findings
    assert places(project, "JC503") == [("server.py:45", "")]


def test_the_line_in_the_wrong_place_is_found(project: Path) -> None:
    with (project / "wsgi.py").open("a") as file:
        file.write("\nimport jamguard\napp = jamguard.harden(application)\n")
    assert places(project, "JC502") == [("wsgi.py:7", "app is hardened, and application is served")]
    assert {"JC505", "JC506"} <= set(found(project))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gunicorn.conf.py", 'wsgi_app = "wsgi:app"\n'),
        ("start.sh", "exec gunicorn wsgi:app\n# not wsgi:application\n"),
    ],
)
def test_a_server_may_be_told_to_load_another_name(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text)
    with (project / "wsgi.py").open("a") as file:
        file.write("\nimport jamguard\napp = jamguard.harden(application)\n")
    assert not {"JC501", "JC502", "JC505"} & set(found(project))
    (project / name).write_text(text.replace(":application", "").replace(":app", ":application"))
    assert "JC502" in found(project)


def test_whoever_serves_it_may_know_that_it_is_hardened(project: Path) -> None:
    assert {"JC505", "JC506"} <= set(found(project))
    assert not {"JC501", "JC505", "JC506"} & set(found(project, hardened=True))


def test_a_project_with_a_server_py_alone_is_read(project: Path) -> None:
    (project / "wsgi.py").unlink()
    assert places(project, "JC505") == [("server.py:45", "")]
    harden_file(project / "server.py")
    assert not {"JC503", "JC505"} & set(found(project))


@pytest.mark.parametrize("wsgi", ["from elsewhere import application\n", None])
def test_what_is_made_elsewhere_may_be_hardened_or_not(project: Path, wsgi: str | None) -> None:
    (project / "wsgi.py").unlink()
    if wsgi is None:
        (project / "server.py").unlink()
    else:
        (project / "wsgi.py").write_text(wsgi)
    detail = "wsgi.py makes none that can be seen" if wsgi else ""
    assert places(project, "JC504") == [("the project's folder", detail)]
    assert not {"JC501", "JC505", "JC506"} & set(found(project))
    assert not {"JC504", "JC505", "JC108"} & set(found(project, hardened=True))


def test_guards_that_do_not_refuse_close_nothing(project: Path) -> None:
    harden(project)
    settings = project / "jamguard.toml"
    settings.write_text('[tool.jamguard.builder]\nmode = "report"\n')
    assert "JC505" in found(project)
    settings.write_text("[tool.jamguard.path]\nenabled = false\n")
    assert "JC506" in found(project)


def test_production_mode_closes_the_pages_of_v7_and_nothing_of_v5(project: Path) -> None:
    (project / "builder.html").touch()
    assert "JC505" not in numbers(of_version(project, v7="7.0.120"))
    target = of_version(project, v5="5.5.4")
    (builder,) = [one for one in deployment.check(target) if one.id == "JC505"]
    assert builder.detail == "v5 ignores builder.html"
    assert "JC506" not in numbers(target)


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ({"v7": "7.0.120"}, set[str]()),
        ({"v7": "7.1"}, set[str]()),
        ({"v7": "7.0.53"}, {"JC509"}),
        ({"v5": "5.5.4"}, {"JC508"}),
        ({"old": "5.4.136"}, {"JC508"}),
        ({"v7": "7.0.120", "v5": "5.5.4"}, {"JC510"}),
        ({}, set[str]()),
    ],
)
def test_the_version_of_jampy_is_judged(
    project: Path, installed: dict[str, str], expected: set[str]
) -> None:
    assert numbers(of_version(project, **installed)) & {"JC508", "JC509", "JC510"} == expected


def test_without_an_installed_jampy_the_database_tells_its_version(project: Path) -> None:
    assert of_version(project).version == "7.0.120"
    change(project, "UPDATE SYS_PARAMS SET F_JAM_VERSION = '5.4.30'")
    assert of_version(project).is_v5
    (project / "admin.sqlite").unlink()
    assert of_version(project).version == ""


@pytest.mark.parametrize(
    ("name", "line", "develops"),
    [
        ("Dockerfile", 'CMD ["python", "server.py", "8080"]', True),
        ("shop.service", "ExecStart=/srv/venv/bin/python3.11 /srv/shop/server.py 80", True),
        ("start.bat", "pythonw.exe server.py", True),
        ("compose.yaml", "  command: python -u server.py", True),
        ("start.sh", "# python server.py", False),
        ("start.bat", "REM python server.py", False),
        ("start.sh", "exec gunicorn wsgi:application", False),
        ("notes.txt", "python server.py", False),
    ],
)
def test_a_start_with_the_development_server_is_found(
    project: Path, name: str, line: str, develops: bool
) -> None:
    (project / name).write_text(f"\n{line}\n")
    expected = [(f"{name}:2", line.strip())] if develops else []
    assert places(project, "JC507") == expected


def test_a_folder_with_the_name_of_a_start_file_is_no_file(project: Path) -> None:
    (project / "deploy.conf").mkdir()
    assert "JC507" not in found(project)


@pytest.mark.parametrize(
    ("version", "today", "found"),
    [
        ((3, 11), END_OF_LIFE[3, 11], False),
        ((3, 11), date(2027, 11, 1), True),
        ((3, 99), date(2099, 1, 1), False),
    ],
)
def test_a_python_without_fixes_is_found(
    version: tuple[int, int], today: date, found: bool
) -> None:
    findings = list(deployment._python(version, today))
    assert [str(one.where) for one in findings] == [sys.executable] * found


def test_a_clock_that_is_behind_is_found(project: Path) -> None:
    assert "JC512" not in found(project)
    later = time.time() + 3600
    os.utime(project / "index.html", (later, later))
    ((where, detail),) = places(project, "JC512")
    assert where == "index.html"
    assert detail.startswith("written on ")
