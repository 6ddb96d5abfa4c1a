"""Serve a Jam.py project by a real server: a process of its own on a free port.

    with run_server(project, "gunicorn") as server:
        cookie = server.login(CLERK)
        assert server.api(["load", 1, 0, None, 0], cookie).json["result"]["status"] == 9

A server is ended by its pid at the end, whatever happened; what it wrote is `server.log()`.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import attrs
import pytest

from jamguard.cli.hardening import harden_project
from support import need
from support.kinds import LOCAL, Kind, command_for, documented_nginx
from support.projects import User

__all__ = ["LOCAL", "Kind"]  # for those who need no more of `support.kinds`

HeaderList = Mapping[str, str] | Sequence[tuple[str, str]]

START_SECONDS: Final = 40  #: a loaded machine is slow to import Jam.py
ANSWER_SECONDS: Final = 40
LISTEN_BEFORE_THEY_LOAD: Final[frozenset[Kind]] = frozenset(
    {"gunicorn", "gunicorn-sync", "gunicorn-gevent", "uwsgi", "uwsgi-http", "granian", "mod_wsgi"}
)


class ServerError(Exception):
    """The server ended, or did not answer in time; the text is what it wrote."""


@attrs.frozen
class Reply:
    """What a server answered."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection(HTTPConnection):
    """Sends any target and any method, where http.client would mend or refuse them."""

    def _validate_path(self, url: str) -> None:
        pass

    def _validate_method(self, method: str) -> None:
        pass

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


@attrs.frozen
class Server:
    """A running server on 127.0.0.1 (the development server: on all addresses)."""

    port: int
    output: Path
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://{LOCAL}:{self.port}"

    def log(self) -> str:
        """Return what the server and its application have written until now."""
        return self.output.read_text("utf-8", errors="replace")

    def peak_memory(self) -> int:
        """Return the most memory, in bytes, that the server or a child of it has had at once."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
        peaks = [
            int(line.split()[1])
            for one in (pid, *children)
            for line in Path(f"/proc/{one}/status").read_text("utf-8").splitlines()
            if line.startswith("VmHWM")
        ]
        return max(peaks) * 1024

    def request(
        self,
        method: str,
        path: str,
        headers: HeaderList = (),
        body: bytes | None = None,
        *,
        source: str = LOCAL,
        address: str = LOCAL,
    ) -> Reply:
        """Send a request with a path that goes out exactly as given.

        It comes from `source`, any 127.x.y.z, and goes to `address`. Host and
        Content-Length are added where they are not among the headers.
        """
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        names = {name.lower() for name, _ in pairs}
        connection = Connection(address, self.port, ANSWER_SECONDS, source_address=(source, 0))
        try:
            connection.putrequest(method, path, "host" in names, skip_accept_encoding=True)
            for name, value in pairs:
                connection.putheader(name, value)
            if body is not None and not names & {"content-length", "transfer-encoding"}:
                connection.putheader("Content-Length", str(len(body)))
            with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before the end
                connection.endheaders(body)
            answer = connection.getresponse()
            return Reply(answer.status, answer.reason, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def raw(self, data: bytes, *, source: str = LOCAL, quiet_seconds: float = 2) -> bytes:
        """Send bytes; return all that comes until the server closes or falls silent."""
        with socket.create_connection(
            (LOCAL, self.port), ANSWER_SECONDS, source_address=(source, 0)
        ) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            received = bytearray()
            with suppress(TimeoutError, ConnectionResetError):
                while some := connection.recv(65536):
                    received += some
                    connection.settimeout(quiet_seconds)
            return bytes(received)

    def login(
        self, user: User, page: str = "/login.html", headers: HeaderList = (), **how: str
    ) -> str:
        """Log in, or for `/builder_login.html` into the builder; return the cookie to send."""
        reply = self.try_login(user, page, headers, **how)
        cookie = reply.get("Set-Cookie")
        assert reply.status == 302, reply
        assert cookie
        return cookie.partition(";")[0]

    def try_login(
        self, user: User, page: str = "/login.html", headers: HeaderList = (), **how: str
    ) -> Reply:
        """Post the login form: 302 lets in, 200 does not."""
        form = urlencode({"login": user.login, "password": user.password}).encode()
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        pairs.append(("Content-Type", "application/x-www-form-urlencoded"))
        return self.request("POST", page, pairs, form, **how)

    def api(
        self, call: list[Any], cookie: str | None = None, headers: HeaderList = (), **how: str
    ) -> Reply:
        """Post a call, `[method, task, item, params, modification]`."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        pairs.append(("Content-Type", "application/json;charset=utf-8"))
        if cookie:
            pairs.append(("Cookie", cookie))
        return self.request("POST", "/api", pairs, json.dumps(call).encode(), **how)


