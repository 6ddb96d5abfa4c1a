"""What is in the Jam.py project that the fixtures `demo_project` and `project` give."""

import os
import shutil
from pathlib import Path
from typing import Final

import attrs

from jamguard.jampy.demo import ADMIN as ADMIN_LOGIN
from jamguard.jampy.demo import CLERK as CLERK_LOGIN
from jamguard.jampy.demo import make_project


@attrs.frozen
class User:
    login: str
    password: str


ADMIN: Final = User(ADMIN_LOGIN, "the-admin's-Passwort")
CLERK: Final = User(CLERK_LOGIN, "the-clerk's-Passwort")

#: ids, as `/api` and `/upload` want them
TASK, CUSTOMERS, ORDERS, REPORT = 1, 6, 7, 8
FIELD_PHOTO, FIELD_DOC = 18, 19
#: names of the customers, from id 1
NAMES: Final = ("Ada Lovelace", "Grace Hopper", "Łukasz Święty")


def make(folder: Path, *, safe_mode: bool = True) -> Path:
    """Make the project, which takes about 2 s; a copy of a made one is faster."""
    folder.mkdir(parents=True, exist_ok=True)
    make_project(
        folder,
        admin_password=ADMIN.password,
        clerk_password=CLERK.password,
        safe_mode=safe_mode,
        progress=_nothing,
    )
    return folder


def copy(project: Path, folder: Path) -> Path:
    """Copy a project, to be changed and served."""
    shutil.copytree(project, folder)
    return folder


def empty_project(folder: Path) -> Path:
    """Lay out a project as `jam-project.py` does, before Jam.py's wizard of the first start."""
    import runpy  # noqa: PLC0415

    from jamguard.jampy.demo import find_project_script  # noqa: PLC0415

    folder.mkdir(parents=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        runpy.run_path(str(find_project_script()))
    finally:
        os.chdir(before)
    return folder


def _nothing(_: str) -> None:
    pass
