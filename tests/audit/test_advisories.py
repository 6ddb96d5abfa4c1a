import os
import stat
import sys
from pathlib import Path

import pytest
from support.audited import harden

from jamguard.audit import advisories, audit, look_at

#: what pip-audit 2 prints
ANSWER = """{"dependencies": [
  {"name": "werkzeug", "version": "3.1.9", "vulns": []},
  {"name": "local", "skip_reason": "not on the index"},
  {"name": "jinja2", "version": "3.1.2", "vulns": [
    {"id": "PYSEC-2024-1", "fix_versions": ["3.1.3", "3.2"], "aliases": [], "description": ""},
    {"id": "PYSEC-2024-2", "fix_versions": [], "aliases": [], "description": ""}]}
], "fixes": []}"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for `pip-audit`, which asks the network."""
    path = tmp_path / "bin" / "pip-audit"
    path.parent.mkdir()
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    # that of the tests' environment may be installed
    monkeypatch.setattr(sys, "executable", str(path.with_name("python")))
    return path


def install(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def said(program: Path, script: str) -> list[tuple[str, str, str]]:
    install(program, script)
    return [(one.id, str(one.where), one.detail) for one in advisories.check()]


def test_known_flaws_are_found(program: Path) -> None:
    assert said(program, f"cat <<'END'\n{ANSWER}\nEND\nexit 1") == [
        ("JC513", "jinja2", "3.1.2: PYSEC-2024-1, mended in 3.1.3, 3.2"),
        ("JC513", "jinja2", "3.1.2: PYSEC-2024-2, mended in no version yet"),
    ]


def test_the_packages_beside_jamguard_are_asked_about(program: Path) -> None:
    ((_, _, detail),) = said(program, 'echo "$@" >&2')
    assert detail.startswith("--format json --progress-spinner off --path /")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'it started'; echo 'no network' >&2; exit 1", "no network"),
        ("exit 1", "JSONDecodeError"),
        ("echo '[]'", "TypeError"),
        ('echo \'{"dependencies": [{"name": "x", "skip_reason": "?"}]}\'', "ValueError"),
        ('echo \'{"dependencies": [{"name": "x", "vulns": [{}]}]}\'', "KeyError"),
    ],
)
def test_a_pip_audit_that_cannot_say_is_a_remark(program: Path, script: str, why: str) -> None:
    assert said(program, script) == [("JC514", str(program), why)]


def test_a_slow_one_is_not_waited_for(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisories, "SECONDS", 0.1)
    assert said(program, "exec sleep 60") == [("JC514", str(program), "TimeoutExpired")]


def test_without_pip_audit_nothing_is_asked(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert list(advisories.check()) == []


def test_the_network_is_asked_only_if_wanted(program: Path, project: Path) -> None:
    install(program, "exit 1")
    target = look_at(harden(project))
    assert "JC514" not in {one.id for one in audit(target)}
    assert "JC514" in {one.id for one in audit(target, ask_network=True)}
