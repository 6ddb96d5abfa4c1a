"""A project to be audited: spoilt, mended, and what is found in it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from jamguard.audit import Finding, audit, look_at
from jamguard.cli.hardening import harden_project


def found(folder: Path, *, hardened: bool | None = None) -> dict[str, list[Finding]]:
    """Audit a project; return the findings of each rule."""
    findings = audit(look_at(folder, hardened=hardened))
    return {one.id: [other for other in findings if other.id == one.id] for one in findings}


def places(folder: Path, number: str, *, hardened: bool | None = None) -> list[tuple[str, str]]:
    """Return where a rule is broken, and what was found there."""
    findings = found(folder, hardened=hardened).get(number, [])
    return [(str(one.where), one.detail) for one in findings]


def change(folder: Path, statement: str, *values: Any) -> Path:
    """Change a project's admin.sqlite."""
    with closing(sqlite3.connect(folder / "admin.sqlite")) as database, database:
        database.execute(statement, values)
    return folder


def harden(folder: Path) -> Path:
    """Write the line into both files of a project."""
    harden_project(folder)
    return folder
