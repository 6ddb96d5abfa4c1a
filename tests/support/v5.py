"""Jam.py v5 in a Python environment of its own: v7 and v5 are both the package `jam`."""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Final

import pytest

import jamguard
from support import need
from support.projects import TASK, User
from support.servers import Reply, Server

PACKAGE: Final = "jam.py-v5==5.5.4"
TESTS: Final = Path(__file__).parents[1]
PROJECT: Final = TESTS.parent / "pyproject.toml"
#: extras of the tests that a server of Jam.py v5 needs as well
SERVERS: Final = ("gunicorn", "waitress")


def make_environment(folder: Path) -> Path:
    """Make a virtual environment with Jam.py v5 and this very jamguard; return its Python.

    The test that asks for it is skipped where pip has no way to Jam.py.
    """
    if sys.version_info >= (3, 13):
        pytest.skip("Jam.py v5 needs the module imghdr, which Python has no longer")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", PACKAGE, *_requirements()],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(done.stderr)
        need.missing("Jam.py v5")
    (packages,) = folder.glob("lib/python*/site-packages")
    # no more than the package itself: its neighbours may be Jam.py v7
    (packages / "jamguard").symlink_to(Path(jamguard.__file__).parent)
    if "COVERAGE_PROCESS_CONFIG" in os.environ:
        (packages / "coverage.pth").write_text("import coverage; coverage.process_startup()\n")
    return python


def make_project(python: Path, folder: Path) -> Path:
    """Make the project that `v5_project` describes."""
    folder.mkdir(parents=True)
    subprocess.run(
        [python, "-m", "support.v5_project", folder],
        check=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    return folder


def empty_project(python: Path, folder: Path) -> Path:
    """Lay out a project as it is before Jam.py's wizard of the first start."""
    folder.mkdir(parents=True)
    subprocess.run([python, python.with_name("jam-project.py")], check=True, cwd=folder)
    return folder


def login(server: Server, user: User, *, builder: bool = False) -> str:
    """Log in as v5's client does, by a call; return the cookie to send."""
    reply = try_login(server, user, builder=builder)
    cookie = reply.get("Set-Cookie")
    assert reply.json["result"]["data"] is True, reply
    assert cookie
    return cookie.partition(";")[0]


def try_login(server: Server, user: User, *, builder: bool = False) -> Reply:
    """Call `login`; `data` of the result is true where it lets in."""
    form = {"login": user.login, "password": user.password}
    return server.api(["login", 0 if builder else TASK, 0, [form], 0])


def _requirements() -> list[str]:
    """Return what pyproject.toml says that jamguard and the servers need."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = [*project["optional-dependencies"]["serve"], *project["optional-dependencies"]["test"]]
    wanted = (*SERVERS, "coverage")
    return [*project["dependencies"], *(extra for extra in extras if extra.startswith(wanted))]
