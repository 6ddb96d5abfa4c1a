"""Jam.py v5: a project of its own, audited from an environment that has v7 or nothing."""

from pathlib import Path

import attrs
import pytest
from support.audited import change
from support.projects import copy

from jamguard.audit import Finding, audit, look_at

pytestmark = pytest.mark.long


def audited(project: Path, *, hardened: bool | None = None) -> dict[str, list[Finding]]:
    """Audit as where no Jam.py is installed: the database says which one it is."""
    findings = audit(attrs.evolve(look_at(project, hardened=hardened), installed={}))
    return {one.id: [other for other in findings if other.id == one.id] for one in findings}


def test_a_project_of_v5_is_read(v5_project: Path) -> None:
    before = (v5_project / "admin.sqlite").read_bytes()
    found = audited(v5_project)
    assert {"JC501", "JC503", "JC505", "JC508"} <= set(found)
    # v5 hands out no files of the project
    assert not {"JC100", "JC101", "JC307", "JC506", "JC511"} & set(found)
    assert [one.detail for one in found["JC302"]] == ["customers.basename"]
    assert [one.detail for one in found["JC306"]] == [""]
    assert [one.detail for one in found["JC112"]] == [".html, .svg"]
    assert {"customers.hello", "demo5.ping"} <= {one.detail for one in found["JC301"]}
    assert (v5_project / "admin.sqlite").read_bytes() == before


def test_production_mode_of_v5_leaves_the_builder_open(v5_project: Path, tmp_path: Path) -> None:
    project = copy(v5_project, tmp_path / "project")
    (project / "builder.html").touch()
    assert [one.detail for one in audited(project)["JC505"]] == ["v5 ignores builder.html"]
    assert "JC505" not in audited(project, hardened=True)


def test_the_same_holes_are_found(v5_project: Path, tmp_path: Path) -> None:
    project = copy(v5_project, tmp_path / "project")
    change(project, "UPDATE SYS_PARAMS SET F_SAFE_MODE = 0, F_DEBUGGING = 1, F_SECRET_KEY = ''")
    change(project, "UPDATE SYS_USERS SET F_PASSWORD = '111' WHERE F_LOGIN = 'admin'")
    assert {"JC101", "JC102", "JC103", "JC201"} <= set(audited(project))