@contextmanager
def run_server(
    folder: Path,
    kind: Kind = "gunicorn",
    *,
    harden: bool = True,
    config: str | None = None,
    args: Sequence[str] = (),
    workers: int = 1,
    threads: int = 4,
    env: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
) -> Generator[Server, None, None]:
    """Serve the project in `folder`, with the one line in its files where `harden` is true.

    All load its `wsgi.py` but `werkzeug`, which is its own `python server.py PORT`. `config`
    becomes the project's pyproject.toml; `args` are more arguments of the server (of gunicorn
    behind nginx), `env` more variables of its environment, `python` the interpreter.

    Raises `ServerError` when the server does not come up.
    """
    if harden:
        harden_project(folder)
    if config is not None:
        (folder / "pyproject.toml").write_text(config, "utf-8")
    if kind in {"nginx-tcp", "nginx-unix"}:
        how = {"harden": False, "workers": workers, "threads": threads, "env": env}
        with _behind_nginx(folder, kind, args, how) as server:
            yield server
        return
    port = free_port()
    command = command_for(
        kind, folder, port, args=args, workers=workers, threads=threads, python=python
    )
    ends_by = signal.SIGTERM if kind == "mod_wsgi" else signal.SIGINT
    with run_command(command, folder, port, env, ends_by) as server:
        if kind in LISTEN_BEFORE_THEY_LOAD:
            try:
                server.request("GET", "/favicon.ico")
            except (OSError, HTTPException) as error:
                server.process.wait(START_SECONDS)
                raise ServerError(server.log()) from error
        yield server


@contextmanager
def _behind_nginx(
    folder: Path, kind: Kind, args: Sequence[str], how: dict[str, Any]
) -> Generator[Server, None, None]:
    """Serve by gunicorn behind an nginx as the documentation sets it up; the log is gunicorn's."""
    body = documented_nginx()
    with tempfile.TemporaryDirectory(prefix="gunicorn-") as place:
        if kind == "nginx-unix":
            path = f"unix:{place}/site.sock"
            args = ["--bind", path, *args]
            body = body.replace("UPSTREAM", f"{path}:")
        with (
            run_server(folder, args=args, **how) as upstream,
            run_nginx(body, upstream) as nginx,
        ):
            yield attrs.evolve(upstream, port=nginx.port)


@contextmanager
def run_command(
    command: Sequence[str],
    folder: Path,
    port: int,
    env: Mapping[str, str] | None = None,
    ends_by: signal.Signals = signal.SIGINT,
) -> Generator[Server, None, None]:
    """Run a command in `folder` that serves `port`, until the block ends."""
    variables = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "https_proxy": "http://127.0.0.1:9",  # server.py asks for its newest version: not here
        "JAMGUARD_STORAGE": f"shared:{folder.parent}",  # and not where it stays
        **(env or {}),
    }
    number, path = tempfile.mkstemp(prefix="server-", suffix=".log", dir=folder.parent)
    with (
        os.fdopen(number, "wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as process,
    ):
        server = Server(port, Path(path), process)
        try:
            wait_until_it_listens(server)
            yield server
        finally:
            stop(process, ends_by)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # workers that it has left behind


def wait_until_it_listens(server: Server) -> None:
    """Return when the port takes connections; raise `ServerError` when it never will."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with suppress(OSError):
            socket.create_connection((LOCAL, server.port), 1).close()
            return
        time.sleep(0.05)
    raise ServerError(server.log())


def stop(process: "subprocess.Popen[bytes]", ends_by: signal.Signals = signal.SIGINT) -> None:
    """End a server so that it can clean up; kill it when it does not listen."""
    if process.poll() is None:
        process.send_signal(ends_by)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def run_nginx(body: str, upstream: Server, *, http: str = "") -> Generator[Server, None, None]:
    """Run nginx with one `server` whose content is `body`; the test is skipped without nginx.

    `UPSTREAM` in it stands for the address of `upstream`. `http` is more for the `http` block.
    """
    program = need.path("nginx")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as parent:
        folder = Path(parent) / "nginx"
        folder.mkdir()
        config = folder / "nginx.conf"
        temporary = "\n".join(
            f"  {name}_temp_path {folder}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            f"daemon off;\nmaster_process off;\nworker_processes 1;\npid {folder}/pid;\n"
            "error_log stderr warn;\nevents { worker_connections 768; }\n"
            f"http {{\n  access_log off;\n{temporary}\n  {http}\n"
            f"  server {{\n    listen {LOCAL}:{port};\n    {body}\n  }}\n}}\n".replace(
                "UPSTREAM", f"{LOCAL}:{upstream.port}"
            ),
            "utf-8",
        )
        command = [program, "-c", str(config), "-p", str(folder), "-e", "stderr"]
        with run_command(command, folder, port) as server:
            yield server


def free_port() -> int:
    """Return a port that was free a moment ago, on all addresses.

    Not one that the system would pick: from there it also takes the ports of connections
    that go out, and one of those may be faster than the server that is to have it.
    """
    for port in random.SystemRandom().sample(range(20_000, 32_000), 50):
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("", port))
            return port
    raise ServerError("fifty ports were tried and all are in use")


def own_address() -> str:
    """Return an IPv4 address of this machine that is not loopback; skip the test without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        try:
            way_out.connect(("192.0.2.1", 9))  # finds the route; a datagram socket sends nothing
        except OSError:
            pytest.skip(f"{need.NEEDS}address but loopback")
        address: str = way_out.getsockname()[0]
    return address
