import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Generator
from contextlib import closing, contextmanager
from importlib import metadata
from pathlib import Path

import pytest
from support.projects import CLERK, User
from support.servers import LOCAL, Server, free_port, run_command, stop
from typer.testing import CliRunner

from jamguard.cli.app import app
from jamguard.cli.demo import MARK, SETTINGS, find_port, server_command
from jamguard.cli.hardening import harden_project
from jamguard.config import Source, load
from jamguard.guards import GUARDS
from jamguard.stores.shared import shared_path

SECONDS = 60


@contextmanager
def demo(*arguments: str, folder: Path, until: str) -> Generator[Server, None, None]:
    """Run `jamguard demo` until it has said something."""
    port = free_port()
    path = folder / f"demo-{port}.log"
    command = [sys.executable, "-m", "jamguard", "demo", *arguments, "--port", str(port)]
    with (
        path.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        server = Server(port, path, process)
        try:
            end = time.monotonic() + SECONDS
            while until not in server.log() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            assert until in server.log(), server.log()
            yield server
        finally:
            stop(process)


def password(server: Server, user: str) -> str:
    found = re.search(rf"{user}  password:  (\S+)", server.log())
    assert found
    return found[1]


def is_served(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex((LOCAL, port)) == 0


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["demo", *arguments])
    return done.exit_code, done.stderr


def test_a_temporary_demo_is_served_hardened_and_removed(tmp_path: Path) -> None:
    with demo(folder=tmp_path, until="Ctrl-C ends it") as server:
        admin, clerk = password(server, "admin"), password(server, "clerk")
        assert len({admin, clerk, "111"}) == 3
        assert server.try_login(User("admin", "111")).status == 200
        assert (
            server.request("GET", "/", {"Cookie": server.login(User("clerk", clerk))}).status == 200
        )
        browser = {"Connection": "keep-alive"}  # without it the builder guard sees a proxy
        server.login(User("admin", admin), "/builder_login.html", browser)
        answer = server.request("GET", "/jam/../admin.sqlite")
        assert answer.status == 400
        assert b"SQLite" not in answer.body
        found = re.search(r"The project is in (\S+);", server.log())
        assert found
        place = Path(found[1])
        assert (place / "pyproject.toml").read_text("utf-8") == SETTINGS
        assert harden_project(place) == []
        counted_in = shared_path(place)
        assert counted_in.exists()
    assert server.process.returncode == 0
    assert "The demo has ended" in server.log()
    assert "reason=dot-segment" in server.log()
    assert not place.exists()
    assert not counted_in.exists()
    assert not is_served(server.port)


def test_a_kept_demo_is_served_again_with_its_passwords(tmp_path: Path) -> None:
    place = tmp_path / "shop" / "demo"
    with demo(str(place), folder=tmp_path, until="Ctrl-C ends it") as server:
        clerk = User("clerk", password(server, "clerk"))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(SECONDS) == 0
    before = {path: path.read_bytes() for path in place.glob("*.py")}
    # somebody wanted to see it without jamguard
    wsgi = place / "wsgi.py"
    wsgi.write_text(
        "from jam.wsgi import create_application\napplication = create_application(__file__)\n"
    )
    with demo(str(place), folder=tmp_path, until="Ctrl-C ends it") as server:
        assert "password:" not in server.log()
        assert "their passwords were shown when it was made" in server.log()
        server.login(clerk)
    assert "application = jamguard.harden(application)" in wsgi.read_text()
    server_py = place / "server.py"
    assert server_py.read_bytes() == before[server_py]
    wsgi.write_text("application = None\n")
    code, said = invoke(str(place))
    assert code == 2
    assert "has no line 'application = create_application(...)'" in said
    shared_path(place).unlink()  # it is for the next start


def test_an_interrupted_demo_leaves_nothing_half_made(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    with demo(str(place), folder=tmp_path, until="choosing the language") as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(SECONDS) == 0
    assert list(place.iterdir()) == []


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
        code, problem = invoke(str(tmp_path / "demo"), "--port", str(port))
    assert code == 2
    assert problem.startswith(f"port {port} cannot be used (Address already in use)")
    assert not (tmp_path / "demo").exists()


def test_without_a_wish_there_is_always_a_port() -> None:
    with socket.create_server((LOCAL, find_port(None))) as taken:
        assert find_port(None) != taken.getsockname()[1]


@pytest.mark.parametrize("files", [["notes.txt"], ["wsgi.py", "admin.sqlite"]])
def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        (tmp_path / name).write_text(name)
    code, problem = invoke(str(tmp_path))
    assert code == 2
    assert problem == f"{tmp_path} is neither empty nor a demo; name another folder\n"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {n: n for n in files}


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    assert invoke(str(file))[0] == 2
    code, problem = invoke(str(file / "below"))
    assert code == 2
    assert "Not a directory" in problem
    assert file.read_text() == "text"


def test_without_jam_py_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", files)
    code, problem = invoke(str(tmp_path / "demo"))
    assert code == 2
    assert problem.startswith("Jam.py v7 is not installed")
    assert not (tmp_path / "demo").exists()


def test_without_the_server_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gunicorn", None)
    assert invoke(str(tmp_path / "demo")) == (
        2,
        'gunicorn is not installed: pip install "jamguard[demo]"\n',
    )
    assert not (tmp_path / "demo").exists()


def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    (tmp_path / MARK).touch()
    for name in ("wsgi.py", "server.py"):
        (tmp_path / name).write_text("application = harden(None)\n")
    code, problem = invoke(str(tmp_path), "--port", str(free_port()))
    assert code == 2
    assert problem.startswith("gunicorn has ended with status")


def test_the_command_for_windows_serves_too(project: Path) -> None:
    harden_project(project)
    port = free_port()
    with run_command(server_command("waitress", port), project, port) as server:
        server.login(CLERK)
        assert server.request("GET", "/jam/../admin.sqlite").status == 400
        # waitress sets up logging after the application is made: no line twice for all that
        assert server.log().count("reason=dot-segment") == 1


def test_every_setting_in_the_file_is_right_also_without_its_comment_sign() -> None:
    settings = re.sub(r"^# (?=[\w\[-]+ = |\[)", "", SETTINGS, flags=re.MULTILINE)
    table = tomllib.loads(settings)["tool"]["jamguard"]
    assert table["mode"] == "report"
    assert table["rate-limit"] == {"api": "600/minute"}
    for source in (table, tomllib.loads(SETTINGS)["tool"]["jamguard"]):
        load(Source("the demo", source), GUARDS)
