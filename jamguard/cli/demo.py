"""`jamguard demo`: a real Jam.py project, hardened and served on this machine alone."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import attrs
import typer
from rich.console import Console

from ..jampy.demo import ADMIN, CLERK, DemoError, find_project_script, make_project
from ..stores.shared import shared_path
from .hardening import harden_project
from .terminal import fail

HOST: Final = "127.0.0.1"
PORT: Final = 8000  #: when it is free and no other is asked for
SERVER: Final = "waitress" if os.name == "nt" else "gunicorn"
#: says that a folder is a whole demo, so it is written last
MARK: Final = ".jamguard-demo"

SETTINGS: Final = """\
# jamguard's settings for this project. `jamguard config show` prints all of them, and the
# documentation has a page for each table. A line behind "#" shows what can be set.

[tool.jamguard]
# mode = "report"  # log what would be refused, and let it pass
# log = "json"     # one JSON object a line

[tool.jamguard.host]
# The names under which the site is reached. Loopback names are always answered.
allowed = ["localhost"]

# [tool.jamguard.proxy]
# trusted = ["127.0.0.1"]  # the reverse proxy in front, else its header is not believed

# [tool.jamguard.https]
# redirect = true

# [tool.jamguard.rate-limit]
# api = "600/minute"  # calls of one user

# [tool.jamguard.request-size]
# upload = "50 MB"
"""


@attrs.frozen
class Passwords:
    """Made anew for each project, and shown once."""

    admin: str = attrs.field(init=False, factory=lambda: secrets.token_urlsafe(12))
    clerk: str = attrs.field(init=False, factory=lambda: secrets.token_urlsafe(12))


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Keep the project here, and serve it next time."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"{PORT}, or a free one, unless you say."),
    ] = None,
) -> None:
    """Make a small Jam.py project, harden it, and serve it to this machine.

    Without DIR the project is temporary: it is removed when the demo ends.
    """
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if find_spec(SERVER) is None:
        fail(f'{SERVER} is not installed: pip install "jamguard[demo]"')
    try:
        find_project_script()
        free = find_port(port)
        with signals_interrupt(), project(folder, console) as (place, passwords):
            serve(place, free, passwords, console)
    except (DemoError, OSError, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        console.print("The demo has ended.")


def find_port(wanted: int | None) -> int:
    """Return the port to serve. Raises `DemoError` when the wanted one cannot be used."""
    try:
        return free_port(wanted or PORT)
    except OSError as error:
        if wanted is None:
            return free_port(0)
        reason = os.strerror(error.errno or 0)
        raise DemoError(
            f"port {wanted} cannot be used ({reason}); choose another with --port"
        ) from error


def free_port(port: int) -> int:
    """Return `port` if a server can have it, for 0 any. Raises `OSError`."""
    with socket.create_server((HOST, port)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def signals_interrupt() -> Generator[None, None, None]:
    """Let what ends a program from outside end this one as Ctrl-C does: it cleans up."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    wanted = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in wanted}
    try:
        yield
    finally:
        for name, old in before.items():
            signal.signal(getattr(signal, name), old)


@contextmanager
def project(
    folder: Path | None, console: Console
) -> Generator[tuple[Path, Passwords | None], None, None]:
    """Give the hardened project, and its passwords if it was made just now.

    Raises `DemoError` when there is something else in `folder`.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="jamguard-demo-") as temporary:
            place = Path(temporary).resolve()
            try:
                yield place, make(place, console)
            finally:  # what its workers counted in lies elsewhere
                shared_path(place).unlink(missing_ok=True)
    elif (folder / MARK).is_file():
        harden_project(folder)  # somebody may have tried it without the line
        yield folder.resolve(), None
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DemoError(f"{folder} is neither empty nor a demo; name another folder")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        # what is made inside is moved up when it is whole
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as temporary:
            passwords = make(Path(temporary), console)
            for path in Path(temporary).iterdir():
                shutil.move(path, folder)
        (folder / MARK).touch()
        yield folder.resolve(), passwords


def make(folder: Path, console: Console) -> Passwords:
    """Make a project and harden it; return its passwords, which are kept nowhere else."""
    passwords = Passwords()
    console.print("Making a Jam.py project:")
    with console.status("this takes some seconds"):
        make_project(
            folder,
            admin_password=passwords.admin,
            clerk_password=passwords.clerk,
            progress=lambda step: console.print(f"  {step}"),
        )
        console.print("  hardening wsgi.py and server.py")
        harden_project(folder)
        (folder / "pyproject.toml").write_text(SETTINGS, "utf-8")
    return passwords


def serve(folder: Path, port: int, passwords: Passwords | None, console: Console) -> None:
    """Serve until something ends it. Raises `DemoError` when the server does so itself."""
    with subprocess.Popen(server_command(SERVER, port), cwd=folder) as server:  # noqa: S603 - this interpreter
        try:
            while server.poll() is None and not answers(port):
                time.sleep(0.1)
            if server.poll() is None:
                welcome(folder, port, passwords, console)
            server.wait()
        finally:
            server.terminate()
            server.wait()
    raise DemoError(f"{SERVER} has ended with status {server.returncode}; see what it said above")


def server_command(server: str, port: int) -> list[str]:
    """Return the command that serves `wsgi.py` of the current folder to this machine."""
    if server == "waitress":
        return [sys.executable, "-m", "waitress", f"--listen={HOST}:{port}", "wsgi:application"]
    return [
        *(sys.executable, "-m", "gunicorn", "wsgi:application", "--bind", f"{HOST}:{port}"),
        *("--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "2"),
        "--no-control-socket",  # it would take the place of that of another site of this user
    ]


def answers(port: int) -> bool:
    """Say whether the site can be used; the first page makes Jam.py load the project."""
    with closing(HTTPConnection(HOST, port)) as connection, suppress(OSError, HTTPException):
        connection.request("GET", "/login.html")
        return connection.getresponse().status == HTTPStatus.OK
    return False


def welcome(folder: Path, port: int, passwords: Passwords | None, console: Console) -> None:
    """Say where the site is, who can log in, and how it ends."""
    url = f"http://{HOST}:{port}"
    console.print(f"\nOpen {url}/ (the Application Builder: {url}/builder.html)", style="bold")
    if passwords:
        console.print(f"  administrator:  {ADMIN}  password:  {passwords.admin}")
        console.print(f"  another user:   {CLERK}  password:  {passwords.clerk}")
        console.print("  Note the passwords: they are shown this once.")
    else:
        console.print(f"  Users: {ADMIN} and {CLERK}; their passwords were shown when it was made.")
        console.print("  If they are lost, remove the folder and make it again.")
    console.print(f"The project is in {folder}; what jamguard refuses is logged below.")
    console.print("Ctrl-C ends it.\n")
