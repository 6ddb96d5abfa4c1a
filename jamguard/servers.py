"""What a WSGI server shows of itself: the connection of a request, and how many threads it has.

PEP 3333 has neither. Where a server is not known, nothing is assumed: its connections are left
alone, and its threads have no number.

Source: the servers' own code (gunicorn 27, Werkzeug 3, cheroot 11, uWSGI 2.0, waitress 3,
mod_wsgi 5), `docs/explain/servers.md`.
"""

import inspect
import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from types import FrameType

#: sockets of uWSGI where a plain answer of HTTP would be none
NO_HTTP: Final = frozenset({"https-socket", "fastcgi-socket", "fastcgi-nph-socket", "scgi-socket"})

# servers have no types
# ruff: noqa: ANN401

Environ = Mapping[str, Any]
#: something that leads to the connection of a request, from its environ
Handle = Callable[[Environ], Any]


def _nothing(_: Environ) -> Any:
    return None


@attrs.frozen
class Server:
    """The server that this process serves requests with."""

    #: requests at once in this process; None when that is not known, or has no bound
    threads: int | None = None
    #: a client can be answered on its connection by another thread than the request's
    answers: bool = False
    #: what leads to the connection of a request
    handle: Handle = _nothing

    @classmethod
    def of(cls, environ: Environ) -> "Server":
        """Find out about the server that has made this environ, from within its request."""
        if "gunicorn.socket" in environ:
            worker = _caller("cfg")
            kind = getattr(getattr(worker, "cfg", None), "worker_class_str", "")
            return cls(_threads_of_gunicorn(worker, kind), kind in {"sync", "gthread"}, _gunicorn)
        if "werkzeug.socket" in environ:
            return cls(answers=True, handle=_werkzeug)
        if "uwsgi.version" in environ:
            uwsgi = sys.modules["uwsgi"]  # there only inside of it
            threads = int(uwsgi.opt.get("threads", 1))
            is_http = NO_HTTP.isdisjoint(uwsgi.opt)
            return cls(threads, is_http, handle=lambda _: uwsgi.connection_fd())
        if "waitress.client_disconnected" in environ:
            return cls(_caller("channel").channel.adj.threads)
        if "mod_wsgi.version" in environ:
            return cls(sys.modules["mod_wsgi"].threads_per_process)
        if type(environ["wsgi.input"]).__module__.startswith("cheroot."):
            return cls(_caller("requests_seen").server.requests.min, answers=True, handle=_input)
        return cls(handle=_input)


def duplicate(handle: Any) -> socket.socket | None:
    """Return another socket of the same connection, or None where there is none to be had.

    It shares the mode (blocking or not) with the server's own, so nobody may set that.
    """
    handle = _connection(handle)
    try:
        number = handle if isinstance(handle, int) else handle.fileno()
        return socket.socket(fileno=os.dup(number))
    except (AttributeError, OSError):  # there is no socket, or it is closed
        return None


def is_plain(handle: Any) -> bool:
    """Say whether what is written to the connection goes out as it is: there is no TLS."""
    import ssl  # noqa: PLC0415 - needed once in a while

    return not isinstance(_connection(handle), ssl.SSLSocket)


def _threads_of_gunicorn(worker: Any, kind: str) -> int | None:
    if kind in {"gevent", "eventlet"}:
        return int(worker.cfg.worker_connections)
    return int(worker.cfg.threads) if kind else None


def _gunicorn(environ: Environ) -> Any:
    if environ.get("SERVER_PROTOCOL") in {"HTTP/2", "HTTP/2.0"}:
        return None  # other requests are under way on the same connection
    return environ.get("gunicorn.socket")


def _werkzeug(environ: Environ) -> Any:
    return environ.get("werkzeug.socket")


def _input(environ: Environ) -> Any:
    return environ["wsgi.input"]


def _connection(handle: Any) -> Any:
    """Return the socket that a handle is, or dig for it below a stream (cheroot, wsgiref)."""
    if isinstance(handle, int) or hasattr(handle, "recv"):
        return handle
    while hasattr(handle, "rfile"):
        handle = handle.rfile
    return getattr(getattr(handle, "raw", None), "_sock", None)


def _caller(attribute: str) -> Any:
    """Return the object of the server's among whose methods we are called."""
    frame: FrameType | None = inspect.currentframe()  # no server passes itself on
    while frame:
        found = frame.f_locals.get("self")
        if hasattr(found, attribute):
            return found
        frame = frame.f_back
    return None
