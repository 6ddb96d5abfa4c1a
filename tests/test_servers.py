"""What servers show of themselves, by objects of their shape; real ones are in `servers/`."""

import io
import socket
import ssl
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import attrs
import pytest
from support.wsgi import environ

from jamguard.servers import Server, duplicate, is_plain


@attrs.frozen
class Caller:
    """One of a server's own objects, in one of whose methods an application is called."""

    cfg: Any = None
    channel: Any = None
    server: Any = None
    requests_seen: int = 0

    def call(self, env: dict[str, Any]) -> Server:
        return Server.of(env)


@attrs.frozen
class Worker:
    cfg: Any

    def call(self, env: dict[str, Any]) -> Server:
        return Server.of(env)


GUNICORN: Final = {"gunicorn.socket": 5}


@pytest.mark.parametrize(
    ("kind", "threads", "answers"),
    [("sync", 1, True), ("gthread", 16, True), ("gevent", 1000, False), ("eventlet", 1000, False)],
)
def test_gunicorn_says_it_in_its_settings(kind: str, threads: int, answers: bool) -> None:
    cfg = SimpleNamespace(
        worker_class_str=kind, threads=1 if kind == "sync" else 16, worker_connections=1000
    )
    server = Worker(cfg).call(environ(**GUNICORN))
    assert (server.threads, server.answers) == (threads, answers)
    assert server.handle(GUNICORN) == 5


def test_a_worker_of_gunicorn_that_is_not_found_is_not_guessed_at() -> None:
    server = Server.of(environ(**GUNICORN))
    assert (server.threads, server.answers) == (None, False)


def test_werkzeug_has_a_thread_for_each_request() -> None:
    server = Server.of(environ(**{"werkzeug.socket": 5}))
    assert (server.threads, server.answers) == (None, True)
    assert server.handle({"werkzeug.socket": 5}) == 5


def test_uwsgi_has_a_module_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("uwsgi")
    module.opt = {"threads": b"8"}
    module.connection_fd = lambda: 5
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    env = environ(**{"uwsgi.version": b"2.0.31"})
    server = Server.of(env)
    assert (server.threads, server.answers, server.handle(env)) == (8, True, 5)
    del module.opt["threads"]
    assert Server.of(env).threads == 1
    module.opt["https-socket"] = b":8443"
    assert not Server.of(env).answers


def test_waitress_and_mod_wsgi_show_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    channel = SimpleNamespace(adj=SimpleNamespace(threads=4))
    env = environ(**{"waitress.client_disconnected": bool})
    server = SimpleTask(channel).call(env)
    assert (server.threads, server.answers, server.handle(env)) == (4, False, None)
    module: Any = ModuleType("mod_wsgi")
    module.threads_per_process = 15
    monkeypatch.setitem(sys.modules, "mod_wsgi", module)
    server = Server.of(environ(**{"mod_wsgi.version": (5, 0)}))
    assert (server.threads, server.answers) == (15, False)


@attrs.frozen
class SimpleTask:
    channel: Any

    def call(self, env: dict[str, Any]) -> Server:
        return Server.of(env)


class Rfile:
    """A stream of cheroot's: around others, and a socket at the bottom."""

    __module__ = "cheroot.server"

    def __init__(self, rfile: object) -> None:
        self.rfile = rfile
        self.read = bytes


@attrs.frozen
class WorkerThread:
    server: Any
    requests_seen: int = 0

    def call(self, env: dict[str, Any]) -> Server:
        return Server.of(env)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_cheroot_has_it_below_its_streams(pair: tuple[socket.socket, socket.socket]) -> None:
    with pair[0].makefile("rb") as file:
        stream = Rfile(Rfile(file))
        pool = SimpleNamespace(requests=SimpleNamespace(min=10))
        env = environ(**{"wsgi.input": stream})
        server = WorkerThread(pool).call(env)
        assert (server.threads, server.answers) == (10, True)
        handle = server.handle(env)
        assert is_plain(handle)
        found = duplicate(handle)
        assert found
        with found:
            found.send(b"hello")
    assert pair[1].recv(10) == b"hello"


def test_other_servers_are_left_alone(pair: tuple[socket.socket, socket.socket]) -> None:
    """But for a body that comes from a socket (wsgiref), which can be given up."""
    with pair[0].makefile("rb") as file:
        env = environ(**{"wsgi.input": file})
        server = Server.of(env)
        assert (server.threads, server.answers) == (None, False)
        found = duplicate(server.handle(env))
        assert found
        found.close()
    assert duplicate(io.BytesIO()) is None
    assert duplicate(None) is None


def test_what_is_closed_is_not_duplicated(pair: tuple[socket.socket, socket.socket]) -> None:
    number = pair[0].fileno()
    found = duplicate(number)
    assert found
    found.close()
    pair[0].close()
    assert duplicate(pair[0]) is None


def test_tls_is_not_plain(pair: tuple[socket.socket, socket.socket]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with context.wrap_socket(pair[0], server_side=True, do_handshake_on_connect=False) as encrypted:
        assert not is_plain(encrypted)
